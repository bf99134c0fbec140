/**
 * Appends records with an idempotent producer.
 *
 * Invariants
 * 1. A partition has one batch in flight at most, a leader one request. Order within a partition is the order of calls.
 * 2. A batch whose fate is unknown is sent again byte for byte, under the same producer id and sequence, or never.
 * 3. Once a call has settled, none of its records is sent any more: those waiting are dropped, and a request in flight
 *    that holds one is reset with its connection.
 * 4. A sequence is used again only for a batch that certainly was not stored. Where that is not known, a new producer id
 *    begins.
 * 5. Nothing is appended to a topic that was deleted and made again since the log was opened.
 */
import type { AppendResult, Clock, NewRecord, OnStored } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorName, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { isRecreated } from "../fetch/gaps.ts";
import { recordBytes } from "../fetch/record-batch.ts";
import { batchResult, isTooLarge, mayHaveStored, refusalOf } from "./batch-result.ts";
import {
  type AppendCall,
  type Batch,
  batchBytesMax,
  createPartitionQueue,
  nextBatch,
  type PartitionQueue,
  type QueuedRecord,
} from "./partition-queue.ts";
import { type ProduceAnswer, produceRequest, takesTopicIds } from "./produce-request.ts";
import { createProducerConnection, type ProducerId } from "./producer-connection.ts";

export interface ProducerSettings {
  readonly publishTimeoutMs: number;
  /** Of all calls together that are not settled: what is beyond is refused at once. */
  readonly waitingBytesMax: number;
  /** Topic name by role. */
  readonly nameOf: (topic: NewRecord["topic"]) => string;
  /** By name, as they were when the log was opened; null: the brokers have none. */
  readonly topicIds: ReadonlyMap<string, string | null>;
}

export interface Producer {
  append(records: readonly NewRecord[], onStored?: OnStored): Promise<AppendResult>;
  /** Connects ahead of the first append, which would wait for it otherwise. What fails now is tried again then. */
  prepare(): void;
  close(): void;
}

const retryDelayMs = 100;
/** Where appends name no topic ids, a topic that was made again is noticed by metadata no older than this. */
const metadataAgeMs = 5_000;
const noAnswer = "the broker did not answer";

