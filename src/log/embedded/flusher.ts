/**
 * Flushes the write-ahead log beside the thread that writes it, so that requests are served while the disk is at work.
 *
 * 1. What was committed is confirmed only after a flush that began after its commit has ended well.
 * 2. One flush at a time: what is committed meanwhile shares the next one.
 * 3. After a flush that failed nothing is confirmed any more. The kernel may have dropped what it could not write, and a later
 *    flush would not say so.
 * 4. A disk that does not answer holds up nobody for longer than the time-out: what waits is given up then.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs";
import type { Clock } from "../../ports.ts";
import { attempt, type Failure } from "./errors.ts";

/** The file as far as it is flushed. `onEnd` is told the error, or null. */
export interface WalFile {
  flush(onEnd: (error: Error | null) => void): void;
  /** Throws. */
  flushNow(): void;
  close(): void;
}

/** Once the connection has read or written: the file is there from then on, and stays the same until it is closed. */
export function openWalFile(file: string): WalFile {
  const fd = openSync(`${file}-wal`, "r+");
  return {
    flush: (onEnd) => fdatasync(fd, onEnd),
    flushNow: () => fdatasyncSync(fd),
    close: () => closeSync(fd),
  };
}

export interface Committed {
  readonly records: number;
  readonly settle: (failure: Failure | null) => void;
}

export interface FlusherParts {
  readonly file: string;
  readonly wal: WalFile;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** All up to this change are on the disk. */
  readonly onFlushed: (sequence: number) => void;
}

export class Flusher {
  readonly #parts: FlusherParts;
  #waiting: Committed[] = [];
  #flushing: readonly Committed[] = [];
  #sequence = 0;
  #isFlushing = false;
  #isLate = false;
  #failure: Failure | null = null;
  #isClosed = false;

  constructor(parts: FlusherParts) {
    this.#parts = parts;
  }

  /** Why nothing may be written any more; null: it may. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** That are not confirmed. */
  get records(): number {
    return [...this.#flushing, ...this.#waiting].reduce((sum, { records }) => sum + records, 0);
  }

  /** `sequence`: of the transaction in which they were committed. */
  add(sequence: number, committed: readonly Committed[]): void {
    this.#sequence = sequence;
    this.#waiting.push(...committed);
    if (this.#failure !== null) this.#giveUp(this.#failure);
    else if (this.#isLate) this.#giveUp(silent(this.#parts.file));
    else if (!this.#isFlushing) this.#begin();
  }

  /** Flushes what waits, at once. */
  close(): void {
    this.#isClosed = true;
    const { file, wal } = this.#parts;
    if (this.#flushing.length + this.#waiting.length > 0) {
      const flushed = attempt(file, () => wal.flushNow());
      this.#end(flushed.ok ? null : failed(file, flushed.problem.message));
    }
    // The descriptor of a flush that is under way must not become another file's.
    if (!this.#isFlushing) wal.close();
  }

  #begin(): void {
    const { wal, clock, timeoutMs, file } = this.#parts;
    this.#flushing = this.#waiting;
    this.#waiting = [];
    this.#isFlushing = true;
    const sequence = this.#sequence;
    const cancel = clock.after(timeoutMs, () => {
      this.#isLate = true; // 4
      this.#giveUp(silent(file));
    });
    wal.flush((error) => {
      cancel();
      this.#isFlushing = false;
      this.#isLate = false;
      if (this.#isClosed) return wal.close();
      if (error !== null) return this.#end(failed(file, error.message)); // 3
      this.#parts.onFlushed(sequence);
      for (const { settle } of this.#flushing) settle(null);
      this.#flushing = [];
      if (this.#waiting.length > 0) this.#begin(); // 2
    });
  }

  #end(failure: Failure | null): void {
    this.#failure = failure;
    if (failure !== null) return this.#giveUp(failure);
    this.#parts.onFlushed(this.#sequence);
    for (const { settle } of [...this.#flushing, ...this.#waiting]) settle(null);
    this.#flushing = [];
    this.#waiting = [];
  }

  #giveUp(failure: Failure): void {
    for (const { settle } of [...this.#flushing, ...this.#waiting]) settle(failure);
    this.#flushing = [];
    this.#waiting = [];
  }
}

function failed(file: string, detail: string): Failure {
  return {
    problem: {
      code: "log-flush-failed",
      message: `The disk did not take what was written to the event log ${file}: ${detail}.`,
      fix: "Check the disk (dmesg, df), then start this program again. Until then it takes nothing in; what it confirmed is stored.",
    },
    retryable: false,
  };
}

function silent(file: string): Failure {
  return {
    problem: {
      code: "log-flush-slow",
      message: `The disk has not answered for a while: whether the last records of the event log ${file} are stored is not known.`,
      fix: "Check the disk (dmesg, iostat); it goes on by itself once the disk answers. Send again what was not confirmed.",
    },
    retryable: true,
  };
}
