/**
 * Many requests, few appends: what comes while an append is under way goes into the next one together, and nothing waits
 * for company.
 *
 * 1. A request's records stay together and in their order.
 * 2. What waits is bounded in events and in bytes; beyond, a request is refused before anything of it is stored.
 * 3. Answers are given only after the log has confirmed.
 */
import type { AppendResult, EventLog, NewRecord } from "../../ports.ts";

export interface Stored {
  /** By place in the request; null where the log does not say. */
  readonly offsets: readonly (number | null)[];
}

export type Appended =
  | ({ readonly ok: true } & Stored)
  | { readonly ok: false; readonly full: boolean; readonly reason: string };

export interface AppendLimits {
  readonly events: number;
  readonly bytes: number;
  /** In one append. */
  readonly appendEvents: number;
}

export interface AppendQueue {
  append(records: readonly NewRecord[]): Promise<Appended>;
  /** Events that are not confirmed. */
  pending(): number;
  /** Once all that was taken in has been answered. */
  drained(): Promise<void>;
}

interface Request {
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  readonly settle: (result: Appended) => void;
}

export function createAppendQueue(log: Pick<EventLog, "append">, limits: AppendLimits): AppendQueue {
  let waiting: Request[] = [];
  let events = 0;
  let bytes = 0;
  let isBusy = false;
  const drains: (() => void)[] = [];

  async function run(): Promise<void> {
    isBusy = true;
    // What this turn of the event loop brings goes together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const group = take();
      await appendGroup(group);
      for (const request of group) {
        events -= request.records.length;
        bytes -= request.bytes;
      }
    }
    isBusy = false;
    for (const resolve of drains.splice(0)) resolve();
  }

  function take(): Request[] {
    let count = 0;
    let size = 0;
    while (
      count < waiting.length &&
      (count === 0 || size + waiting[count]!.records.length <= limits.appendEvents)
    )
      size += waiting[count++]!.records.length;
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return group;
  }

  async function appendGroup(group: readonly Request[]): Promise<void> {
    const records = group.flatMap((request) => request.records);
    const offsets: (number | null)[] = Array.from({ length: records.length }, () => null);
    const result: AppendResult = await log.append(records, (index, offset) => {
      offsets[index] = offset;
    });
    let from = 0;
    for (const { records: own, settle } of group) {
      settle(
        result.ok
          ? { ok: true, offsets: offsets.slice(from, from + own.length) }
          : { ok: false, full: false, reason: result.reason },
      );
      from += own.length;
    }
  }

  return {
    append(records) {
      const size = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      if (events + records.length > limits.events || bytes + size > limits.bytes)
        return Promise.resolve({ ok: false, full: true, reason: `${events} events wait for the log` });
      events += records.length;
      bytes += size;
      return new Promise((settle) => {
        waiting.push({ records, bytes: size, settle });
        if (!isBusy) void run();
      });
    },
    pending: () => events,
    drained: () => (isBusy ? new Promise((resolve) => drains.push(resolve)) : Promise.resolve()),
  };
}