export function createProducer(
  connection: ReconnectingConnection,
  settings: ProducerSettings,
  clock: Clock,
): Producer {
  const queues = new Map<string, PartitionQueue>();
  const busyLeaders = new Set<number>();
  const link = createProducerConnection(connection, clock);
  let connecting = false;
  let closed = false;
  let waitingBytes = 0;
  let lastTrouble = noAnswer;

  function queueOf(record: NewRecord): PartitionQueue {
    const key = `${record.topic}/${record.partition}`;
    const known = queues.get(key);
    if (known) return known;
    const queue = createPartitionQueue(settings.nameOf(record.topic), record.partition);
    queues.set(key, queue);
    return queue;
  }

  function fail(call: AppendCall, reason: string): void {
    call.settle({ ok: false, reason });
    let unknown = false;
    for (const queue of queues.values()) {
      queue.waiting = queue.waiting.filter((item) => item.call !== call || forget(item));
      unknown ||= queue.batch?.items.some((item) => item.call === call) ?? false;
    }
    if (unknown) resetProducerId(reason);
  }

  function forget(item: QueuedRecord): false {
    waitingBytes -= item.bytes;
    return false;
  }

  /** Gives up what is in flight: new connections, a new producer id, and every call that a batch belongs to fails. */
  function resetProducerId(reason: string): void {
    link.resetProducerId();
    const calls = new Set<AppendCall>();
    for (const queue of queues.values()) {
      for (const item of queue.batch?.items ?? []) {
        forget(item);
        calls.add(item.call);
      }
      queue.batch = null;
      queue.sequence = 0;
    }
    for (const call of calls) fail(call, reason);
  }

  async function connect(): Promise<void> {
    connecting = true;
    const connected = await link.connect();
    if (connected.ok) {
      connecting = false;
      return pump();
    }
    lastTrouble = connected.reason;
    if (connected.refused) failAll(lastTrouble);
    clock.after(retryDelayMs, () => {
      connecting = false;
      pump();
    });
  }

  function failAll(reason: string): void {
    const calls = new Set<AppendCall>();
    for (const queue of queues.values()) {
      for (const item of [...queue.waiting, ...(queue.batch?.items ?? [])]) calls.add(item.call);
    }
    for (const call of calls) fail(call, reason);
  }

  function pump(): void {
    if (connecting) return;
    const ready = [...queues.values()].filter(
      (queue) => queue.state === "idle" && (queue.batch || queue.waiting.length > 0),
    );
    if (ready.length === 0) return;
    const current = link.current();
    if (current === null) return void connect();
    const { cluster, producerId } = current;
    const others = ready.filter((queue) => isRecreated(cluster, placeOf(queue)));
    for (const queue of others) failQueue(queue);
    if (others.length > 0) return queueMicrotask(pump);
    const byLeader = Map.groupBy(ready, (queue) => cluster.leaderOf(queue.topic, queue.partition));
    for (const [leader, queues] of byLeader) {
      if (leader === null) backOff(queues, cluster, "the partition has no leader");
      else if (!busyLeaders.has(leader)) void send(cluster, producerId, leader, queues);
    }
  }

  function backOff(queues: readonly PartitionQueue[], cluster: ClusterConnection, reason: string): void {
    lastTrouble = reason;
    for (const queue of queues) queue.state = "backing-off";
    clock.after(retryDelayMs, async () => {
      if (!cluster.closed) await link.refresh(cluster).catch(() => link.drop(cluster));
      for (const queue of queues) queue.state = "idle";
      pump();
    });
  }

  function placeOf(queue: PartitionQueue) {
    return { name: queue.topic, topicId: settings.topicIds.get(queue.topic) ?? null };
  }

  /** 5. */
  function failQueue(queue: PartitionQueue): void {
    const calls = new Set([...queue.waiting, ...(queue.batch?.items ?? [])].map((item) => item.call));
    const reason = `${queue.topic} was deleted and made again: nothing is appended to it until this worker is started again`;
    for (const call of calls) fail(call, reason);
  }

  async function send(
    cluster: ClusterConnection,
    producerId: ProducerId,
    leader: number,
    queues: readonly PartitionQueue[],
  ): Promise<void> {
    busyLeaders.add(leader);
    const sent = queues.map((queue) => {
      queue.state = "sending";
      queue.batch ??= nextBatch(queue, producerId, clock.wallMs());
      return { queue, batch: queue.batch };
    });
    const parts = sent.map(({ queue, batch }) => ({
      topic: queue.topic,
      topicId: placeOf(queue).topicId,
      partition: queue.partition,
      batch: batch.encoded,
    }));
    let failure: string | null = null;
    let answers: ProduceAnswer[] = [];
    try {
      const broker = await cluster.broker(leader);
      if (!takesTopicIds(broker.versions) && link.metadataAgeMs() > metadataAgeMs) {
        await link.refresh(cluster);
        if (queues.some((queue) => isRecreated(cluster, placeOf(queue))))
          throw new Error("a topic was made again");
      }
      answers = await broker.send(produceRequest(broker.versions, parts, settings.publishTimeoutMs));
    } catch (error) {
      failure = reasonOf(error);
      link.drop(cluster);
    }
    busyLeaders.delete(leader);
    const again: PartitionQueue[] = [];
    for (const { queue, batch } of sent) {
      queue.state = "idle";
      // Another batch, or none: this one's calls have settled meanwhile.
      if (queue.batch !== batch) continue;
      const answer = answers.find((a) => a.topic === queue.topic && a.partition === queue.partition);
      if (answer) handleAnswer(queue, batch, answer, again);
      else {
        batch.mayBeStored = true;
        again.push(queue);
      }
    }
    if (again.length > 0) backOff(again, cluster, failure ?? lastTrouble);
    pump();
  }

  function handleAnswer(
    queue: PartitionQueue,
    batch: Batch,
    { errorCode, baseOffset }: ProduceAnswer,
    again: PartitionQueue[],
  ): void {
    const trouble = `${errorName(errorCode)} for ${queue.topic}/${queue.partition}`;
    switch (batchResult(errorCode, batch.mayBeStored)) {
      case "stored":
        return stored(queue, batch, baseOffset);
      case "retry":
        batch.mayBeStored ||= mayHaveStored(errorCode);
        lastTrouble = trouble;
        again.push(queue);
        return;
      case "refused":
        return refused(queue, batch, errorCode);
      case "unknown":
        return resetProducerId(trouble);
    }
  }

  function stored(queue: PartitionQueue, { items }: Batch, baseOffset: number): void {
    queue.batch = null;
    queue.sequence = (queue.sequence + items.length) % 0x8000_0000;
    queue.batchBytesMax = Math.min(batchBytesMax, queue.batchBytesMax * 2);
    lastTrouble = noAnswer;
    for (const [at, item] of items.entries()) {
      forget(item);
      if (baseOffset >= 0) item.call.onStored(item.index, baseOffset + at);
      item.call.pending -= 1;
      if (item.call.pending === 0) item.call.settle({ ok: true });
    }
  }

  /** Nothing of the batch was stored. Too large a batch is split; a record that is too large alone fails its call. */
  function refused(queue: PartitionQueue, { items }: Batch, errorCode: number): void {
    queue.batch = null;
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    if (isTooLarge(errorCode) && items.length > 1) {
      queue.waiting.unshift(...items);
      queue.batchBytesMax = bytes / 2;
      return;
    }
    for (const item of items) {
      forget(item);
      fail(item.call, refusalOf(errorCode, queue.topic, queue.partition, bytes));
    }
  }

  return {
    append(records, onStored = () => {}) {
      if (records.length === 0) return Promise.resolve({ ok: true });
      if (closed) return Promise.resolve({ ok: false, reason: "the log was closed" });
      const items = records.map((record, index) => ({ record, index, bytes: recordBytes(record) }));
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      if (waitingBytes > 0 && waitingBytes + bytes > settings.waitingBytesMax) {
        return Promise.resolve({ ok: false, reason: `${waitingBytes} bytes wait to be appended already` });
      }
      return new Promise((resolve) => {
        const cancel = clock.after(settings.publishTimeoutMs, () => {
          fail(call, `not acknowledged within ${settings.publishTimeoutMs} ms: ${lastTrouble}`);
        });
        const settle = (result: AppendResult) => {
          cancel();
          resolve(result);
        };
        const call: AppendCall = { pending: items.length, settle, onStored };
        waitingBytes += bytes;
        for (const item of items) queueOf(item.record).waiting.push({ call, ...item });
        // Later in this turn: calls made together go into one request.
        queueMicrotask(pump);
      });
    },
    prepare() {
      if (!closed && !connecting && link.current() === null) void connect();
    },
    close() {
      closed = true;
      failAll("the log was closed");
      link.close();
    },
  };
}
