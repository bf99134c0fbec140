/**
 * Reads a tenants file as it stands now: its bytes, and a mark that distinguishes it from earlier contents.
 *
 * 1. A file that can't be read keeps the mark of its contents: otherwise it would look changed each time, and never be reported.
 * 2. Nothing but a file is opened: to open a pipe waits for who writes into it.
 */
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
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) return noFile(found); // 2
    const file = await open(path);
    try {
      const before = await file.stat({ bigint: true });
      if (before.size > maxFileBytes) return tooLarge(before);
      return { ok: true, bytes: await file.readFile(), mark: markOf(before) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { ok: false, text: whyNot(error), mark: await markAt(path) }; // 1
  }
}

export function readTenantsFileNow(path: string): FileRead {
  try {
    const before = statSync(path, { bigint: true });
    if (!before.isFile()) return noFile(before); // 2
    if (before.size > maxFileBytes) return tooLarge(before);
    return { ok: true, bytes: readFileSync(path), mark: markOf(before) };
  } catch (error) {
    return { ok: false, text: whyNot(error), mark: codeOf(error) };
  }
}

/** Of the present file. Links are followed: a swapped link is another file. */
export async function markAt(path: string): Promise<string> {
  try {
    return markOf(await stat(path, { bigint: true }));
  } catch (error) {
    return codeOf(error);
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join("/");
}

function tooLarge(stats: BigIntStats): FileRead {
  const text = `is ${stats.size} bytes long, and ${maxFileBytes} are the most that is read`;
  return { ok: false, text, mark: markOf(stats) };
}

function noFile(stats: BigIntStats): FileRead {
  const text = stats.isDirectory()
    ? "is a directory: name the file in it by TENANTS_FILE"
    : "is not a regular file: it is read repeatedly, which a pipe does not allow";
  return { ok: false, text, mark: markOf(stats) };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "nothing is there: name a file by TENANTS_FILE, or put it there",
  ENOTDIR: "part of its path is not a directory: correct TENANTS_FILE",
  EACCES:
    "this process may not read it: give its user the right to read the file and to enter its directories",
  ELOOP: "its link leads in a circle: make the link again, to a file",
};

function whyNot(error: unknown): string {
  const code = codeOf(error);
  const reason = reasons[code];
  return `can't be read (${code})${reason === undefined ? "" : `: ${reason}`}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}
