/**
 * `log.head`: how many write transactions of `log.db` were acknowledged.
 *
 * SQLite takes a truncated or damaged write-ahead log for an unfinished write and drops its end without a word. The
 * mark, kept in a file beside it, tells such a loss from a clean crash: it is written after each commit, when the
 * transaction is on the disk already, so it never runs ahead of what a power failure leaves. It may lag; that only
 * makes the check weaker. The write also wakes other processes that watch the file (see wake.ts).
 */
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Failure } from "./errors.ts";

const digits = 16;
const lineBytes = digits + 1 + 8 + 1;

function lineOf(sequence: number): string {
  const number = String(sequence).padStart(digits, "0");
  return `${number} ${crc32(number).toString(16).padStart(8, "0")}\n`;
}

export class HighWaterMark {
  readonly #fd: number;

  /** Throws the file system's errors. */
  constructor(file: string) {
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o666);
  }

  /** 0 when the file is new, or was torn by a power failure. */
  read(): number {
    const line = Buffer.alloc(lineBytes);
    const length = readSync(this.#fd, line, 0, lineBytes, 0);
    const sequence = Number.parseInt(line.toString("latin1", 0, digits), 10);
    return length === lineBytes && line.toString("latin1") === lineOf(sequence) ? sequence : 0;
  }

  /** The transaction is durable already: a mark that can't be written only weakens the next check. */
  advance(sequence: number): void {
    try {
      writeSync(this.#fd, lineOf(sequence), 0, "latin1");
    } catch {
      // See above.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export function lostChanges(
  { file, markFile }: { readonly file: string; readonly markFile: string },
  { sequence, marked }: { readonly sequence: number; readonly marked: number },
): Failure {
  return {
    problem: {
      code: "log-lost-changes",
      message: `The event log ${file} ends at change ${sequence}, but ${markFile} says that ${marked} were stored: the newest are missing (was ${file}-wal removed, truncated or damaged, or an older copy put in its place?).`,
      fix: `Restore ${file}, ${file}-wal and ${markFile} together from a backup. To continue without what is missing (what was registered there and is emitted again makes a second object), type: rm ${markFile}`,
    },
    retryable: false,
  };
}
