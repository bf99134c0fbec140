/**
 * Appends outcomes, many in one round trip.
 *
 * 1. One append is in flight at a time; whatever gathers meanwhile goes with the next. Behind one that carried many,
 *    more is sure to come: the next begins gatherMs after it began. A lone record waits for nothing.
 * 2. INV-SETTLE-TIME: an entry is sent only while its owner may publish it. It is sent again until the log acknowledged it
 *    or the partition is lost: a record appended twice is identical and carries the same id.
 * 3. INV-DURABLE-OUTCOME: `done` is called once: true when durable, false when it was dropped because the partition is
 *    lost.
 */
import type { Observer } from "../../observer.ts";
import { backoffMs } from "../../policy/backoff.ts";
import type { Clock, EventLog, NewRecord, Random } from "../../ports.ts";

export interface Entry {
  readonly record: NewRecord;
  readonly mayPublish: () => "yes" | "wait" | "no";
  /** `offset`: where the record stands; null: it is not durable, or the log does not say. */
  readonly done: (durable: boolean, offset: number | null) => void;
}

export interface Appender {
  append(entry: Entry): void;
  /** Looks again at entries that had to wait. */
  wake(): void;
  /** Entries whose `done` is still to come. */
  pending(): number;
}

const recordsPerAppend = 500;
/** Under load, a hundred appends a second: each costs this process and the broker more than the records in it. */
const gatherMs = 10;
const manyRecords = 8;
/** How soon entries that may not be published yet are looked at again, if nothing wakes it. */
const waitMs = 250;
const retryBackoff = { baseMs: 100, capMs: 5_000 };

export function createAppender(ports: {
  log: EventLog;
  clock: Clock;
  random: Random;
  observe: Observer;
}): Appender {
  const { log, clock, random, observe } = ports;
  let queue: Entry[] = [];
  let sending = 0;
  let running = false;
  let failures = 0;
  /** After an append that failed, or that carried many, nothing is sent before this; new entries do not shorten it. */
  let notBeforeMs = 0;
  let cancelWait: () => void = () => {};

  return {
    append(entry) {
      queue.push(entry);
      start();
    },
    wake: start,
    pending: () => queue.length + sending,
  };

  function start(): void {
    if (running || queue.length === 0 || clock.nowMs() < notBeforeMs) return;
    running = true;
    cancelWait();
    // A turn later, so that all that becomes ready in this turn goes together.
    void Promise.resolve().then(flush);
  }

  async function flush(): Promise<void> {
    while (true) {
      const { send, keep, drop } = sort(queue);
      queue = keep;
      for (const entry of drop) entry.done(false, null); // INV-DURABLE-OUTCOME
      if (send.length === 0) break;
      sending = send.length;
      const startedMs = clock.nowMs();
      const offsets = new Map<number, number>();
      const result = await log.append(
        send.map((entry) => entry.record),
        (index, offset) => void offsets.set(index, offset),
      ); // 1
      sending = 0;
      if (result.ok) {
        failures = 0;
        for (const [index, entry] of send.entries()) entry.done(true, offsets.get(index) ?? null); // INV-DURABLE-OUTCOME
        const gathersMs = startedMs + gatherMs - clock.nowMs();
        if (send.length < manyRecords || queue.length >= recordsPerAppend || gathersMs <= 0) continue;
        notBeforeMs = startedMs + gatherMs;
        return waitThenStart(gathersMs); // 1
      }
      queue = [...send, ...queue]; // 2
      failures++;
      const retryInMs = backoffMs(failures, random, retryBackoff);
      observe({ kind: "log-failed", operation: "append", reason: result.reason, retryInMs });
      notBeforeMs = clock.nowMs() + retryInMs;
      return waitThenStart(retryInMs);
    }
    if (queue.length > 0) return waitThenStart(waitMs);
    running = false;
  }

  function waitThenStart(ms: number): void {
    running = false;
    cancelWait = clock.after(ms, start);
  }

  function sort(entries: readonly Entry[]) {
    const send: Entry[] = [];
    const keep: Entry[] = [];
    const drop: Entry[] = [];
    for (const entry of entries) {
      const answer = entry.mayPublish(); // INV-SETTLE-TIME
      if (answer === "no") drop.push(entry);
      else if (answer === "wait" || send.length === recordsPerAppend) keep.push(entry);
      else send.push(entry);
    }
    return { send, keep, drop };
  }
}
