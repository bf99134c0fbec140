/**
 * `scan` and `tail`: reading without membership. The event loop has its turn between batches, and a partition's
 * records are handed over without a hole, or reading stops with the reason.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LogRecord, ScanResult, Topic } from "../../ports.ts";
import { attempt, reasonOf } from "./errors.ts";
import type { Store } from "./store.ts";
import type { Wake } from "./wake.ts";
import { closed } from "./writer.ts";

export type TailResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

type OnRecords = (records: readonly LogRecord[]) => void;

/** `next`: where to continue. `end`: the offset that the next appended record gets. */
type Batch =
  | { readonly ok: true; readonly records: readonly LogRecord[]; readonly next: number; readonly end: number }
  | { readonly ok: false; readonly reason: string; readonly logEnd?: number };

type Ends =
  | { readonly ok: true; readonly ends: readonly (number | undefined)[] }
  | { readonly ok: false; readonly reason: string };

export class Reader {
  readonly #file: string;
  readonly #store: Store;
  readonly #wake: Wake;
  #closed = false;

  constructor(file: string, store: Store, wake: Wake) {
    this.#file = file;
    this.#store = store;
    this.#wake = wake;
  }

  // biome-ignore lint/complexity/useMaxParams: EventLog.scan of ports.ts
  async scan(
    topic: Topic,
    partition: number,
    fromOffset: number,
    onRecords: OnRecords,
    signal: AbortSignal,
  ): Promise<ScanResult> {
    let next = fromOffset;
    let end: number | null = null;
    for (;;) {
      if (signal.aborted) return { ok: false, reason: "The scan was aborted." };
      const batch = this.#fetch(topic, partition, next);
      if (!batch.ok) return batch;
      end = Math.min(end ?? batch.end, batch.end);
      if (batch.records.length > 0) onRecords(batch.records);
      next = batch.next;
      if (next >= end) return { ok: true, nextOffset: next };
      await nextTurn();
    }
  }

  // biome-ignore lint/complexity/useMaxParams: LogTail.tail of ports.ts
  async tail(
    topic: Topic,
    from: "start" | "end",
    onRecords: OnRecords,
    signal: AbortSignal,
  ): Promise<TailResult> {
    const known = this.#ends(topic);
    if (!known.ok) return known;
    const { partitionCount } = this.#store;
    const next = Array.from({ length: partitionCount }, (_, p) => (from === "end" ? known.ends[p] : 0) ?? 0);
    const onAbort = () => this.#wake.wakeAll();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const result = await this.#round({ topic, next }, onRecords, signal);
        if (!result.ok) return result;
        if (!result.found && !signal.aborted) await this.#wake.wait(topic, null);
      }
      return { ok: true };
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** One batch of each partition that has more; moves `next` on. */
  async #round(
    { topic, next }: { readonly topic: Topic; readonly next: number[] },
    onRecords: OnRecords,
    signal: AbortSignal,
  ): Promise<{ ok: true; found: boolean } | { ok: false; reason: string }> {
    const known = this.#ends(topic);
    if (!known.ok) return known;
    let found = false;
    for (let partition = 0; partition < next.length && !signal.aborted; partition += 1) {
      if (known.ends[partition] === next[partition]) continue;
      const batch = this.#fetch(topic, partition, next[partition]!);
      if (!batch.ok) return batch;
      next[partition] = batch.next;
      if (batch.records.length === 0) continue;
      found = true;
      onRecords(batch.records);
      await nextTurn();
    }
    return { ok: true, found };
  }

  /** Where each partition ends, by its number. */
  #ends(topic: Topic): Ends {
    if (this.#closed) return { ok: false, reason: reasonOf(closed(this.#file).problem) };
    const asked = attempt(this.#file, () => this.#store.ends());
    if (!asked.ok) return { ok: false, reason: reasonOf(asked.problem) };
    // A partition whose row is missing has no end here, so it is asked for, and that says what is wrong.
    const ends: (number | undefined)[] = [];
    for (const { topic: of, partition, nextOffset } of asked.value)
      if (of === topic) ends[partition] = nextOffset;
    return { ok: true, ends };
  }

  #fetch(topic: Topic, partition: number, fromOffset: number): Batch {
    if (this.#closed) return { ok: false, reason: reasonOf(closed(this.#file).problem) };
    const fetched = attempt(this.#file, () => this.#store.fetch(topic, partition, fromOffset));
    if (!fetched.ok) return { ok: false, reason: reasonOf(fetched.problem) };
    const result = fetched.value;
    if (result.kind === "gap") {
      const { logStart, logEnd } = result;
      if (fromOffset < logStart) return this.#fetch(topic, partition, logStart);
      return { ok: false, reason: `${topic}/${partition} ends at ${logEnd}, before ${fromOffset}`, logEnd };
    }
    const { nextOffset } = result.bounds;
    const last = result.records.at(-1);
    return {
      ok: true,
      records: result.records,
      next: last === undefined ? nextOffset : last.offset + 1,
      end: nextOffset,
    };
  }
}
