/**
 * Appends records with an idempotent producer.
 *
 * Invariants
 * 1. A partition has one batch in flight at most, a leader one request. Order within a partition is the order of calls.
 * 2. A batch whose fate is unknown is sent again byte for byte, under the same producer id and sequence, or never.
 * 3. Once a call has settled, none of its records is sent any more: those waiting are dropped, and a request in flight
 *    that holds one is reset with its connection.
 * 4. A sequence is used again only for a batch that certainly was not stored. Where that is not known, the partition continues
 *    under a new producer id; batches of other partitions that are under way keep theirs.
 * 5. Nothing is appended to a topic that was deleted and made again since the log was opened.
 */
import type { AppendResult, Clock, NewRecord, OnStored } from "../../../ports.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorCodes, errorName, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { isRecreated } from "../fetch/gaps.ts";
import type { KafkaFlavor } from "../flavor.ts";
import { type BatchResult, batchResult, mayHaveStored, tooLargeFor } from "./batch-result.ts";
import {
  type AppendCall,
  type Batch,
  hasRecords,
  nextBatch,
  type PartitionQueue,
} from "./partition-queue.ts";
import { type ProduceAnswer, produceRequest, takesTopicIds } from "./produce-request.ts";
import { createProducerConnection, type ProducerConnection } from "./producer-connection.ts";
import { RecordAccumulator, sized } from "./record-accumulator.ts";
import { fillRequest, requestBytesMax } from "./request-room.ts";

export interface ProducerSettings {
  readonly publishTimeoutMs: number;
  /** The limit of all unsettled calls together; a call beyond it is refused immediately. */
  readonly waitingBytesMax: number;
  /** Topic name by role. */
  readonly nameOf: (topic: NewRecord["topic"]) => string;
  /** By name, as they were when the log was opened; null: the brokers have none. */
  readonly topicIds: ReadonlyMap<string, string | null>;
  /** Default: Apache Kafka. */
  readonly flavor?: KafkaFlavor;
}

export interface Producer {
  append(records: readonly NewRecord[], onStored?: OnStored): Promise<AppendResult>;
  /** Connects ahead of the first append, which would wait for it otherwise. What fails now is tried again then. */
  prepare(): void;
  close(): void;
}

interface Sent {
  readonly queue: PartitionQueue;
  readonly batch: Batch;
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
  const sender = new ProduceSender(connection, settings, clock);
  let closed = false;
  return {
    append(records, onStored = () => {}) {
      if (records.length === 0) return Promise.resolve({ ok: true });
      if (closed) return Promise.resolve({ ok: false, reason: "the log was closed" });
      const items = records.map(sized);
      const tooLarge = settings.flavor === "event-hubs" && items.find((item) => item.bytes > requestBytesMax);
      if (tooLarge) {
        const { topic, partition } = tooLarge.record;
        const place = { topic: settings.nameOf(topic), partition, bytes: tooLarge.bytes };
        return Promise.resolve({ ok: false, reason: tooLargeFor("event-hubs", place) });
      }
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      const waitingBytes = sender.records.waitingBytes();
      if (waitingBytes > 0 && waitingBytes + bytes > settings.waitingBytesMax) {
        return Promise.resolve({ ok: false, reason: `${waitingBytes} bytes wait to be appended already` });
      }
      return new Promise((resolve) => {
        const cancel = clock.after(settings.publishTimeoutMs, () => {
          const reason = `not acknowledged within ${settings.publishTimeoutMs} ms: ${sender.lastTrouble}`;
          sender.records.fail(call, reason);
        });
        const settle = (result: AppendResult) => {
          cancel();
          resolve(result);
        };
        const call: AppendCall = { pending: items.length, settle, onStored };
        sender.records.add(call, items);
        // Later in this turn: calls made together go into one request.
        queueMicrotask(sender.sendReady);
      });
    },
    prepare() {
      if (!closed) sender.prepare();
    },
    close() {
      closed = true;
      sender.close();
    },
  };
}

/** Sends what waits, to the leader of each partition. */
class ProduceSender {
  readonly records: RecordAccumulator;
  lastTrouble = noAnswer;
  readonly #connection: ProducerConnection;
  readonly #settings: ProducerSettings;
  readonly #clock: Clock;
  readonly #busyLeaders = new Set<number>();
  #connecting = false;
  #requests = 0;

  constructor(connection: ReconnectingConnection, settings: ProducerSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#connection = createProducerConnection(connection, clock);
    const onGivenUp = ({ state }: PartitionQueue) => {
      this.#connection.forgetProducerId(); // 4
      if (state === "sending") this.#connection.reset(); // 3
    };
    this.records = new RecordAccumulator(settings.nameOf, onGivenUp, settings.flavor);
  }

  prepare(): void {
    if (!this.#connecting) void this.#connect();
  }

  close(): void {
    this.records.failAll("the log was closed");
    this.#connection.close();
  }

  readonly sendReady = (): void => {
    if (this.#connecting) return;
    const ready = this.records.queues().filter((queue) => queue.state === "idle" && hasRecords(queue));
    if (ready.length === 0) return;
    const cluster = this.#connection.current();
    if (cluster === null) return void this.#connect();
    const byLeader = Map.groupBy(ready, (queue) => cluster.leaderOf(queue.topic, queue.partition));
    for (const [leader, queues] of byLeader) {
      if (leader === null) this.#backOff(queues, cluster, "the partition has no leader");
      else if (!this.#busyLeaders.has(leader)) void this.#send(cluster, leader, queues);
    }
  };

  async #connect(): Promise<void> {
    this.#connecting = true;
    const connected = await this.#connection.connect();
    if (connected.ok) {
      this.#connecting = false;
      return this.sendReady();
    }
    this.lastTrouble = connected.reason;
    if (connected.refused) this.records.failAll(connected.reason);
    this.#clock.after(retryDelayMs, () => {
      this.#connecting = false;
      this.sendReady();
    });
  }

