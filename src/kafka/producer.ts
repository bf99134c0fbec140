/**
 * Appends records with an idempotent producer.
 *
 * Invariants
 * 1. A partition has one batch in flight at most, a leader one request. Order within a partition is the order of calls.
 * 2. A batch whose fate is unknown is sent again byte for byte, under the same producer id and sequence, or never.
 * 3. Once a call has settled, none of its records is sent any more: those waiting are dropped, and a request in flight
 *    that holds one is cut off with its connection.
 */
import type { AppendResult, Clock, NewRecord } from "../ports.ts";
import type { Wire } from "./client.ts";
import { errorCodes, errorName, isPassing, isRefusal, reasonOf } from "./errors.ts";
import type { Line } from "./line.ts";
import { batchBytesMax, type Call, createLane, type Item, type Lane, nextBatch } from "./producer-lane.ts";
import { produceRequest } from "./protocol.ts";
import { recordBytes } from "./record-batch.ts";

export interface ProducerSettings {
  readonly publishTimeoutMs: number;
  /** Topic name by role. */
  readonly nameOf: (topic: NewRecord["topic"]) => string;
}

export interface Producer {
  append(records: readonly NewRecord[]): Promise<AppendResult>;
  /** Connects ahead of the first append, which would wait for it otherwise. What fails now is tried again then. */
  prepare(): void;
  close(): void;
}

const waitingBytesMax = 256 * 1024 * 1024;
const retryDelayMs = 100;
const noAnswer = "the broker did not answer";

