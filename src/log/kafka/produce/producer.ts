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
import { type ProduceAnswer, produceRequest, takesTopicIds } from "./produce-request.ts";
import { isTooLarge, mayHaveStored, produceVerdict, refusalOf } from "./produce-verdict.ts";
import {
  type Batch,
  batchBytesMax,
  type Call,
  createLane,
  type Item,
  type Lane,
  nextBatch,
} from "./producer-lane.ts";
import { createProducerLink, type Identity } from "./producer-link.ts";

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
  const lanes = new Map<string, Lane>();
  const busyLeaders = new Set<number>();
  const link = createProducerLink(connection, clock);
  let connecting = false;
  let closed = false;
  let waitingBytes = 0;
  let lastTrouble = noAnswer;

  function laneOf(record: NewRecord): Lane {
    const key = `${record.topic}/${record.partition}`;
    const known = lanes.get(key);
    if (known) return known;
    const lane = createLane(settings.nameOf(record.topic), record.partition);
    lanes.set(key, lane);
    return lane;
  }

  function fail(call: Call, reason: string): void {
    call.settle({ ok: false, reason });
    let unknown = false;
    for (const lane of lanes.values()) {
      lane.waiting = lane.waiting.filter((item) => item.call !== call || forget(item));
      unknown ||= lane.batch?.items.some((item) => item.call === call) ?? false;
    }
    if (unknown) startAfresh(reason);
  }

  function forget(item: Item): false {
    waitingBytes -= item.bytes;
    return false;
  }

  /** Gives up what is in flight: new connections, a new producer id, and every call that a batch belongs to fails. */
  function startAfresh(reason: string): void {
    link.startAfresh();
    const calls = new Set<Call>();
    for (const lane of lanes.values()) {
      for (const item of lane.batch?.items ?? []) {
        forget(item);
        calls.add(item.call);
      }
      lane.batch = null;
      lane.sequence = 0;
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
    const calls = new Set<Call>();
    for (const lane of lanes.values()) {
      for (const item of [...lane.waiting, ...(lane.batch?.items ?? [])]) calls.add(item.call);
    }
    for (const call of calls) fail(call, reason);
  }

  function pump(): void {
    if (connecting) return;
    const ready = [...lanes.values()].filter(
      (lane) => lane.state === "idle" && (lane.batch || lane.waiting.length > 0),
    );
    if (ready.length === 0) return;
    const current = link.current();
    if (current === null) return void connect();
    const { cluster, identity } = current;
    const others = ready.filter((lane) => isRecreated(cluster, placeOf(lane)));
    for (const lane of others) failLane(lane);
    if (others.length > 0) return queueMicrotask(pump);
    const byLeader = Map.groupBy(ready, (lane) => cluster.leaderOf(lane.topic, lane.partition));
    for (const [leader, led] of byLeader) {
      if (leader === null) backOff(led, cluster, "the partition has no leader");
      else if (!busyLeaders.has(leader)) void send(cluster, identity, leader, led);
    }
  }

  function backOff(led: readonly Lane[], cluster: ClusterConnection, reason: string): void {
    lastTrouble = reason;
    for (const lane of led) lane.state = "backing-off";
    clock.after(retryDelayMs, async () => {
      if (!cluster.closed) await link.refresh(cluster).catch(() => link.drop(cluster));
      for (const lane of led) lane.state = "idle";
      pump();
    });
  }

  function placeOf(lane: Lane) {
    return { name: lane.topic, topicId: settings.topicIds.get(lane.topic) ?? null };
  }

  /** 5. */
  function failLane(lane: Lane): void {
    const calls = new Set([...lane.waiting, ...(lane.batch?.items ?? [])].map((item) => item.call));
    const reason = `${lane.topic} was deleted and made again: nothing is appended to it until this worker is started again`;
    for (const call of calls) fail(call, reason);
  }

  async function send(
    cluster: ClusterConnection,
    identity: Identity,
    leader: number,
    led: readonly Lane[],
  ): Promise<void> {
    busyLeaders.add(leader);
    const sent = led.map((lane) => {
      lane.state = "sending";
      lane.batch ??= nextBatch(lane, identity, clock.wallMs());
      return { lane, batch: lane.batch };
    });
    const parts = sent.map(({ lane, batch }) => ({
      topic: lane.topic,
      topicId: placeOf(lane).topicId,
      partition: lane.partition,
      batch: batch.encoded,
    }));
    let failure: string | null = null;
    let answers: ProduceAnswer[] = [];
    try {
      const broker = await cluster.broker(leader);
      if (!takesTopicIds(broker.versions) && link.metadataAgeMs() > metadataAgeMs) {
        await link.refresh(cluster);
        if (led.some((lane) => isRecreated(cluster, placeOf(lane))))
          throw new Error("a topic was made again");
      }
      answers = await broker.connectionPool.send(
        produceRequest(broker.versions, parts, settings.publishTimeoutMs),
      );
    } catch (error) {
      failure = reasonOf(error);
      link.drop(cluster);
    }
    busyLeaders.delete(leader);
    const again: Lane[] = [];
    for (const { lane, batch } of sent) {
      lane.state = "idle";
      // Another batch, or none: this one's calls have settled meanwhile.
      if (lane.batch !== batch) continue;
      const answer = answers.find((a) => a.topic === lane.topic && a.partition === lane.partition);
      if (answer) judge(lane, batch, answer, again);
      else {
        batch.mayBeStored = true;
        again.push(lane);
      }
    }
    if (again.length > 0) backOff(again, cluster, failure ?? lastTrouble);
    pump();
  }

  function judge(lane: Lane, batch: Batch, { errorCode, baseOffset }: ProduceAnswer, again: Lane[]): void {
    const trouble = `${errorName(errorCode)} for ${lane.topic}/${lane.partition}`;
    switch (produceVerdict(errorCode, batch.mayBeStored)) {
      case "stored":
        return stored(lane, batch, baseOffset);
      case "again":
        batch.mayBeStored ||= mayHaveStored(errorCode);
        lastTrouble = trouble;
        again.push(lane);
        return;
      case "refused":
        return refused(lane, batch, errorCode);
      case "afresh":
        return startAfresh(trouble);
    }
  }

  function stored(lane: Lane, { items }: Batch, baseOffset: number): void {
    lane.batch = null;
    lane.sequence = (lane.sequence + items.length) % 0x8000_0000;
    lane.batchBytesMax = Math.min(batchBytesMax, lane.batchBytesMax * 2);
    lastTrouble = noAnswer;
    for (const [at, item] of items.entries()) {
      forget(item);
      if (baseOffset >= 0) item.call.onStored(item.index, baseOffset + at);
      item.call.pending -= 1;
      if (item.call.pending === 0) item.call.settle({ ok: true });
    }
  }

  /** Nothing of the batch was stored. Too large a batch is split; a record that is too large alone fails its call. */
  function refused(lane: Lane, { items }: Batch, errorCode: number): void {
    lane.batch = null;
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    if (isTooLarge(errorCode) && items.length > 1) {
      lane.waiting.unshift(...items);
      lane.batchBytesMax = bytes / 2;
      return;
    }
    for (const item of items) {
      forget(item);
      fail(item.call, refusalOf(errorCode, lane.topic, lane.partition, bytes));
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
        const call: Call = { pending: items.length, settle, onStored };
        waitingBytes += bytes;
        for (const item of items) laneOf(item.record).waiting.push({ call, ...item });
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
