import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { topicName } from "../../src/domain/topics.ts";
import { type KafkaSettings, openKafkaLog } from "../../src/kafka/kafka-log.ts";
import type { Topic } from "../../src/ports.ts";
import { kafkaTest, openLog, settingsFor, withAdmin } from "./harness.ts";
import { eventually } from "./waiting.ts";

type Made = { role: Topic; partitions?: number; configs?: Record<string, string> };

async function problemWith(made: readonly Made[], changes: Partial<KafkaSettings> = {}) {
  const settings = settingsFor(changes);
  const topics = made.map(({ role, partitions = 2, configs = {} }) => ({
    topic: topicName(role, settings.topicPrefix),
    numPartitions: partitions,
    configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
  }));
  await withAdmin(async (admin) => {
    await admin.createTopics({ topics, waitForLeaders: false });
    const names = topics.map(({ topic }) => topic);
    await eventually(() => admin.fetchTopicMetadata({ topics: names }).catch(() => null));
  });
  const opened = await openKafkaLog(settings, systemClock);
  if (opened.ok) {
    await opened.log.close();
    return null;
  }
  assert.equal(opened.heals, false);
  return { ...opened.problem, prefix: settings.topicPrefix };
}

kafkaTest(
  "missing topics are created with what the worker relies on, and found so the next time",
  async () => {
    const settings = settingsFor({ partitionCount: 3, replicationFactor: -1 });
    const log = await openLog(settings);
    assert.equal(log.partitionCount, 3);
    await log.close();
    const again = await openLog({ ...settings, partitionCount: 7, createTopics: false });
    assert.equal(again.partitionCount, 3);
    await again.close();
    const { resources } = await withAdmin((admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: (["registered", "dlq"] as const).map((role) => ({
          type: 2,
          name: topicName(role, settings.topicPrefix),
        })),
      }),
    );
    const configOf = (role: Topic, name: string) =>
      resources
        .find((resource) => resource.resourceName === topicName(role, settings.topicPrefix))
        ?.configEntries.find((entry) => entry.configName === name)?.configValue;
    assert.equal(configOf("registered", "cleanup.policy"), "compact");
    assert.equal(configOf("dlq", "retention.ms"), "-1");
    assert.ok(Number(configOf("dlq", "max.message.bytes")) > 1_048_588);
  },
);

kafkaTest("two workers that create the topics at once both open them", async () => {
  const settings = settingsFor();
  const logs = await Promise.all([openLog(settings), openLog(settings)]);
  for (const log of logs) {
    assert.equal(log.partitionCount, 2);
    await log.close();
  }
});

kafkaTest(
  "missing topics that must not be created are named, with the command that creates them",
  async () => {
    const problem = await problemWith([{ role: "enrolled" }], { createTopics: false });
    assert.equal(problem?.code, "topics-missing");
    assert.match(
      problem.message,
      /connector\.enrolled\.retry, .*connector\.registered, .*connector\.enrolled\.dlq/,
    );
    assert.match(problem.fix, /TOPICS_CREATE=true.*kafka-topics\.sh .*--create .*--partitions 2/);
  },
);

kafkaTest("new topics follow the partition count of those that are there", async () => {
  assert.equal(await problemWith([{ role: "enrolled", partitions: 5 }], { partitionCount: 2 }), null);
});

kafkaTest("unequal partition counts are refused, with what to type", async () => {
  const few = await problemWith([{ role: "enrolled", partitions: 4 }, { role: "retry" }]);
  assert.equal(few?.code, "topic-partitions");
  assert.match(few.fix, /kafka-topics\.sh .*--alter --topic .*connector\.enrolled\.retry --partitions 4/);
  const many = await problemWith([{ role: "enrolled" }, { role: "registered", partitions: 3 }]);
  assert.equal(many?.code, "topic-partitions");
  assert.match(many.fix, /delete .*connector\.registered/);
});

for (const { role, policy, wanted } of [
  { role: "registered", policy: "delete", wanted: "compact" },
  { role: "registered", policy: "compact,delete", wanted: "compact" },
  { role: "enrolled", policy: "compact", wanted: "delete" },
  { role: "dlq", policy: "compact", wanted: "delete" },
] as const) {
  kafkaTest(`cleanup.policy=${policy} of ${role} is refused, with what to type`, async () => {
    const problem = await problemWith([{ role, configs: { "cleanup.policy": policy } }]);
    assert.equal(problem?.code, "topic-cleanup-policy");
    assert.ok(
      problem.fix.endsWith(
        `--entity-name ${topicName(role, problem.prefix)} --add-config cleanup.policy=${wanted}`,
      ),
    );
  });
}

kafkaTest("a DLQ that could not take the largest input is refused, with what to type", async () => {
  const problem = await problemWith([{ role: "dlq", configs: { "max.message.bytes": "1048588" } }]);
  assert.equal(problem?.code, "topic-message-bytes");
  assert.match(problem.fix, /connector\.enrolled\.dlq --add-config max\.message\.bytes=\d+$/);
});
