/**
 * The records of calls that are not settled, by partition; the result of a call when a batch is stored, refused or given up.
 *
 * Invariants
 * 1. A call settles once: with ok when all of its records are stored, or with the first failure of one.
 * 2. Once a call has settled, its records are in no queue and no batch. A batch that was sent goes as a whole, and so do
 *    the other calls in it; of one that was not, only the records of that call go.
 */
import type { NewRecord } from "../../../ports.ts";
import { recordBytes } from "../fetch/record-batch.ts";
import type { KafkaFlavor } from "../flavor.ts";
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

const itemsOf = ({ batch, waiting }: PartitionQueue) => [...(batch?.items ?? []), ...waiting];
const callsOf = (items: readonly QueuedRecord[]) => new Set(items.map((item) => item.call));

export const sized = (record: NewRecord, index: number) => ({ record, index, bytes: recordBytes(record) });

export class RecordAccumulator {
  readonly #queues = new Map<string, PartitionQueue>();
  readonly #nameOf: (topic: NewRecord["topic"]) => string;
  readonly #onGivenUp: (queue: PartitionQueue) => void;
  readonly #flavor: KafkaFlavor;
  #waitingBytes = 0;

  /** @param onGivenUp a batch was given up that may be stored: what sequence its partition is at is not known any more. */
  constructor(
    nameOf: (topic: NewRecord["topic"]) => string,
    onGivenUp: (queue: PartitionQueue) => void,
    flavor: KafkaFlavor = "kafka",
  ) {
    this.#nameOf = nameOf;
    this.#onGivenUp = onGivenUp;
    this.#flavor = flavor;
  }

  queues(): PartitionQueue[] {
    return [...this.#queues.values()];
  }

  /** Of all records that wait or are on their way. */
  waitingBytes(): number {
    return this.#waitingBytes;
  }

  add(call: AppendCall, items: readonly Omit<QueuedRecord, "call">[]): void {
    for (const item of items) {
      this.#waitingBytes += item.bytes;
      this.#queueOf(item.record).waiting.push({ call, ...item });
    }
  }

  fail(call: AppendCall, reason: string): void {
    this.#fail(new Set([call]), reason);
  }

  /** Its fate is not known, and stays so. */
  failBatch(batch: Batch, reason: string): void {
    batch.mayBeStored = true;
    this.#fail(callsOf(batch.items), reason);
  }

  failQueue(queue: PartitionQueue, reason: string): void {
    this.#fail(callsOf(itemsOf(queue)), reason);
  }

  failAll(reason: string): void {
    this.#fail(callsOf(this.queues().flatMap(itemsOf)), reason);
  }

  /** @param baseOffset of the first record; -1: not known. */
  stored(queue: PartitionQueue, { items }: Batch, baseOffset: number): void {
    queue.batch = null;
    queue.sequence = (queue.sequence + items.length) % 0x8000_0000;
    queue.batchBytesMax = Math.min(batchBytesMax, queue.batchBytesMax * 2);
    this.#release(items);
    for (const [at, item] of items.entries()) {
      if (baseOffset >= 0) item.call.onStored(item.index, baseOffset + at);
      item.call.pending -= 1;
      if (item.call.pending === 0) item.call.settle({ ok: true });
    }
  }

  /** Nothing of the batch was stored. Too large a batch is split; a record that is too large alone fails its call. */
  refused(queue: PartitionQueue, { items }: Batch, errorCode: number): void {
    queue.batch = null;
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    if (isTooLarge(errorCode) && items.length > 1) {
      queue.waiting.unshift(...items);
      queue.batchBytesMax = bytes / 2;
      return;
    }
    this.#release(items);
    const { topic, partition } = queue;
    this.#fail(callsOf(items), refusalOf(this.#flavor, errorCode, { topic, partition, bytes }));
  }

  /** Certainly not stored, since the broker knows nothing of the producer: its records go into a batch of the next producer id. */
  again(queue: PartitionQueue, { items }: Batch): void {
    queue.batch = null;
    queue.waiting.unshift(...items);
  }

  #queueOf(record: NewRecord): PartitionQueue {
    const key = `${record.topic}/${record.partition}`;
    const known = this.#queues.get(key);
    if (known) return known;
    const queue = createPartitionQueue(this.#nameOf(record.topic), record.partition);
    this.#queues.set(key, queue);
    return queue;
  }

  #release(items: readonly QueuedRecord[]): void {
    for (const { bytes } of items) this.#waitingBytes -= bytes;
  }

  #fail(calls: ReadonlySet<AppendCall>, reason: string): void {
    for (const call of calls) call.settle({ ok: false, reason });
    for (const call of calls) {
      for (const queue of this.#queues.values()) {
        const given = this.#remove(queue, call);
        if (given === null) continue;
        this.#onGivenUp(queue);
        const others = [...callsOf(given.items)].filter((other) => !calls.has(other));
        this.#fail(new Set(others), reasonOfOthers(queue, reason));
      }
    }
  }

  /** Takes a call's records out of a queue. Returns the batch that had to go with them. 2 */
  #remove(queue: PartitionQueue, call: AppendCall): Batch | null {
    let given: Batch | null = null;
    const isOfCall = (item: QueuedRecord) => item.call === call;
    const { batch } = queue;
    if (batch?.items.some(isOfCall)) {
      if (isUnsent(queue)) queue.waiting.unshift(...batch.items);
      else {
        given = batch;
        this.#release(batch.items);
      }
      queue.batch = null;
    }
    this.#release(queue.waiting.filter(isOfCall));
    queue.waiting = queue.waiting.filter((item) => !isOfCall(item));
    return given;
  }
}

function reasonOfOthers({ topic, partition }: PartitionQueue, reason: string): string {
  return `${topic}/${partition}: its batch held records of an append that failed: ${reason}`;
}
