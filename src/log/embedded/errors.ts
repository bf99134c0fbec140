/** What can go wrong with the files of the embedded log, as values that say what to type. */
import type { Problem } from "../../problem.ts";

/** `retryable`: may pass by itself or by what other programs do, so trying again later makes sense. */
export interface Failure {
  readonly problem: Problem;
  readonly retryable: boolean;
}

export type Attempt<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Failure);

/** A record or a total that contradicts what was stored. Thrown inside an attempt only. */
export class DamageError extends Error {}

/** One line for ports whose failures are a reason. */
export function reasonOf(problem: Problem): string {
  return `${problem.message} ${problem.fix}`;
}

/** What a person is told who has to start the worker again: it ends with this problem, even if that may pass by itself. */
export function asFault({ problem, retryable }: Failure): Problem {
  return retryable ? { ...problem, fix: `${problem.fix} Then start the worker again.` } : problem;
}

/**
 * Runs something that touches `file`; what SQLite or the file system throws becomes a value, a bug stays thrown. `kind`: what the
 * file is, in the words of messages.
 */
export function attempt<T>(file: string, run: () => T, kind = "event log"): Attempt<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    const failure = failureOf(error, { file, name: `${kind} ${file}` });
    if (failure === null) throw error;
    return { ok: false, ...failure };
  }
}

export function isBusy(failure: Failure): boolean {
  return failure.problem.code === "log-busy";
}

export function damaged(file: string, what: string): Failure {
  return {
    problem: {
      code: "log-damaged",
      message: `The event log ${file} is damaged: ${what}.`,
      fix: `Stop the worker and restore ${file}, ${file}-wal and log.head together from a backup; to keep what can still be read, type: sqlite3 ${file} .recover`,
    },
    retryable: false,
  };
}

interface Named {
  readonly file: string;
  /** With its kind: `event log /data/log.db`. */
  readonly name: string;
}

/** Null: no failure of a file, hence a bug. */
function failureOf(error: unknown, at: Named): Failure | null {
  if (error instanceof DamageError) return damaged(at.file, error.message);
  if (!(error instanceof Error)) return null;
  const { code, errcode, errstr } = error as { code?: unknown; errcode?: unknown; errstr?: unknown };
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") {
    return sqliteFailure(errcode, `${error.message}${errstr === error.message ? "" : ` (${errstr})`}`, at);
  }
  return typeof code === "string" ? fileFailure(code, error.message, at.name) : null;
}

/** Result codes: https://sqlite.org/rescode.html; the low byte is the primary code. */
function sqliteFailure(errcode: number, detail: string, { file, name }: Named): Failure | null {
  switch (errcode & 0xff) {
    case 5: // BUSY
    case 6: // LOCKED
    case 15: // PROTOCOL: too many raced for the write-ahead log
      return {
        problem: {
          code: "log-busy",
          message: `The ${name} is locked by another process.`,
          fix: `Wait for it to finish, or find it with: fuser ${file}`,
        },
        retryable: true,
      };
    case 3: // PERM
    case 8: // READONLY
    case 23: // AUTH
      return notWritable(name, detail);
    case 10: // IOERR
      return {
        problem: {
          code: "log-io",
          message: `Reading or writing the ${name} failed: ${detail}.`,
          fix: "Check the disk: df -h shows whether it is full, dmesg what the system says of it.",
        },
        retryable: true,
      };
    case 11: // CORRUPT
    case 19: // CONSTRAINT: an offset that is taken, or a total out of range
    case 26: // NOTADB
      return damaged(file, detail);
    case 13: // FULL
      return diskFull(name);
    case 14: // CANTOPEN
      return cannotOpen(name, detail);
    case 1: // ERROR: also of a file whose tables were lost
      return /^no such (table|column)/.test(detail) ? damaged(file, detail) : null;
    default:
      return null;
  }
}

function fileFailure(code: string, detail: string, name: string): Failure | null {
  switch (code) {
    case "EROFS":
      return readOnly(name);
    case "EACCES":
    case "EPERM":
      return notWritable(name, detail);
    case "ENOSPC":
    case "EDQUOT":
      return diskFull(name);
    case "ENOTDIR":
    case "EEXIST":
    case "EISDIR":
    case "ENOENT":
    case "ENAMETOOLONG":
    case "ELOOP":
      return cannotOpen(name, detail);
    case "EIO":
    case "EMFILE":
    case "ENFILE":
      return { ...cannotOpen(name, detail), retryable: true };
    default:
      return null;
  }
}

function notWritable(name: string, detail: string): Failure {
  return {
    problem: {
      code: "log-not-writable",
      message: `The ${name} can't be written: ${detail}.`,
      fix: "Give the user that runs this write access to its directory and all files in it, or choose another one: DATA_DIR=<directory>",
    },
    retryable: false,
  };
}

function readOnly(name: string): Failure {
  return {
    problem: {
      code: "log-not-writable",
      message: `The ${name} is on a file system that is mounted read-only.`,
      fix: "Mount it for writing (mount -o remount,rw <mount point>), or choose another directory: DATA_DIR=<directory>",
    },
    retryable: false,
  };
}

function diskFull(name: string): Failure {
  return {
    problem: {
      code: "log-disk-full",
      message: `No space is left for the ${name}.`,
      fix: "Free some: df -h shows where. Nothing that was stored is lost.",
    },
    retryable: true,
  };
}

function cannotOpen(name: string, detail: string): Failure {
  return {
    problem: {
      code: "log-cannot-open",
      message: `The ${name} can't be opened: ${detail}.`,
      fix: "Name a directory that exists or can be created: DATA_DIR=<directory>",
    },
    retryable: false,
  };
}
