/** What the producer keeps of one partition: records that wait, and the one batch that is on its way. */
import type { AppendResult, NewRecord, OnStored } from "../../../ports.ts";
import { encodeBatch } from "../fetch/record-batch.ts";

/** Below the 1 MiB that brokers take by default. */
export const batchBytesMax = 900_000;

/** One call of `append`. */
export interface Call {
  /** Records that are not acknowledged yet. */
  pending: number;
  /** Counts once: what comes later changes nothing. */
  readonly settle: (result: AppendResult) => void;
  readonly onStored: OnStored;
}

export interface Item {
  readonly call: Call;
  /** Its place in the call. */
  readonly index: number;
  readonly record: NewRecord;
  readonly bytes: number;
}

export interface Batch {
  readonly items: readonly Item[];
  readonly encoded: Buffer;
  /** A sending of it was not answered, or with an error after which it may be stored. */
  mayBeStored: boolean;
}

export interface Lane {
  readonly topic: string;
  readonly partition: number;
  waiting: Item[];
  batch: Batch | null;
  sequence: number;
  batchBytesMax: number;
  state: "idle" | "sending" | "backing-off";
}

export function createLane(topic: string, partition: number): Lane {
  return { topic, partition, waiting: [], batch: null, sequence: 0, batchBytesMax, state: "idle" };
}

/** Takes what waits, as much as one batch holds, at least one record. */
export function nextBatch(lane: Lane, producer: { id: number; epoch: number }, timestampMs: number): Batch {
  let bytes = 0;
  let count = 0;
  for (const item of lane.waiting) {
    if (count > 0 && bytes + item.bytes > lane.batchBytesMax) break;
    bytes += item.bytes;
    count += 1;
  }
  const items = lane.waiting.splice(0, count);
  const records = items.map((item) => item.record);
  const encoded = encodeBatch(records, timestampMs, { ...producer, sequence: lane.sequence });
  return { items, encoded, mayBeStored: false };
}
