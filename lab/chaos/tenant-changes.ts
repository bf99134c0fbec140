/**
 * The tenants file of the workers, rewritten while they work: tenants are removed, paused and come back, and now and then the file is
 * not JSON for a while.
 */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/ports.ts";
import { sleep } from "../../src/sleep.ts";

/** "back": one that was removed or paused is served again. */
export type TenantChange = "remove" | "pause" | "back" | "bad";

export interface TenantsFile {
  readonly path: string;
  /** What was done, for people. `pick` in [0, 1) says to whom. */
  change(how: TenantChange, pick: number, signal: AbortSignal): Promise<string>;
  /** No tenant is paused any more: all can settle. */
  resumeAll(): void;
  /** Those that were not listed at some time. */
  everRemoved(): ReadonlySet<string>;
}

/** Longer than a worker waits before it calls a file bad. */
const badForMs = 2_500;

export function openTenantsFile(directory: string, tenantIds: readonly string[], clock: Clock): TenantsFile {
  const path = join(directory, "tenants.json");
  const standings = new Map<string, "served" | "paused" | "removed">(tenantIds.map((id) => [id, "served"]));
  const removed = new Set<string>();
  let version = 0;
  write(text());
  return {
    path,
    async change(how, pick, signal) {
      if (how === "bad") {
        write('{"tenants": [');
        await sleep(clock, badForMs, signal);
        write(text());
        return "the tenants file was not JSON for a while";
      }
      const away = tenantIds.filter((id) => standings.get(id) !== "served");
      const isBack = how === "back" && away.length > 0;
      const among = isBack ? away : tenantIds.filter((id) => standings.get(id) === "served");
      const tenantId = among[Math.floor(pick * among.length)] ?? tenantIds[0]!;
      const to = isBack ? "served" : how === "pause" ? "paused" : "removed";
      standings.set(tenantId, to);
      if (to === "removed") removed.add(tenantId);
      write(text());
      return `tenant ${tenantId} is ${to === "served" ? "served again" : to}`;
    },
    resumeAll() {
      for (const [id, standing] of standings) if (standing === "paused") standings.set(id, "served");
      write(text());
    },
    everRemoved: () => removed,
  };

  function text(): string {
    const listed = [...standings].filter(([, standing]) => standing !== "removed");
    const tenants = listed.map(([tenantId, standing]) => ({
      tenantId,
      ...(standing === "paused" ? { paused: true } : {}),
    }));
    return JSON.stringify({ tenants });
  }

  /** In its place, or into it, in turn. */
  function write(content: string): void {
    if (version++ % 2 === 1) return writeFileSync(path, content);
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  }
}
