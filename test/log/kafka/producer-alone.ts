/** A producer in virtual time, over brokers that answer as the test says, immediately or on request. */

import { type VirtualTime, virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { Broker } from "../../../src/log/kafka/cluster/broker.ts";
import type { ProtocolRequest } from "../../../src/log/kafka/cluster/protocol.ts";
import { decodeBatches } from "../../../src/log/kafka/fetch/record-batch.ts";
import type { KafkaFlavor } from "../../../src/log/kafka/flavor.ts";
import { createProducer, type Producer } from "../../../src/log/kafka/produce/producer.ts";
import type { AppendResult, NewRecord } from "../../../src/ports.ts";
import { type FakeConnection, fakeConnection } from "./fake-broker.ts";

export const publishTimeoutMs = 5_000;

/** One batch of one partition in a request. */
export interface Part {
  /** `enrolled/0`. */
  readonly topicPartition: string;
  readonly producerId: number;
  readonly sequence: number;
  readonly values: readonly string[];
}

export interface Sending {
  readonly leader: number;
  readonly parts: readonly Part[];
  /** Of the request, but for its head. */
  readonly bytes: number;
  /** With the code for each partition; 0 for those not named, no answer for those with null. */
  answer(codes?: Readonly<Record<string, number | null>>): void;
  lose(): void;
}

/** What a test may change at any time. */
export interface Brokers {
  /** False: every request waits for the test's answer. */
  answersAtOnce: boolean;
  /** At once: a code for a batch. */
  judge(part: Part): number;
  leaderOf(topicPartition: string): number | null;
  topicId(topic: string): string | null;
  /** Of Produce. */
  maxVersion: number;
  /** Of the first record of each batch; -1: answers do not say it. */
  baseOffset: number;
  refresh(): Promise<void>;
  /** Before a leader's connection is there. */
  reach(leader: number): Promise<void>;
  /** Before a producer id is given. */
  identify(): Promise<void>;
}

export interface ProducerAlone {
  readonly time: VirtualTime;
  readonly producer: Producer;
  readonly connection: FakeConnection & { readonly isClosed: boolean };
  readonly brokers: Brokers;
  readonly sendings: readonly Sending[];
  /** Timers that wait. */
  timers(): number;
  /** A call for these values, as `value` or `topic/partition:value`; the result once it is there. */
  append(...values: string[]): {
    readonly result: AppendResult | null;
    readonly stored: readonly (readonly [index: number, offset: number])[];
  };
}

export function producerAlone(
  t: { after(run: () => void): void },
  settings: {
    readonly topicIds?: ReadonlyMap<string, string>;
    readonly waitingBytesMax?: number;
    readonly flavor?: KafkaFlavor;
  } = {},
): ProducerAlone {
  const time = virtualTime();
  const sendings: Sending[] = [];
  const brokers: Brokers = {
    answersAtOnce: true,
    judge: () => 0,
    leaderOf: () => 1,
    topicId: () => null,
    maxVersion: 7,
    baseOffset: -1,
    refresh: async () => {},
    reach: async () => {},
    identify: async () => {},
  };
  const connection = reachable(brokers, sendings);
  let timers = 0;
  const clock = {
    ...time,
    after(delayMs: number, callback: () => void) {
      let isDone = false;
      const done = (): void => {
        if (!isDone) timers -= 1;
        isDone = true;
      };
      timers += 1;
      const cancel = time.after(delayMs, () => {
        done();
        callback();
      });
      return () => {
        done();
        cancel();
      };
    },
  };
  const nameOf = (topic: string): string => topic;
  const { waitingBytesMax = 100_000_000, flavor = "kafka" } = settings;
  const limits = { publishTimeoutMs, waitingBytesMax, flavor };
  const topicIds = settings.topicIds ?? new Map<string, string>();
  const producer = createProducer(connection, { ...limits, nameOf, topicIds }, clock);
  t.after(() => producer.close());
  return {
    ...{ time, producer, connection, brokers, sendings },
    timers: () => timers,
    append(...values) {
      const stored: [index: number, offset: number][] = [];
      const call: { result: AppendResult | null; stored: typeof stored } = { result: null, stored };
      void producer
        .append(values.map(recordOf), (...each) => stored.push(each))
        .then((result) => {
          call.result = result;
        });
      return call;
    },
  };
}

/** Values as they were sent, request by request, batch by batch. */
export function valuesOf(sendings: readonly Sending[]): string[][][] {
  return sendings.map(({ parts }) => parts.map(({ values }) => [...values]));
}

/** Why a call failed. */
export function reasonOf({ result }: { readonly result: AppendResult | null }): string {
  return result?.ok === false ? result.reason : `no failure: ${JSON.stringify(result)}`;
}

function recordOf(text: string): NewRecord {
  const [, topic = "enrolled", partition = "0", value = text] = /^(\w+)\/(\d+):(.*)$/.exec(text) ?? [];
  return {
    ...{ topic: topic as NewRecord["topic"], partition: Number(partition) },
    ...{ key: null, value: Buffer.from(value), headers: [] },
  };
}

/** A connection that reaches one broker for each leader. */
function reachable(brokers: Brokers, sendings: Sending[]): ProducerAlone["connection"] {
  let ids = 0;
  const reached = new Map<number, Broker>();
  const connection = fakeConnection({
    async initProducerId() {
      await brokers.identify();
      return { producerId: String(++ids), producerEpoch: 0 };
    },
  });
  const brokerOf = (leader: number): Broker => ({
    ...({} as Broker),
    get versions() {
      return { 0: { minVersion: 3, maxVersion: brokers.maxVersion } };
    },
    send: sendTo(leader, brokers, sendings) as Broker["send"],
  });
  const { cluster } = connection;
  const whole = Object.assign(connection, {
    isClosed: false,
    close() {
      whole.isClosed = true;
    },
    async cluster() {
      const opened = await cluster.call(connection);
      return Object.assign(opened, {
        broker: async (leader: number) => {
          await brokers.reach(leader);
          if (!reached.has(leader)) reached.set(leader, brokerOf(leader));
          return reached.get(leader)!;
        },
        leaderOf: (topic: string, partition: number) => brokers.leaderOf(`${topic}/${partition}`),
        topicId: (topic: string) => brokers.topicId(topic),
        async refreshMetadata() {
          connection.refreshed += 1;
          await brokers.refresh();
        },
      });
    },
  });
  return whole;
}

function sendTo(leader: number, brokers: Brokers, sendings: Sending[]) {
  return async ({ body }: ProtocolRequest<unknown>): Promise<unknown> => {
    const parts = partsIn(body);
    const answerOf = ({ topicPartition }: Part, errorCode: number) => {
      const [topic, partition] = topicPartition.split("/");
      return { topic, partition: Number(partition), errorCode, baseOffset: brokers.baseOffset };
    };
    return new Promise((resolve, reject) => {
      sendings.push({
        ...{ leader, parts, bytes: body.length },
        answer: (codes = {}) =>
          resolve(
            parts
              .filter(({ topicPartition }) => codes[topicPartition] !== null)
              .map((part) => answerOf(part, codes[part.topicPartition] ?? 0)),
          ),
        lose: () => reject(new Error("reset")),
      });
      if (brokers.answersAtOnce) resolve(parts.map((part) => answerOf(part, brokers.judge(part))));
    });
  };
}

/** The batches of a Produce request of version 7. */
function partsIn(body: Buffer): Part[] {
  const parts: Part[] = [];
  let at = 2 + 2 + 4;
  const int32 = (): number => {
    at += 4;
    return body.readInt32BE(at - 4);
  };
  for (let topics = int32(); topics > 0; topics--) {
    const nameBytes = body.readInt16BE(at);
    const topic = body.toString("utf8", at + 2, at + 2 + nameBytes);
    at += 2 + nameBytes;
    for (let partitions = int32(); partitions > 0; partitions--) {
      const topicPartition = `${topic}/${int32()}`;
      const bytes = int32();
      const batch = body.subarray(at, at + bytes);
      at += bytes;
      parts.push({
        ...{ topicPartition, producerId: Number(batch.readBigInt64BE(43)), sequence: batch.readInt32BE(53) },
        values: decodeBatches(batch, 0, []).records.map(({ value }) => String(value)),
      });
    }
  }
  return parts;
}
