/**
 * Group commit: whatever asks to be written while the event loop is at work shares one transaction, hence one flush
 * of the disk. SQLite flushes as it commits, or a flusher after that, while the event loop continues (flusher.ts).
 *
 * - Requests are carried out in the order in which they came.
 * - A request that settled is never carried out later.
 * - A request that fails does not make others fail: after a failed group each is tried alone.
 */
import type { Clock } from "../../ports.ts";
import { type Attempt, attempt, type Failure, isBusy } from "./errors.ts";
import { Flusher, type WalFile } from "./flusher.ts";
import type { HighWaterMark } from "./high-water-mark.ts";
import type { Store } from "./store.ts";

const groupRecords = 2_000;
const waitingRecords = 100_000;
export const busyRetryMs = 20;

interface Request {
  readonly records: number;
  readonly deadlineMs: number;
  readonly run: () => void;
  readonly settle: (failure: Failure | null) => void;
}

export interface WriterParts {
  readonly file: string;
  readonly store: Store;
  readonly mark: HighWaterMark;
  readonly clock: Clock;
  /** Of a connection that does not flush as it commits; null: it does. */
  readonly wal: WalFile | null;
}

export class Writer {
  readonly #file: string;
  readonly #store: Store;
  readonly #mark: HighWaterMark;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #flusher: Flusher | null;
  #waiting: Request[] = [];
  #waitingRecords = 0;
  #scheduled = false;
  #closed = false;

  constructor({ file, store, mark, clock, wal }: WriterParts, timeoutMs: number) {
    this.#file = file;
    this.#store = store;
    this.#mark = mark;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    const onFlushed = (sequence: number) => mark.advance(sequence);
    this.#flusher = wal === null ? null : new Flusher({ file, wal, clock, timeoutMs, onFlushed });
  }

  /** `run` is called inside a transaction, perhaps again after a rollback. `records`: about how much it writes. */
  write<T>(records: number, run: () => T): Promise<Attempt<T>> {
    if (this.#closed) return Promise.resolve({ ok: false, ...closed(this.#file) });
    if (this.failure !== null) return Promise.resolve({ ok: false, ...this.failure });
    const unconfirmed = this.#waitingRecords + (this.#flusher?.records ?? 0);
    if (unconfirmed + records > waitingRecords && unconfirmed > 0) {
      return Promise.resolve({ ok: false, ...overloaded(this.#file) });
    }
    return new Promise((resolve) => {
      let value: T;
      this.#waiting.push({
        records,
        deadlineMs: this.#clock.nowMs() + this.#timeoutMs,
        run: () => {
          value = run();
        },
        settle: (failure) => resolve(failure === null ? { ok: true, value } : { ok: false, ...failure }),
      });
      this.#waitingRecords += records;
      this.#schedule();
    });
  }

  /** Why nothing is written any more; null: it is. */
  get failure(): Failure | null {
    return this.#flusher?.failure ?? null;
  }

  /** Settles once every earlier request has. */
  async drained(): Promise<void> {
    if (this.#waiting.length > 0 || (this.#flusher?.records ?? 0) > 0) await this.write(0, () => {});
  }

  /** Carries out what waits, then refuses the rest. Settles once all is flushed. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#waiting.length > 0) {
      if (this.#writeGroup(this.#takeGroup()) === "busy") break;
    }
    for (const request of this.#waiting.splice(0)) request.settle(closed(this.#file));
    await this.#flusher?.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#waiting.length === 0) return;
    if (this.#writeGroup(this.#takeGroup()) === "written") {
      if (this.#waiting.length > 0) this.#schedule();
      return;
    }
    if (this.#waiting.length === 0) return;
    this.#scheduled = true;
    this.#clock.after(busyRetryMs, () => this.#flush());
  }

  #takeGroup(): Request[] {
    let records = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || records < groupRecords)) {
      records += this.#waiting[count]!.records;
      count += 1;
    }
    this.#waitingRecords -= records;
    return this.#waiting.splice(0, count);
  }

  /** "busy": another process writes; the requests wait again, but for those whose time is up. */
  #writeGroup(group: readonly Request[]): "written" | "busy" {
    const failure = this.#commit(group);
    if (failure === null) return "written";
    if (isBusy(failure)) {
      this.#putBack(group, failure);
      return "busy";
    }
    if (group.length === 1) group[0]!.settle(failure);
    else
      for (const [index, request] of group.entries()) {
        const alone = this.#commit([request]);
        if (alone !== null && isBusy(alone)) {
          // This one together with those behind it, in their order.
          this.#putBack(group.slice(index), alone);
          return "busy";
        }
        if (alone !== null) request.settle(alone);
      }
    return "written";
  }

  /** One transaction. Null: it is written, and its requests are settled, or will be by the flusher. */
  #commit(group: readonly Request[]): Failure | null {
    const written = attempt(this.#file, () =>
      this.#store.write(() => {
        for (const request of group) request.run();
      }),
    );
    if (!written.ok) return written;
    if (this.#flusher !== null) this.#flusher.add(written.value, group);
    else {
      this.#mark.advance(written.value);
      for (const request of group) request.settle(null);
    }
    return null;
  }

  #putBack(group: readonly Request[], failure: Failure): void {
    const nowMs = this.#clock.nowMs();
    const late = group.filter((request) => request.deadlineMs <= nowMs);
    const early = group.filter((request) => request.deadlineMs > nowMs);
    this.#waiting = [...early, ...this.#waiting];
    for (const request of early) this.#waitingRecords += request.records;
    for (const request of late) request.settle(failure);
  }
}

function overloaded(file: string): Failure {
  return {
    problem: {
      code: "log-overloaded",
      message: `More than ${waitingRecords} records wait to be written to ${file}.`,
      fix: "Wait for earlier appends before making more.",
    },
    retryable: true,
  };
}

export function closed(file: string): Failure {
  return {
    problem: { code: "log-closed", message: `The event log ${file} was closed.`, fix: "Open it again." },
    retryable: false,
  };
}
