/** Reads a tenants file as it stands now: its bytes, and a mark that tells it from what stood there before. */
import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { maxFileBytes } from "./parse.ts";

export type FileRead =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly mark: string }
  /** `text` completes "PATH …". */
  | { readonly ok: false; readonly text: string; readonly mark: string };

/** One that was written to while it was read has another mark afterwards: then it is read again. */
export async function readTenantsFile(path: string): Promise<FileRead> {
  try {
    const file = await open(path);
    try {
      const before = await file.stat({ bigint: true });
      if (before.size > maxFileBytes) return tooLarge(before);
      return { ok: true, bytes: await file.readFile(), mark: markOf(before) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return unreadable(error);
  }
}

export function readTenantsFileNow(path: string): FileRead {
  try {
    const before = statSync(path, { bigint: true });
    if (before.size > maxFileBytes) return tooLarge(before);
    return { ok: true, bytes: readFileSync(path), mark: markOf(before) };
  } catch (error) {
    return unreadable(error);
  }
}

/** Of what stands there now. Links are followed: a swapped link is another file. */
export async function markAt(path: string): Promise<string> {
  try {
    return markOf(await stat(path, { bigint: true }));
  } catch (error) {
    return unreadable(error).mark;
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join("/");
}

function tooLarge(stats: BigIntStats): FileRead {
  const text = `is ${stats.size} bytes long, and ${maxFileBytes} are the most that is read`;
  return { ok: false, text, mark: markOf(stats) };
}

function unreadable(error: unknown): Extract<FileRead, { ok: false }> {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  return { ok: false, text: `can't be read (${code})`, mark: code };
}
