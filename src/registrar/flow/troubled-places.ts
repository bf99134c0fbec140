/**
 * Partitions of topics at which an append failed, with all that waits for them: they are tried again apart from the others, and from one
 * another.
 *
 * 1. INV-ISOLATION: a record that the log refuses, or a partition that takes none for now, delays nothing that is for another one.
 * 2. A partition stays here until all that waits for it is stored, so what is for it keeps its order.
 * 3. After a failure, what failed first goes behind the others: it may be refused permanently. INV-ORDER: of what is moved to an input topic,
 *    all that shares its key goes along, and a tenant's records do.
 */
import type { Observer } from "../../observer.ts";
import { backoffMs } from "../../policy/backoff.ts";
import type { Clock, NewRecord, Random } from "../../ports.ts";

/** What is to be appended, and the callback. */
export interface Entry {
  readonly record: NewRecord;
  readonly mayPublish: () => "yes" | "wait" | "no";
  /** `offset`: where the record stands; null: it is not durable, or the log does not say. */
  readonly done: (durable: boolean, offset: number | null) => void;
}

export interface TroubledPlaces {
  /** True: its partition is one of these, and it waits here now. */
  take(entry: Entry): boolean;
  /** What an append has left over; `reason`: why. */
  add(left: readonly Entry[], reason: string): void;
  wake(): void;
  waiting(): number;
}

export interface Sorted {
  readonly send: readonly Entry[];
  /** Not yet, or for the next append. */
  readonly keep: readonly Entry[];
  /** Never: their partition is lost. */
  readonly gone: readonly Entry[];
}

export interface TroubledPlacesParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  /** Which of these may be published now. */
  readonly sort: (entries: readonly Entry[]) => Sorted;
  /** Says of those that never may be that they are dropped. */
  readonly drop: (sorted: Sorted) => void;
  /** What is not stored is left over; `reason` null: nothing is. */
  readonly send: (entries: readonly Entry[]) => Promise<Leftover>;
}

export interface Leftover {
  readonly left: readonly Entry[];
  readonly reason: string | null;
}

const retryBackoff = { baseMs: 100, capMs: 5_000 };
/** How soon those that may not be published yet are looked at again, if nothing wakes it. */
const waitMs = 250;

export function createTroubledPlaces({
  clock,
  random,
  observe,
  sort,
  drop,
  send,
}: TroubledPlacesParts): TroubledPlaces {
  /** By place, in the order in which they are tried. */
  const places = new Map<string, Entry[]>();
  let isTrying = false;
  let failures = 0;
  /** After a failure nothing is tried before this. */
  let notBeforeMs = 0;
  let cancelWait: () => void = () => {};
  return {
    take(entry) {
      const waiting = places.get(placeOf(entry.record));
      waiting?.push(entry);
      return waiting !== undefined; // 2
    },
    add(left, reason) {
      for (const entry of left) {
        const place = placeOf(entry.record);
        places.set(place, [...(places.get(place) ?? []), entry]);
      }
      backOff(reason);
    },
    wake: start,
    waiting: () => [...places.values()].reduce((sum, { length }) => sum + length, 0),
  };

  function start(): void {
    if (isTrying || places.size === 0 || clock.nowMs() < notBeforeMs) return;
    cancelWait();
    isTrying = true;
    void tryAll();
  }

  async function tryAll(): Promise<void> {
    for (let next = takeNext(); next !== null; next = takeNext()) {
      const { left, reason } = await send(next.send);
      const all = [...left, ...places.get(next.place)!];
      places.delete(next.place);
      if (all.length > 0) places.set(next.place, reason === null ? all : rotated(all)); // 1
      if (reason === null) failures = 0;
      else {
        isTrying = false;
        return backOff(reason);
      }
    }
    isTrying = false;
    if (places.size > 0) wait(waitMs);
  }

  /** The first place of which anything may be published now, and that; the place stays. Null: there is none. */
  function takeNext(): { place: string; send: readonly Entry[] } | null {
    for (const [place, waiting] of [...places]) {
      const sorted = sort(waiting);
      const kept = [...sorted.keep];
      places.set(place, kept); // 2
      drop(sorted);
      if (sorted.send.length > 0) return { place, send: sorted.send };
      if (kept.length === 0) places.delete(place);
    }
    return null;
  }

  function backOff(reason: string): void {
    failures++;
    const retryInMs = backoffMs(failures, random, retryBackoff);
    observe({ kind: "log-failed", operation: "append", reason, retryInMs });
    notBeforeMs = clock.nowMs() + retryInMs;
    wait(retryInMs);
  }

  function wait(ms: number): void {
    cancelWait();
    cancelWait = clock.after(ms, start);
  }
}

export function placeOf({ topic, partition }: NewRecord): string {
  return `${topic}/${partition}`;
}

/** Outcomes have no order among themselves; records that are moved to an input topic do. */
function rotated(entries: readonly Entry[]): Entry[] {
  const first = entries[0]!;
  const { topic } = first.record;
  const isOrdered = topic === "enrolled" || topic === "retry";
  const isBehind = (entry: Entry) => entry === first || (isOrdered && keyOf(entry) === keyOf(first));
  return [...entries.filter((entry) => !isBehind(entry)), ...entries.filter(isBehind)]; // 3, INV-ORDER
}

function keyOf({ record }: Entry): string {
  return Buffer.from(record.key ?? []).toString("latin1");
}
