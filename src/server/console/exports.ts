/**
 * Exports for auditors, as files to download: made by the same code as those of `audit`, with the same manifest.
 *
 * 1. An export is as of one moment, so it is written whole before it can be downloaded; a slow reader delays nothing.
 * 2. One at a time; few are kept, and not for long. Each has a directory of its own, which goes with it: one that is there for long is
 *    cleared away by the system.
 * 3. Every failure is shown on its page; none delays the next export, or the end of the service.
 */

import { randomUUID } from "node:crypto";
import type { ReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Counts, Format } from "../../audit/manifest.ts";
import type { AuditFilter } from "../../audit/rows.ts";
import type { Clock } from "../../ports.ts";
import type { ServiceNote } from "../parts.ts";
import { consoleLimits } from "./limits.ts";
import type { WriteExport } from "./write-export.ts";

export interface AuditExport {
  readonly id: string;
  /** Who asked for it. */
  readonly by: string;
  readonly filter: AuditFilter;
  /** Of the file, as it is downloaded. */
  readonly name: string;
  readonly state: "making" | "ready" | "failed";
  readonly atMs: number;
  readonly counts: Counts | null;
  readonly sha256: string | null;
  readonly why: string | null;
}

export interface Exports {
  /** Null: another one is being made. */
  begin(filter: AuditFilter, format: Format, by: string): AuditExport | null;
  /** Null: it is not there, or no longer. */
  find(id: string): AuditExport | null;
  /** Null: it is not there to be read. */
  read(
    id: string,
    what: "file" | "manifest",
  ): Promise<{ readonly bytes: number; readonly stream: ReadStream } | null>;
  readonly revision: () => number;
  /** Removes all. */
  close(): Promise<void>;
}

export interface ExportParts {
  readonly clock: Clock;
  readonly write: () => WriteExport | null;
  readonly version: string;
  readonly note: (note: ServiceNote) => void;
}

/** `directory`, `path`: null: it has none yet. */
type Made = { -readonly [name in keyof AuditExport]: AuditExport[name] } & {
  directory: string | null;
  path: string | null;
  /** It is removed when its time is up, also if no request asks for it again. */
  endWait: () => void;
};

export function createExports({ clock, write, version, note }: ExportParts): Exports {
  const made = new Map<string, Made>();
  const stop = new AbortController();
  let current: Promise<void> | null = null;
  let revision = 0;

  const remove = async ({ id, directory, endWait }: Made): Promise<void> => {
    made.delete(id);
    endWait();
    if (directory === null) return;
    await rm(directory, { recursive: true, force: true }).catch((error: unknown) =>
      note({ level: "warn", event: "export-kept", message: `An export could not be removed: ${error}` }),
    );
  };
  const isOver = ({ state, atMs }: Made) =>
    state !== "making" && clock.wallMs() - atMs > consoleLimits.exportMs;

  async function make(each: Made, format: Format, writeExport: WriteExport): Promise<void> {
    const old = [...made.values()].filter(({ id, state }) => id !== each.id && state !== "making");
    const tooMany = Math.max(0, old.length + 1 - consoleLimits.exportsKept);
    for (const [nth, other] of old.entries()) if (nth < tooMany || isOver(other)) await remove(other); // 2
    try {
      each.directory = await mkdtemp(join(tmpdir(), "connector-registrar-exports-"));
      const path = join(each.directory, each.id);
      each.path = path;
      const { filter, atMs: createdAtMs } = each;
      const createdBy = `connector-registrar ${version}`;
      const { signal } = stop;
      const result = await writeExport({ filter, format, path, createdAtMs, createdBy, signal });
      Object.assign(each, { state: "ready", counts: result.counts, sha256: result.sha256 });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      Object.assign(each, { state: "failed", why: code ?? message });
    }
    each.endWait = clock.after(consoleLimits.exportMs, () => void remove(each));
    revision++;
  }

  const find = (id: string) => {
    const found = made.get(id);
    return found === undefined || isOver(found) ? null : found;
  };
  return {
    begin(filter, format, by) {
      const writeExport = write();
      if (current !== null || writeExport === null) return null;
      const atMs = clock.wallMs();
      const id = randomUUID();
      const name = `audit-${new Date(atMs).toISOString().slice(0, 19).replaceAll(":", "")}Z.${format}`;
      const each: Made = {
        ...{ id, by, filter, name, state: "making", atMs, directory: null, path: null, endWait: () => {} },
        ...{ counts: null, sha256: null, why: null },
      };
      made.set(id, each);
      current = make(each, format, writeExport).finally(() => {
        current = null;
      });
      note({ level: "info", event: "export", message: `Export ${id} was asked for by ${by}.` });
      return each;
    },
    find,
    async read(id, what) {
      const found = find(id);
      if (found?.state !== "ready") return null;
      const path = what === "file" ? found.path : `${found.path}.manifest.json`;
      const file = await open(path!).catch(() => null);
      if (file === null) return null;
      const { size } = await file.stat();
      return { bytes: size, stream: file.createReadStream() };
    },
    revision: () => revision,
    async close() {
      stop.abort(new Error("the service is being stopped"));
      await current;
      for (const each of [...made.values()]) await remove(each);
    },
  };
}
