/**
 * Warnings about what the brokers may lose, on a cluster of three that is set up badly: each is given, and what it says to
 * type makes it go away.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Kafka, logLevel } from "kafkajs";
import { startCluster } from "../../../lab/testkit/broker-cluster.ts";
import { systemClock } from "../../../src/clock.ts";
import { topicName } from "../../../src/domain/topics.ts";
import { openKafkaLog } from "../../../src/log/kafka/kafka-log.ts";
import type { Topic } from "../../../src/ports.ts";
import { lookAgain } from "../../support/look-again.ts";
import { settingsFor } from "./harness.ts";

const listener = "TESTS";
const dayMs = 86_400_000;
const topicResource = 2;

const set: Readonly<Record<string, string>> = {
  "max.message.bytes": "2097152",
  "retention.ms": "2592000000",
};
const replicated = { numPartitions: 2, replicationFactor: 3 };
const made: Readonly<
  Record<Topic, { numPartitions: number; replicationFactor: number; own: Readonly<Record<string, string>> }>
> = {
  // What the other topics take must be more, for the headers that are added.
  enrolled: {
    ...replicated,
    own: { "max.message.bytes": "1048588", "min.insync.replicas": "1", "retention.ms": String(dayMs) },
  },
  retry: { ...replicated, own: { "retention.ms": String(dayMs), "retention.bytes": "1000000" } },
  registered: {
    ...replicated,
    own: { "cleanup.policy": "compact", "unclean.leader.election.enable": "true" },
  },
  dlq: { numPartitions: 2, replicationFactor: 1, own: { "min.insync.replicas": "1" } },
};

test("on three brokers each durability warning is given, and the line that it shows ends it", {
  timeout: 240_000,
}, async (t) => {
  const addresses = await clusterFor(t);
  if (addresses === null) return;
  const settings = settingsFor({ brokers: addresses, topicPrefix: `d${randomUUID().slice(0, 8)}.` });
  const { topicPrefix } = settings;
  const admin = new Kafka({
    brokers: [...addresses],
    clientId: "operator",
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  t.after(() => admin.disconnect());
  const own = new Map<string, Map<string, string>>();
  const topics = Object.entries(made).map(([role, { own: changed, ...counts }]) => {
    const topic = topicName(role as Topic, topicPrefix);
    own.set(topic, new Map(Object.entries({ ...set, ...changed })));
    const configEntries = [...own.get(topic)!].map(([name, value]) => ({ name, value }));
    return { topic, ...counts, configEntries };
  });
  await admin.createTopics({ topics, waitForLeaders: true });

  const warnings = async () => {
    const opening = await openKafkaLog({ ...settings, tenantBlockedMaxMs: dayMs }, systemClock);
    assert.ok(opening.ok, opening.ok ? "" : opening.problem.message);
    await opening.log.close();
    return opening.warnings ?? [];
  };
  const given = await warnings();
  assert.deepEqual(given.map(({ code, message }) => `${code} ${message.split(" ")[0]}`).sort(), [
    `topic-in-sync ${topicName("enrolled", topicPrefix)}`,
    `topic-replicas ${topicName("dlq", topicPrefix)}`,
    `topic-retention ${topicName("enrolled", topicPrefix)}`,
    `topic-retention ${topicName("retry", topicPrefix)}`,
    `topic-retention ${topicName("retry", topicPrefix)}`,
    `topic-unclean-election ${topicName("registered", topicPrefix)}`,
  ]);

  for (const { code, fix } of given) {
    if (code === "topic-replicas") continue;
    const [, topic, name, value] = /--entity-name (\S+) --add-config (\S+)=(\S+)$/.exec(fix)!;
    // As kafka-configs.sh does: it changes one, and leaves the others.
    own.get(topic!)!.set(name!, value!);
    const configEntries = [...own.get(topic!)!].map(([key, one]) => ({ name: key, value: one }));
    const resources = [{ type: topicResource, name: topic!, configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
  }
  // What docs/OPERATING.md says under "More replicas": the same brokers for each partition, one more at a time or all together.
  const dlq = topicName("dlq", topicPrefix);
  const partitionAssignment = [0, 1].map((partition) => ({ partition, replicas: [1, 2, 3] }));
  await admin.alterPartitionReassignments({ topics: [{ topic: dlq, partitionAssignment }] });
  let left = await warnings();
  // The new replicas have to catch up, and brokers learn of settings one after the other.
  while (left.some(({ code }) => code !== "topic-in-sync")) {
    await lookAgain();
    left = await warnings();
  }
  // With three replicas its one in sync is too few: said next, with the line that ends it.
  assert.deepEqual(
    left.map(({ message }) => message.split(" ")[0]),
    [dlq],
  );
  assert.match(left[0]!.fix, /--add-config min\.insync\.replicas=2$/);
});

/** Null: there is none, and the test is skipped. */
async function clusterFor(t: TestContext): Promise<readonly string[] | null> {
  const ended = new AbortController();
  const cluster = await startCluster({
    size: 3,
    listeners: [listener],
    front: async (_route, port) => port,
    onLine: () => {},
    signal: ended.signal,
  });
  if (!cluster.ok) {
    t.skip(cluster.reason);
    return null;
  }
  t.after(() => cluster.stop());
  return cluster.addresses(listener);
}
