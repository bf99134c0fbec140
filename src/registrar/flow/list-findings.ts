/** What a list of a tenant's objects, or its failure, tells each record in doubt that it was read for. */
import type { GraphObject } from "../../graph-port.ts";
import type { Work } from "../ownership/partition.ts";
import { matchAll } from "./adoption.ts";
import type { Core } from "./core.ts";

export interface Listed {
  readonly objects: readonly GraphObject[];
  readonly startedMs: number;
  /** These are all. Otherwise what is missing says nothing. */
  readonly isWhole: boolean;
}

/** `due`: those that were to be looked up when the list began. */
export function raiseFindings(
  core: Core,
  due: readonly Work[],
  { objects, startedMs, isWhole }: Listed,
): void {
  const { raise, shown } = core;
  const { sabotage } = core.settings;
  const asked = due.filter(isReadBack);
  const tenantId = asked[0]?.enrollment.tenantId ?? "";
  for (const [work, match] of matchAll({
    tenantId,
    due: asked,
    objects,
    shown: shown.of(tenantId).form.form,
    sabotage,
  })) {
    if (match.kind === "found") {
      reportSeveral(core, work, match.objects);
      raise(work, { kind: "found", object: match.objects[0]!, reply: null });
    } else if (match.kind === "undecided") raise(work, { kind: "undecided", startedMs });
    else if (isWhole) raise(work, { kind: "missed", by: "list", startedMs, atMs: core.ports.clock.nowMs() });
  }
}

export function isReadBack({ stage }: Work): boolean {
  return stage.at === "reading-back";
}

function reportSeveral(
  { ports }: Core,
  { enrollment, idempotencyKey }: Work,
  found: readonly GraphObject[],
): void {
  if (found.length === 1) return;
  const ids = found.map(({ id }) => id);
  ports.observe({ kind: "duplicate-objects", tenantId: enrollment.tenantId, idempotencyKey, ids });
}
