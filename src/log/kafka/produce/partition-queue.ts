/** What the producer keeps of one partition: records that wait, and the one batch that is on its way. */
import type { AppendResult, NewRecord, OnStored } from "../../../ports.ts";
import { encodeBatch } from "../fetch/record-batch.ts";

/** Below the 1 MiB that brokers take by default. */
export const batchBytesMax = 900_000;

/** Its sequences count from 0 in each partition. */
export interface ProducerId {
  readonly id: number;
  readonly epoch: number;
}

/** One call of `append`. */
export interface AppendCall {
  /** Records that are not acknowledged yet. */
  pending: number;
  /** Counts once: what comes later changes nothing. */
  readonly settle: (result: AppendResult) => void;
  readonly onStored: OnStored;
}

export interface QueuedRecord {
  readonly call: AppendCall;
  /** Its place in the call. */
  readonly index: number;
  readonly record: NewRecord;
  readonly bytes: number;
}

export interface Batch {
  readonly items: readonly QueuedRecord[];
  readonly encoded: Buffer;
  /** A sending of it was not answered, or with an error after which it may be stored. */
  mayBeStored: boolean;
}

export const notLeftOut = Number.MAX_SAFE_INTEGER;

export interface PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  waiting: QueuedRecord[];
  batch: Batch | null;
  /** Under which the batch, or the last one, was made. */
  producerId: ProducerId | null;
  /** Of the batch, or the next one under the same id. */
  sequence: number;
  batchBytesMax: number;
  /** "preparing": picked for a request that is not made yet. "sending": in a request that is not answered. */
  state: "idle" | "preparing" | "sending" | "backing-off";
  /** Number of the request that it was left out of first, since its last one; `notLeftOut`: of none. */
  leftOutOf: number;
}

export function createPartitionQueue(topic: string, partition: number): PartitionQueue {
  return {
    ...{ topic, partition, waiting: [], batch: null, producerId: null, sequence: 0, batchBytesMax },
    state: "idle",
    leftOutOf: notLeftOut,
  };
}

export interface BatchOptions {
  readonly producerId: ProducerId;
  readonly timestampMs: number;
  /** Of its records, if the queue's own limit is not less. */
  readonly bytesMax: number;
}

/** Makes a batch of what waits: as much as one batch holds, at least one record. */
export function nextBatch(
  queue: PartitionQueue,
  { producerId, timestampMs, bytesMax: roomBytes }: BatchOptions,
): Batch {
  if (queue.producerId !== producerId) {
    queue.producerId = producerId;
    queue.sequence = 0;
  }
  const bytesMax = Math.min(queue.batchBytesMax, roomBytes);
  let bytes = 0;
  let count = 0;
  for (const item of queue.waiting) {
    if (count > 0 && bytes + item.bytes > bytesMax) break;
    bytes += item.bytes;
    count += 1;
  }
  const items = queue.waiting.splice(0, count);
  const records = items.map((item) => item.record);
  const encoded = encodeBatch(records, timestampMs, { ...producerId, sequence: queue.sequence });
  return { items, encoded, mayBeStored: false };
}

/** Certainly not stored: its records may go into other batches, under the same sequence. */
export function isUnsent({ state, batch }: PartitionQueue): boolean {
  return state !== "sending" && batch?.mayBeStored === false;
}

export function hasRecords({ batch, waiting }: PartitionQueue): boolean {
  return batch !== null || waiting.length > 0;
}