export function createProducer(line: Line, settings: ProducerSettings, clock: Clock): Producer {
  const lanes = new Map<string, Lane>();
  const busyLeaders = new Set<number>();
  let identity: { id: number; epoch: number } | null = null;
  let wire: Wire | null = null;
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

  function finish(call: Call, result: AppendResult): void {
    if (call.settled) return;
    call.settled = true;
    call.settle(result);
  }

  function fail(call: Call, reason: string): void {
    if (call.settled) return;
    finish(call, { ok: false, reason });
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
    if (wire) line.drop(wire);
    wire = null;
    identity = null;
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
    let opened: Wire | null = null;
    try {
      opened = await line.wire();
      if (!identity) {
        const node = await opened.controller();
        const answer = await node.initProducerId({ transactionTimeout: 60_000 });
        identity = { id: Number(answer.producerId), epoch: answer.producerEpoch };
        for (const lane of lanes.values()) lane.sequence = 0;
      }
      wire = opened;
      connecting = false;
      pump();
    } catch (error) {
      lastTrouble = reasonOf(error);
      if (opened) line.drop(opened);
      if (isRefusal(error)) failAll(lastTrouble);
      clock.after(retryDelayMs, () => {
        connecting = false;
        pump();
      });
    }
  }

  function failAll(reason: string): void {
    const calls = new Set<Call>();
    for (const lane of lanes.values()) {
      for (const item of [...lane.waiting, ...(lane.batch?.items ?? [])]) calls.add(item.call);
    }
    for (const call of calls) fail(call, reason);
  }

  function pump(): void {
    if (closed || connecting) return;
    const ready = [...lanes.values()].filter(
      (lane) => lane.state === "idle" && (lane.batch || lane.waiting.length > 0),
    );
    if (ready.length === 0) return;
    if (!wire || wire.closed || !identity) {
      wire = null;
      void connect();
      return;
    }
    const byLeader = Map.groupBy(ready, (lane) => wire?.leaderOf(lane.topic, lane.partition) ?? null);
    for (const [leader, led] of byLeader) {
      if (leader === null) backOff(led, wire, "the partition has no leader");
      else if (!busyLeaders.has(leader)) void send(wire, leader, led);
    }
  }

  function backOff(led: readonly Lane[], over: Wire, reason: string): void {
    lastTrouble = reason;
    for (const lane of led) lane.state = "backing-off";
    clock.after(retryDelayMs, async () => {
      if (!over.closed) await over.refresh().catch(() => line.drop(over));
      for (const lane of led) lane.state = "idle";
      pump();
    });
  }

  async function send(over: Wire, leader: number, led: readonly Lane[]): Promise<void> {
    busyLeaders.add(leader);
    for (const lane of led) {
      lane.state = "sending";
      lane.batch ??= nextBatch(lane, identity!, clock.wallMs());
    }
    const sent = led.map((lane) => ({ lane, batch: lane.batch }));
    const parts = led.map((lane) => ({
      topic: lane.topic,
      partition: lane.partition,
      batch: lane.batch!.encoded,
    }));
    let failure: string | null = null;
    let answers: { topic: string; partition: number; errorCode: number }[] = [];
    try {
      const node = await over.node(leader);
      answers = await node.connectionPool.send(
        produceRequest(node.versions, parts, settings.publishTimeoutMs),
      );
    } catch (error) {
      failure = reasonOf(error);
      line.drop(over);
    }
    busyLeaders.delete(leader);
    const again: Lane[] = [];
    for (const { lane, batch } of sent) {
      lane.state = "idle";
      // Another batch, or none: this one's calls have settled meanwhile.
      if (lane.batch !== batch || batch === null) continue;
      const answer = answers.find((a) => a.topic === lane.topic && a.partition === lane.partition);
      if (failure === null && answer) judge(lane, answer.errorCode, again);
      else again.push(lane);
    }
    if (again.length > 0) backOff(again, over, failure ?? lastTrouble);
    pump();
  }

  function judge(lane: Lane, errorCode: number, again: Lane[]): void {
    const { items } = lane.batch!;
    if (errorCode === errorCodes.none || errorCode === errorCodes.duplicateSequence) {
      lane.batch = null;
      lane.sequence = (lane.sequence + items.length) % 0x8000_0000;
      lane.batchBytesMax = Math.min(batchBytesMax, lane.batchBytesMax * 2);
      lastTrouble = noAnswer;
      for (const item of items) {
        forget(item);
        item.call.pending -= 1;
        if (item.call.pending === 0) finish(item.call, { ok: true });
      }
    } else if (isPassing(errorCode)) {
      lastTrouble = `${errorName(errorCode)} for ${lane.topic}/${lane.partition}`;
      again.push(lane);
    } else if (errorCode === errorCodes.outOfOrderSequence || errorCode === errorCodes.unknownProducerId) {
      startAfresh(`${errorName(errorCode)} for ${lane.topic}/${lane.partition}`);
    } else {
      refused(lane, errorCode);
    }
  }

  /** Nothing of the batch was stored. Too large a batch is split; a record that is too large alone fails its call. */
  function refused(lane: Lane, errorCode: number): void {
    const { items } = lane.batch!;
    lane.batch = null;
    const tooLarge = errorCode === errorCodes.messageTooLarge || errorCode === errorCodes.recordListTooLarge;
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    if (tooLarge && items.length > 1) {
      lane.waiting.unshift(...items);
      lane.batchBytesMax = Math.ceil(bytes / 2);
      return;
    }
    const place = `${lane.topic}/${lane.partition}`;
    const reason = tooLarge
      ? `a record of about ${bytes} bytes is larger than ${place} takes; raise max.message.bytes: kafka-configs.sh ` +
        `--alter --entity-type topics --entity-name ${lane.topic} --add-config max.message.bytes=${bytes * 2}`
      : `${errorName(errorCode)} for ${place}`;
    for (const item of items) {
      forget(item);
      fail(item.call, reason);
    }
  }

  return {
    append(records) {
      if (records.length === 0) return Promise.resolve({ ok: true });
      if (closed) return Promise.resolve({ ok: false, reason: "the log was closed" });
      const items = records.map((record) => ({ record, bytes: recordBytes(record) }));
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      if (waitingBytes > 0 && waitingBytes + bytes > waitingBytesMax) {
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
        const call: Call = { pending: items.length, settled: false, settle };
        waitingBytes += bytes;
        for (const item of items) laneOf(item.record).waiting.push({ call, ...item });
        // Later in this turn: calls made together go into one request.
        queueMicrotask(pump);
      });
    },
    prepare() {
      if (!closed && !connecting && !wire) void connect();
    },
    close() {
      closed = true;
      failAll("the log was closed");
      line.close();
    },
  };
}
