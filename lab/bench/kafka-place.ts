/**
 * Topics of one run on the broker. The broker's own clock stamps every record as it is stored (LogAppendTime), so that
 * times between records need no clock of anyone who is measured.
 */
import { randomBytes } from "node:crypto";
import kafkajs from "kafkajs";
import { topicName, topics } from "../../src/domain/topics.ts";
import type { Topic } from "../../src/ports.ts";
import { withRetry } from "../testkit/kafkajs-retry.ts";
import { type Event, partitionCount } from "./workload.ts";

export interface Stored {
  readonly value: Buffer;
  /** When the broker stored it. */
  readonly atMs: number;
}

export interface KafkaPlace {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly groupId: string;
  name(topic: Topic): string;
  produce(events: Iterable<Event>): Promise<void>;
  /** Records of a topic so far, as next-offsets tell. */
  count(topic: Topic): Promise<number>;
  readAll(topic: Topic): Promise<Stored[]>;
  remove(): Promise<void>;
}

function kafkaClient(brokers: readonly string[]): kafkajs.Kafka {
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: "bench",
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100 },
  });
}

const eventsPerSend = 1_000;
const readTimeoutMs = 120_000;

export async function openKafkaPlace(brokers: readonly string[]): Promise<KafkaPlace> {
  const prefix = `bench-${randomBytes(4).toString("hex")}.`;
  const kafka = kafkaClient(brokers);
  const admin = kafka.admin();
  // kafkajs also calls a custom partitioner for messages that name their partition.
  const producer = kafka.producer({
    maxInFlightRequests: 1,
    createPartitioner: () => (chosen) => chosen.message.partition!,
  });
  await admin.connect();
  await producer.connect();
  const name = (topic: Topic) => topicName(topic, prefix);
  await admin.createTopics({
    waitForLeaders: false,
    topics: topics.map((topic) => ({
      topic: name(topic),
      numPartitions: partitionCount,
      replicationFactor: 1,
      configEntries: topicConfig(topic),
    })),
  });
  const ends = async (topic: Topic) => {
    const offsets = await withRetry(() => admin.fetchTopicOffsets(name(topic)));
    return offsets.map(({ partition, high }) => ({ partition, end: Number(high) }));
  };
  for (const topic of topics) await ends(topic);
  return {
    brokers,
    prefix,
    groupId: `${prefix}group`,
    name,
    async produce(events) {
      let messages: kafkajs.Message[] = [];
      const send = async () => {
        await producer.send({ topic: name("enrolled"), acks: -1, messages });
        messages = [];
      };
      for (const { tenantId, partition, value } of events) {
        const headers = { "content-type": "application/cloudevents+json; charset=UTF-8" };
        messages.push({ key: tenantId, partition, value, headers });
        if (messages.length === eventsPerSend) await send();
      }
      if (messages.length > 0) await send();
    },
    count: async (topic) => (await ends(topic)).reduce((sum, { end }) => sum + end, 0),
    readAll: async (topic) => readTopic(kafka, name(topic), await ends(topic)),
    async remove() {
      await admin.deleteTopics({ topics: topics.map(name) }).catch(() => {});
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

function topicConfig(topic: Topic): { name: string; value: string }[] {
  const entries: Record<string, string> = { "message.timestamp.type": "LogAppendTime" };
  if (topic === "registered") {
    entries["cleanup.policy"] = "compact";
    // Compaction within the run would be the broker's work, not the worker's.
    entries["min.compaction.lag.ms"] = "86400000";
  }
  if (topic === "retry" || topic === "dlq") entries["max.message.bytes"] = String(2 * 1024 * 1024);
  return Object.entries(entries).map(([name, value]) => ({ name, value }));
}

async function readTopic(
  kafka: kafkajs.Kafka,
  topic: string,
  ends: readonly { partition: number; end: number }[],
): Promise<Stored[]> {
  const open = new Map(ends.filter(({ end }) => end > 0).map(({ partition, end }) => [partition, end]));
  const stored: Stored[] = [];
  if (open.size === 0) return stored;
  const groupId = `${topic}-read-${randomBytes(3).toString("hex")}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(() => done.reject(new Error(`${topic} can't be read to its end`)), readTimeoutMs);
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { value, timestamp } of batch.messages)
        if (value !== null) stored.push({ value, atMs: Number(timestamp) });
      if (Number(batch.lastOffset()) >= (open.get(batch.partition) ?? 0) - 1) open.delete(batch.partition);
      if (open.size === 0) done.resolve();
    },
  });
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
  return stored;
}
