/** `audit` without --verify: rows to standard output, or to a file with its manifest. */

import { existsSync } from "node:fs";
import { type ExportRequest, exportChunks, manifestPath, noCounts, writeExport } from "../../audit/export.ts";
import type { Counts } from "../../audit/manifest.ts";
import { systemClock } from "../../clock.ts";
import type { HoldableIndex } from "../../index/enrollment-index.ts";
import { exitCodes, fail, plain, say } from "../terminal.ts";
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
      if (!stdout.write(stdout.isTTY ? shown(chunk) : chunk)) await taken(stdout, signal);
    }
  });
  if (!signal.aborted) say(`${summary(counts)}\n`);
}

/** Once more can be written, or never will be. */
function taken(stdout: NodeJS.WriteStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const names = ["drain", "close", "error"];
    const end = () => {
      for (const name of names) stdout.removeListener(name, end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    for (const name of names) stdout.on(name, end);
    signal.addEventListener("abort", end);
  });
}

/** Control characters in foreign text must not reach a terminal; line ends are ours. */
function shown(chunk: string): string {
  return chunk
    .split("\n")
    .map((line) => plain(line.replace(/\r$/, "")))
    .join("\n");
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
