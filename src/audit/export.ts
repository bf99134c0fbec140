/** An export: its text in pieces, and as a file with its manifest. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { finished } from "node:stream/promises";
import type { EnrollmentIndex, HoldableIndex } from "../index/enrollment-index.ts";
import { type Cells, cellsOf, columns, outcomeOf } from "./columns.ts";
import { csvLine } from "./csv.ts";
import { type Counts, type Format, type Manifest, manifestOf } from "./manifest.ts";
import { type AuditFilter, auditRows } from "./rows.ts";

export interface ExportRequest {
  readonly filter: AuditFilter;
  readonly format: Format;
}

const chunkCharacters = 64 * 1024;

/** The text of an export, in pieces; `counts` is complete at its end. The index must be held still meanwhile. */
export async function* exportChunks(
  index: EnrollmentIndex,
  { filter, format }: ExportRequest,
  counts: { -readonly [name in keyof Counts]: number },
): AsyncGenerator<string> {
  let chunk = format === "csv" ? csvLine(columns) : "";
  for await (const enrollment of auditRows(index, filter)) {
    chunk += lineOf(cellsOf(enrollment), format);
    counts.rows++;
    counts[outcomeOf(enrollment)]++;
    if (chunk.length < chunkCharacters) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}

function lineOf(cells: Cells, format: Format): string {
  return format === "csv" ? csvLine(columns.map((column) => cells[column])) : `${JSON.stringify(cells)}\n`;
}

export function noCounts(): { -readonly [name in keyof Counts]: number } {
  return { rows: 0, created: 0, recovered: 0, refused: 0, waiting: 0 };
}

export interface FileRequest extends ExportRequest {
  readonly path: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** Ends it: nothing is written then, and the reason is thrown. */
  readonly signal?: AbortSignal;
}

export function manifestPath(path: string): string {
  return `${path}.manifest.json`;
}

/** Writes `path` and its manifest, each whole or not at all. Throws what the file system throws, and leaves no draft. */
export function writeExport(index: HoldableIndex, request: FileRequest): Promise<Manifest> {
  const { path, filter, format, createdAtMs, createdBy, signal } = request;
  const drafts = [path, manifestPath(path)].map((name) => `${name}.${process.pid}.draft`) as [string, string];
  return index.hold(async (ranges) => {
    try {
      const counts = noCounts();
      const { bytes, sha256 } = await writeAll(drafts[0], exportChunks(index, request, counts), signal);
      const manifest = manifestOf({ createdAtMs, createdBy, format, filter, ranges, counts, bytes, sha256 });
      await writeFile(drafts[1], `${JSON.stringify(manifest, null, 2)}\n`, { flag: "wx" });
      await rename(drafts[0], path);
      await rename(drafts[1], manifestPath(path));
      return manifest;
    } finally {
      for (const draft of drafts) await rm(draft, { force: true });
    }
  });
}

async function writeAll(
  path: string,
  chunks: AsyncIterable<string>,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = createWriteStream(path, { flags: "wx" });
  // A failure may come before the caller awaits it.
  const ended = finished(file);
  ended.catch(() => {});
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      const encoded = Buffer.from(chunk);
      hash.update(encoded);
      bytes += encoded.length;
      if (!file.write(encoded)) await Promise.race([once(file, "drain"), ended]);
    }
    file.end();
    await ended;
  } finally {
    file.destroy();
  }
  return { bytes, sha256: hash.digest("hex") };
}
