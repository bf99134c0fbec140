/** What can go wrong with the file of the index: damage ends in building it again, the rest is for people. */
import type { Problem } from "../problem.ts";

export type Trouble =
  /** `isForeign`: the file can't be read at all, so it may belong to another program. */
  | { readonly kind: "damaged"; readonly detail: string; readonly isForeign: boolean }
  | { readonly kind: "problem"; readonly problem: Problem };

/** Null: a bug. Result codes: https://sqlite.org/rescode.html; the low byte is the primary code. */
export function troubleOf(error: unknown, file: string): Trouble | null {
  if (!(error instanceof Error)) return null;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number")
    return typeof code === "string" && /^E[A-Z]+$/.test(code) ? problem(unusable(file, error.message)) : null;
  switch (errcode & 0xff) {
    case 5:
    case 6:
      return problem(inUse(file));
    case 26:
      return { kind: "damaged", detail: "it is not an SQLite file", isForeign: true };
    case 11:
      return { kind: "damaged", detail: error.message, isForeign: false };
    case 1:
      return /^no such (table|column)/.test(error.message)
        ? { kind: "damaged", detail: error.message, isForeign: false }
        : null;
    case 13:
      return problem({
        code: "index-disk-full",
        message: `No space is left for the index ${file}.`,
        fix: "Free some (df -h shows where). The index continues by itself; nothing of the topics is lost.",
      });
    default:
      return problem(unusable(file, error.message));
  }
}

export function foreign(file: string): Problem {
  return {
    code: "index-foreign",
    message: `${file} is a SQLite file, but not an index of connector-registrar.`,
    fix: "Move it elsewhere, or choose another directory: DATA_DIR=<directory>",
  };
}

export function inUse(file: string): Problem {
  return {
    code: "index-busy",
    message: `The index ${file} is in use by another process.`,
    fix: `Stop that one (fuser ${file} finds it), or give this one another DATA_DIR.`,
  };
}

export function unusable(file: string, detail: string): Problem {
  return {
    code: "index-unusable",
    message: `The index ${file} can't be read or written: ${detail}.`,
    fix: "Check the disk and the rights on that directory, or choose another one: DATA_DIR=<directory>",
  };
}

function problem(of: Problem): Trouble {
  return { kind: "problem", problem: of };
}
