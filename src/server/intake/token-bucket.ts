/** How many events each sender may send: a bucket for each name, which fills evenly. Answers, never waits. */
import type { Clock } from "../../ports.ts";

export interface Buckets {
  /** 0: taken. Otherwise nothing was taken: the milliseconds until it can be. */
  take(name: string, events: number): number;
}

interface Bucket {
  level: number;
  atMs: number;
}

/** `perSecond` 0: no limit. `capacity` is at least what one request may bring, so that every request can be served. */
export function createBuckets(
  { perSecond, capacity }: { readonly perSecond: number; readonly capacity: number },
  clock: Pick<Clock, "nowMs">,
): Buckets {
  /** As many as there are tokens: names come from the file of tokens, or from Entra's tenants. */
  const buckets = new Map<string, Bucket>();
  return {
    take(name, events) {
      if (perSecond === 0) return 0;
      const nowMs = clock.nowMs();
      const bucket = buckets.get(name) ?? { level: capacity, atMs: nowMs };
      bucket.level = Math.min(capacity, bucket.level + ((nowMs - bucket.atMs) * perSecond) / 1_000);
      bucket.atMs = nowMs;
      if (buckets.size >= namesMax && !buckets.has(name)) dropFull(nowMs);
      buckets.set(name, bucket);
      if (bucket.level >= events) {
        bucket.level -= events;
        return 0;
      }
      return Math.ceil(((events - bucket.level) * 1_000) / perSecond);
    },
  };

  /** A bucket that is full again says nothing that a new one would not. */
  function dropFull(nowMs: number): void {
    for (const [name, { level, atMs }] of buckets)
      if (level + ((nowMs - atMs) * perSecond) / 1_000 >= capacity) buckets.delete(name);
  }
}

const namesMax = 10_000;
