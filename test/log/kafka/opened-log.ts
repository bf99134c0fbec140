/** What tests of the Kafka log set, and a first use of one that was opened; needs no broker of its own. */
import assert from "node:assert/strict";
import type { KafkaLog, KafkaSettings } from "../../../src/log/kafka/kafka-log.ts";

/** Beside the brokers, the group and the topics. */
export const usualSettings = {
  clientId: "test",
  partitionCount: 2,
  replicationFactor: 1,
  createTopics: true,
  sessionTimeoutMs: 10_000,
  maxPartitionFetchBytes: 131_072,
  publishTimeoutMs: 10_000,
} as const satisfies Partial<KafkaSettings>;

export const recordOf = (text: string) =>
  ({ topic: "enrolled", partition: 0, key: null, value: Buffer.from(text), headers: [] }) as const;

/** One record goes in and comes out, the only one there. */
export async function roundTrip(log: KafkaLog, text: string): Promise<void> {
  assert.deepEqual(await log.append([recordOf(text)]), { ok: true });
  const read: string[] = [];
  const { signal } = new AbortController();
  const scanned = await log.scan(
    "enrolled",
    0,
    0,
    (records) => read.push(...records.map((r) => String(r.value))),
    signal,
  );
  assert.ok(scanned.ok, JSON.stringify(scanned));
  assert.deepEqual(read, [text]);
}
