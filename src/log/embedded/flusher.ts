/**
 * Flushes the write-ahead log beside the thread that writes it, so that requests are served while the disk is at work.
 *
 * 1. What was committed is confirmed only after a flush that began after its commit has ended well.
 * 2. One flush at a time: what is committed meanwhile shares the next one.
 * 3. After a flush that failed nothing is confirmed any more. The kernel may have dropped what it could not write, and a later
 *    flush would not say so.
 * 4. A disk that does not answer blocks no caller for longer than the time-out: what waits is given up then.
 */
import { closeSync, fdatasync, openSync } from "node:fs";
import type { Clock } from "../../ports.ts";
import type { Failure } from "./errors.ts";

/** The file as far as it is flushed. `onEnd` is called with the error, or null. */
export interface WalFile {
  flush(onEnd: (error: Error | null) => void): void;
  close(): void;
}

/** Once the connection has read or written: the file is there from then on, and stays the same until it is closed. */
export function openWalFile(file: string): WalFile {
  const fd = openSync(`${file}-wal`, "r+");
  return {
    flush: (onEnd) => fdatasync(fd, onEnd),
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
  #records = 0;
  #sequence = 0;
  #isFlushing = false;
  #isLate = false;
  #failure: Failure | null = null;
  /** Set once it closes: what is to be done when nothing waits any more. */
  #onIdle: (() => void) | null = null;

  constructor(parts: FlusherParts) {
    this.#parts = parts;
  }

  /** Why nothing may be written any more; null: it may. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** That are not confirmed. */
  get records(): number {
    return this.#records;
  }

  /** `sequence`: of the transaction in which they were committed. */
  add(sequence: number, committed: readonly Committed[]): void {
    this.#sequence = sequence;
    for (const each of committed) {
      this.#records += each.records;
      this.#waiting.push(each);
    }
    if (this.#failure !== null) this.#settleAll(this.#failure);
    else if (this.#isLate) this.#settleAll(silent(this.#parts.file));
    else if (!this.#isFlushing) this.#begin();
  }

  /** Nothing is added any more. Settles once all that waits is settled. */
  close(): Promise<void> {
    const { wal } = this.#parts;
    return new Promise((resolve) => {
      // The descriptor of a flush that is under way must not become another file's.
      if (!this.#isFlushing) wal.close();
      else this.#onIdle = resolve;
      if (!this.#isFlushing || this.#isLate) resolve();
    });
  }

  #begin(): void {
    const { wal, clock, timeoutMs, file } = this.#parts;
    this.#flushing = this.#waiting;
    this.#waiting = [];
    this.#isFlushing = true;
    const sequence = this.#sequence;
    const cancel = clock.after(timeoutMs, () => {
      this.#isLate = true; // 4
      this.#settleAll(silent(file));
      this.#onIdle?.();
    });
    wal.flush((error) => {
      cancel();
      // The one that closed did not wait: the log and its mark are closed too.
      if (this.#isLate && this.#onIdle !== null) return wal.close();
      this.#isFlushing = false;
      this.#isLate = false;
      if (error === null) this.#flushed(sequence);
      else {
        this.#failure = failed(file, error.message); // 3
        this.#settleAll(this.#failure);
      }
      if (this.#waiting.length > 0) return this.#begin(); // 2
      if (this.#onIdle === null) return;
      wal.close();
      this.#onIdle();
    });
  }

  #flushed(sequence: number): void {
    this.#parts.onFlushed(sequence);
    const flushed = this.#flushing;
    this.#flushing = [];
    this.#settle(flushed, null);
  }

  #settleAll(failure: Failure | null): void {
    const all = [...this.#flushing, ...this.#waiting];
    this.#flushing = [];
    this.#waiting = [];
    this.#settle(all, failure);
  }

  #settle(settled: readonly Committed[], failure: Failure | null): void {
    for (const { records, settle } of settled) {
      this.#records -= records;
      settle(failure);
    }
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
      fix: "Check the disk (dmesg, iostat); it continues by itself once the disk answers. Send again what was not confirmed.",
    },
    retryable: true,
  };
}
