/** `audit` without --verify: rows to standard output, or to a file with its manifest. */

import { once } from "node:events";
import { existsSync } from "node:fs";
import { type ExportRequest, exportChunks, manifestPath, noCounts, writeExport } from "../../audit/export.ts";
import type { Counts } from "../../audit/manifest.ts";
import { systemClock } from "../../clock.ts";
import type { HoldableIndex } from "../../index/enrollment-index.ts";
import { exitCodes, fail, say } from "../terminal.ts";
import { version } from "../version.ts";
import { type AuditPlace, withIndex } from "./build.ts";

export async function exportRows(
  place: AuditPlace,
  request: ExportRequest,
  out: string | null,
): Promise<void> {
  const taken = out === null ? undefined : [out, manifestPath(out)].find((path) => existsSync(path));
  if (taken !== undefined) {
    return fail(
      {
        code: "file-exists",
        message: `${taken} is there already.`,
        fix: "Choose another name: --out <file>. Nothing was written.",
      },
      exitCodes.usage,
    );
  }
  await withIndex(place, undefined, (index) =>
    out === null ? toStandardOutput(index, request, place.signal) : toFile(index, request, out),
  );
}

async function toStandardOutput(
  index: HoldableIndex,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<void> {
  const counts = noCounts();
  const { stdout } = process;
  await index.hold(async () => {
    for await (const chunk of exportChunks(index, request, counts)) {
      if (signal.aborted || stdout.destroyed) return;
      if (!stdout.write(chunk)) await Promise.race([once(stdout, "drain"), once(stdout, "close")]);
    }
  });
  if (!signal.aborted) say(`${summary(counts)}\n`);
}

async function toFile(index: HoldableIndex, request: ExportRequest, path: string): Promise<void> {
  const createdBy = `connector-registrar ${version}`;
  try {
    const made = { ...request, path, createdAtMs: systemClock.wallMs(), createdBy };
    const { counts } = await writeExport(index, made);
    say(`${path}: ${summary(counts)}\n${manifestPath(path)}: what it was made from\n`);
  } catch (error) {
    if (!isFileError(error)) throw error;
    fail({
      code: "file",
      message: `${path} can't be written: ${error.message}.`,
      fix: "Choose a directory that exists and may be written, with room on its disk: --out <file>",
    });
  }
}

export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string" && "syscall" in error
  );
}

function summary({ rows, created, recovered, refused, waiting }: Counts): string {
  return `${rows} rows: ${created} created, ${recovered} recovered, ${refused} refused, ${waiting} waiting`;
}