  #backOff(queues: readonly PartitionQueue[], cluster: ClusterConnection, reason: string): void {
    this.lastTrouble = reason;
    for (const queue of queues) queue.state = "backing-off";
    this.#clock.after(retryDelayMs, async () => {
      if (!cluster.closed) {
        await this.#connection.refresh(cluster).catch(() => this.#connection.drop(cluster));
      }
      for (const queue of queues) queue.state = "idle";
      this.sendReady();
    });
  }

  /** 5. Fails what is for topics that were made again; of the others, those that still have records. */
  #withoutRecreated(cluster: ClusterConnection, queues: readonly PartitionQueue[]): PartitionQueue[] {
    for (const queue of queues) {
      const { topic } = queue;
      if (!isRecreated(cluster, { name: topic, topicId: this.#topicId(topic) })) continue;
      const reason = `${topic} was deleted and made again: nothing is appended to it until this worker is started again`;
      this.records.failQueue(queue, reason);
    }
    return queues.filter(hasRecords);
  }

  #topicId(topic: string): string | null {
    return this.#settings.topicIds.get(topic) ?? null;
  }

  async #send(cluster: ClusterConnection, leader: number, queues: readonly PartitionQueue[]): Promise<void> {
    this.#busyLeaders.add(leader);
    for (const queue of queues) queue.state = "preparing";
    let sent: readonly Sent[] = [];
    let answers: readonly ProduceAnswer[] = [];
    let failure: string | null = null;
    try {
      const broker = await cluster.broker(leader);
      await this.#refreshOld(cluster, broker);
      sent = this.#nextBatches(this.#withoutRecreated(cluster, queues));
      if (sent.length > 0) answers = await this.#request(broker, sent);
    } catch (error) {
      failure = reasonOf(error);
      this.#connection.drop(cluster);
    }
    this.#busyLeaders.delete(leader);
    for (const queue of queues) queue.state = "idle";
    const again = failure !== null && sent.length === 0 ? queues : this.#settle(sent, answers);
    if (again.length > 0) this.#backOff(again, cluster, failure ?? this.lastTrouble);
    this.sendReady();
  }

  async #refreshOld(cluster: ClusterConnection, broker: Broker): Promise<void> {
    if (takesTopicIds(broker.versions) || this.#connection.metadataAgeMs() <= metadataAgeMs) return;
    await this.#connection.refresh(cluster);
  }

  /** As many as one request holds. A queue without one waits for the next producer id, where that was given up meanwhile. */
  #nextBatches(queues: readonly PartitionQueue[]): Sent[] {
    const producerId = this.#connection.producerId();
    const timestampMs = this.#clock.wallMs();
    this.#requests += 1;
    const filled = fillRequest(queues, this.#requests, (queue, bytesMax) => {
      if (producerId) queue.batch ??= nextBatch(queue, { producerId, timestampMs, bytesMax });
      return queue.batch !== null;
    });
    return filled.map((queue) => {
      queue.state = "sending";
      return { queue, batch: queue.batch! };
    });
  }

  #request(broker: Broker, sent: readonly Sent[]): Promise<readonly ProduceAnswer[]> {
    const parts = sent.map(({ queue: { topic, partition }, batch }) => ({
      ...{ topic, topicId: this.#topicId(topic), partition },
      batch: batch.encoded,
    }));
    return broker.send(produceRequest(broker.versions, parts, this.#settings.publishTimeoutMs));
  }

  /** Returns those whose batch is to be sent again. */
  #settle(sent: readonly Sent[], answers: readonly ProduceAnswer[]): PartitionQueue[] {
    const again: PartitionQueue[] = [];
    const answered = sent.map((one) => ({ ...one, answer: answerTo(one, answers) }));
    const isStored = ({ answer }: (typeof answered)[number]) => answer?.errorCode === errorCodes.none;
    // Stored batches first: they are reported even if another batch of the same call is refused.
    for (const { queue, batch, answer } of [
      ...answered.filter(isStored),
      ...answered.filter((one) => !isStored(one)),
    ]) {
      // Another batch, or none: this one's calls have settled meanwhile.
      if (queue.batch !== batch) continue;
      if (!answer) batch.mayBeStored = true;
      if (!answer || isAgain(this.#handleAnswer(queue, batch, answer))) again.push(queue);
    }
    return again;
  }

  #handleAnswer(queue: PartitionQueue, batch: Batch, { errorCode, baseOffset }: ProduceAnswer) {
    const trouble = `${errorName(errorCode)} for ${queue.topic}/${queue.partition}`;
    const result = batchResult(errorCode, batch.mayBeStored);
    switch (result) {
      case "stored":
        this.lastTrouble = noAnswer;
        this.records.stored(queue, batch, baseOffset);
        break;
      case "retry":
        batch.mayBeStored ||= mayHaveStored(errorCode);
        this.lastTrouble = trouble;
        break;
      case "afresh":
        this.lastTrouble = trouble;
        this.#connection.forgetProducerId();
        this.records.again(queue, batch);
        break;
      case "refused":
        this.records.refused(queue, batch, errorCode);
        break;
      case "unknown":
        this.records.failBatch(batch, trouble);
        break;
    }
    return result;
  }
}

function answerTo({ queue }: Sent, answers: readonly ProduceAnswer[]): ProduceAnswer | undefined {
  return answers.find(({ topic, partition }) => topic === queue.topic && partition === queue.partition);
}

function isAgain(result: BatchResult): boolean {
  return result === "retry" || result === "afresh";
}
