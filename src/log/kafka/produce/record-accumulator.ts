/**
 * The records of calls that are not settled, by partition; what becomes of a call when a batch is stored, refused or given up.
 *
 * Invariants
 * 1. A call settles once: with ok when all of its records are stored, or with the first failure of one.
 * 2. Once a call has settled, its records are in no queue and no batch. A batch that was sent goes as a whole, and so do
 *    the other calls in it; of one that was not, only the records of that call go.
 */
import type { NewRecord } from "../../../ports.ts";
import { recordBytes } from "../fetch/record-batch.ts";
import { isTooLarge, refusalOf } from "./batch-result.ts";
import {
  type AppendCall,
  type Batch,
  batchBytesMax,
  createPartitionQueue,
  isUnsent,
  type PartitionQueue,
  type QueuedRecord,
} from "./partition-queue.ts";

export interface RecordAccumulator {
  queues(): PartitionQueue[];
  /** Of all records that wait or are on their way. */
  waitingBytes(): number;
  add(call: AppendCall, items: readonly Omit<QueuedRecord, "call">[]): void;
  fail(call: AppendCall, reason: string): void;
  /** Its fate is not known, and stays so. */
  failBatch(batch: Batch, reason: string): void;
  failQueue(queue: PartitionQueue, reason: string): void;
  failAll(reason: string): void;
  /** @param baseOffset of the first record; -1: not known. */
  stored(queue: PartitionQueue, batch: Batch, baseOffset: number): void;
  /** Nothing of the batch was stored. Too large a batch is split; a record that is too large alone fails its call. */
  refused(queue: PartitionQueue, batch: Batch, errorCode: number): void;
}

const itemsOf = ({ batch, waiting }: PartitionQueue) => [...(batch?.items ?? []), ...waiting];
const callsOf = (items: readonly QueuedRecord[]) => new Set(items.map((item) => item.call));

export const sized = (record: NewRecord, index: number) => ({ record, index, bytes: recordBytes(record) });

/** @param onGivenUp a batch was given up that may be stored: what sequence its partition is at is not known any more. */
export function createRecordAccumulator(
  nameOf: (topic: NewRecord["topic"]) => string,
  onGivenUp: (queue: PartitionQueue) => void,
): RecordAccumulator {
  const queues = new Map<string, PartitionQueue>();
  let waitingBytes = 0;

  function queueOf(record: NewRecord): PartitionQueue {
    const key = `${record.topic}/${record.partition}`;
    const known = queues.get(key);
    if (known) return known;
    const queue = createPartitionQueue(nameOf(record.topic), record.partition);
    queues.set(key, queue);
    return queue;
  }

  function release(items: readonly QueuedRecord[]): void {
    for (const { bytes } of items) waitingBytes -= bytes;
  }

  /** Takes a call's records out of a queue. Returns the batch that had to go with them. */
  function remove(queue: PartitionQueue, call: AppendCall): Batch | null {
    let given: Batch | null = null;
    const isOfCall = (item: QueuedRecord) => item.call === call;
    const { batch } = queue;
    if (batch?.items.some(isOfCall)) {
      if (isUnsent(queue)) queue.waiting.unshift(...batch.items);
      else {
        given = batch;
        release(batch.items);
      }
      queue.batch = null;
    }
    release(queue.waiting.filter(isOfCall));
    queue.waiting = queue.waiting.filter((item) => !isOfCall(item));
    return given;
  }

  function fail(calls: ReadonlySet<AppendCall>, reason: string): void {
    for (const call of calls) call.settle({ ok: false, reason });
    for (const call of calls) {
      for (const queue of queues.values()) {
        const given = remove(queue, call);
        if (given === null) continue;
        onGivenUp(queue);
        const others = [...callsOf(given.items)].filter((other) => !calls.has(other));
        fail(new Set(others), reasonOfOthers(queue, reason));
      }
    }
  }

  function reasonOfOthers({ topic, partition }: PartitionQueue, reason: string): string {
    return `${topic}/${partition}: its batch held records of an append that failed: ${reason}`;
  }

  return {
    queues: () => [...queues.values()],
    waitingBytes: () => waitingBytes,
    add(call, items) {
      for (const item of items) {
        waitingBytes += item.bytes;
        queueOf(item.record).waiting.push({ call, ...item });
      }
    },
    fail: (call, reason) => fail(new Set([call]), reason),
    failBatch(batch, reason) {
      batch.mayBeStored = true;
      fail(callsOf(batch.items), reason);
    },
    failQueue(queue, reason) {
      fail(callsOf(itemsOf(queue)), reason);
    },
    failAll(reason) {
      fail(callsOf([...queues.values()].flatMap(itemsOf)), reason);
    },
    stored(queue, { items }, baseOffset) {
      queue.batch = null;
      queue.sequence = (queue.sequence + items.length) % 0x8000_0000;
      queue.batchBytesMax = Math.min(batchBytesMax, queue.batchBytesMax * 2);
      release(items);
      for (const [at, item] of items.entries()) {
        if (baseOffset >= 0) item.call.onStored(item.index, baseOffset + at);
        item.call.pending -= 1;
        if (item.call.pending === 0) item.call.settle({ ok: true });
      }
    },
    refused(queue, { items }, errorCode) {
      queue.batch = null;
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      if (isTooLarge(errorCode) && items.length > 1) {
        queue.waiting.unshift(...items);
        queue.batchBytesMax = bytes / 2;
        return;
      }
      release(items);
      const { topic, partition } = queue;
      const reason = refusalOf(errorCode, { topic, partition, bytes });
      fail(callsOf(items), reason);
    },
  };
}
