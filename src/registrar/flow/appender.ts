/**
 * Appends outcomes, many in one round trip.
 *
 * 1. One append is in flight at a time, beside those for partitions that took none lately (troubled-places.ts); whatever gathers meanwhile
 *    goes with the next. Behind one that carried many, more is sure to come: the next begins gatherMs after it began. A lone record
 *    waits for nothing.
 * 2. INV-SETTLE-TIME: an entry is sent only while its owner may publish it. It is sent again until the log acknowledged it
 *    or the partition is lost: a record appended twice is identical and carries the same id.
 * 3. INV-DURABLE-OUTCOME: `done` is called once: true when durable, false when it was dropped because the partition is
 *    lost.
 */
import type { Observer } from "../../observer.ts";
import type { Clock, EventLog, Random } from "../../ports.ts";
import { createTroubledPlaces, type Entry, type Leftover, type Sorted } from "./troubled-places.ts";

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

export function createAppender(ports: {
  log: EventLog;
  clock: Clock;
  random: Random;
  observe: Observer;
}): Appender {
  const { log, clock } = ports;
  const troubled = createTroubledPlaces({ ...ports, sort, drop, send });
  let queue: Entry[] = [];
  let sending = 0;
  let running = false;
  /** After an append that carried many, nothing is sent before this; new entries do not shorten it. */
  let notBeforeMs = 0;
  let cancelWait: () => void = () => {};

  return {
    append(entry) {
      if (troubled.take(entry)) return;
      queue.push(entry);
      start();
    },
    wake() {
      start();
      troubled.wake();
    },
    pending: () => queue.length + sending + troubled.waiting(),
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
      const sorted = sort(queue);
      queue = [...sorted.keep];
      drop(sorted);
      const { length } = sorted.send;
      if (length === 0) break;
      const startedMs = clock.nowMs();
      const { left, reason } = await send(sorted.send); // 1
      if (reason !== null) {
        troubled.add(left, reason);
        queue = queue.filter((entry) => !troubled.take(entry));
        continue;
      }
      const gathersMs = startedMs + gatherMs - clock.nowMs();
      if (length < manyRecords || queue.length >= recordsPerAppend || gathersMs <= 0) continue;
      notBeforeMs = startedMs + gatherMs;
      return waitThenStart(gathersMs); // 1
    }
    if (queue.length > 0) return waitThenStart(waitMs);
    running = false;
  }

  function waitThenStart(ms: number): void {
    running = false;
    cancelWait = clock.after(ms, start);
  }

  async function send(entries: readonly Entry[]): Promise<Leftover> {
    const offsets = new Map<number, number>();
    sending += entries.length;
    const result = await log.append(
      entries.map((entry) => entry.record),
      (index, offset) => void offsets.set(index, offset),
    );
    sending -= entries.length;
    const left: Entry[] = [];
    for (const [index, entry] of entries.entries()) {
      if (result.ok || offsets.has(index))
        entry.done(true, offsets.get(index) ?? null); // INV-DURABLE-OUTCOME
      else left.push(entry); // 2
    }
    return { left, reason: result.ok ? null : result.reason };
  }

  function sort(entries: readonly Entry[]): Sorted {
    const gone: Entry[] = [];
    const keep: Entry[] = [];
    const now: Entry[] = [];
    for (const entry of entries) {
      const answer = entry.mayPublish(); // INV-SETTLE-TIME
      if (answer === "no") gone.push(entry);
      else if (answer === "wait" || now.length === recordsPerAppend) keep.push(entry);
      else now.push(entry);
    }
    return { send: now, keep, gone };
  }
}

/** After the kept entries are in their place: the callbacks may append more. */
function drop({ gone }: Sorted): void {
  for (const entry of gone) entry.done(false, null); // INV-DURABLE-OUTCOME
}
