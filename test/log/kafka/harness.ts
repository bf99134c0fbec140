/** One broker for a test file, and logs on topics of their own. */
import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { after, type TestContext, test } from "node:test";
import { Kafka, logLevel } from "kafkajs";
import { obtainBroker, skipWithout } from "../../../lab/testkit/broker.ts";
import { withRetry } from "../../../lab/testkit/kafkajs-retry.ts";
import { systemClock } from "../../../src/clock.ts";
import { topicName } from "../../../src/domain/topics.ts";
import type { LogEvent } from "../../../src/log/kafka/cluster/health.ts";
import { type KafkaLog, type KafkaSettings, openKafkaLog } from "../../../src/log/kafka/kafka-log.ts";
import type { Topic } from "../../../src/ports.ts";
import type { Features, Harness } from "../../contracts/event-log/harness.ts";
import { usualSettings } from "./opened-log.ts";

export const features: Features = {
  groups: true,
  expires: true,
  headerOrderAcrossNames: true,
  timeoutMs: 60_000,
};

// kafkajs, as these tests use it beside the adapter, sets timers with negative delays; Node warns of each.
const emitWarning = process.emitWarning;
process.emitWarning = ((warning: string, ...rest: unknown[]) => {
  if (rest[0] !== "TimeoutNegativeWarning") Reflect.apply(emitWarning, process, [warning, ...rest]);
}) as typeof process.emitWarning;

const broker = await obtainBroker();
after(() => (broker.ok ? broker.stop() : undefined));

/** Why this file's tests can't run, or false. */
export const skip = skipWithout(broker);
export const brokers: readonly string[] = broker.ok ? broker.brokers : [];

let told = false;

/** A test that needs the broker; where there is none, one skipped test stands for the whole file. */
export function kafkaTest(name: string, run: (t: TestContext) => Promise<void>): void {
  if (!skip) test(name, { timeout: features.timeoutMs }, run);
  else if (!told) test(basename(process.argv[1] ?? "kafka"), { skip }, () => {});
  told = true;
}

export function settingsFor(changes: Partial<KafkaSettings> = {}): KafkaSettings {
  const id = randomUUID().slice(0, 8);
  return {
    ...usualSettings,
    brokers,
    groupId: `group-${id}`,
    topicPrefix: `t${id}.`,
    ...(process.env.KAFKA_TEST_LINES ? { onEvent: (event: LogEvent) => console.error(event) } : {}),
    ...changes,
  };
}

export async function openLog(settings: KafkaSettings): Promise<KafkaLog> {
  const opened = await openKafkaLog(settings, systemClock);
  if (!opened.ok) throw new Error(`${opened.problem.message}; ${opened.problem.fix}`);
  return opened.log;
}

/** kafkajs as any other program would use it, beside the adapter. */
export function plainKafka(at: readonly string[] = brokers): Kafka {
  return new Kafka({ brokers: [...at], clientId: "beside", logLevel: logLevel.NOTHING });
}

export async function withAdmin<T>(
  use: (admin: ReturnType<Kafka["admin"]>) => Promise<T>,
  at: readonly string[] = brokers,
): Promise<T> {
  const admin = plainKafka(at).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export interface KafkaHarness extends Harness {
  readonly log: KafkaLog;
  readonly settings: KafkaSettings;
  another(changes?: Partial<KafkaSettings>): Promise<KafkaLog>;
  name(topic: Topic): string;
}

export async function openHarness(
  _: TestContext,
  changes: Partial<KafkaSettings> = {},
  /** Of the broker itself, where the settings name what stands before it. */
  adminAt: readonly string[] = brokers,
): Promise<KafkaHarness> {
  const settings = settingsFor(changes);
  const logs: KafkaLog[] = [];
  const another = async (others: Partial<KafkaSettings> = {}) => {
    const log = await openLog({ ...settings, ...others });
    logs.push(log);
    return log;
  };
  const name = (topic: Topic) => topicName(topic, settings.topicPrefix);
  return {
    log: await another(),
    settings,
    clock: systemClock,
    another,
    name,
    trim: (topic, partition, beforeOffset) =>
      withAdmin(async (admin) => {
        // Makes kafkajs load the topic's metadata, which deleteTopicRecords relies on.
        await withRetry(() => admin.fetchTopicOffsets(name(topic)));
        const partitions = [{ partition, offset: String(beforeOffset) }];
        await withRetry(() => admin.deleteTopicRecords({ topic: name(topic), partitions }));
      }, adminAt),
    close: async () => {
      for (const log of logs) await log.close();
    },
  };
}
