/** The topics of a real broker: created, refused, or taken with warnings. The checks themselves: topic-checks.test.ts. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../src/clock.ts";
import { topicName } from "../../../../src/domain/topics.ts";
import { type KafkaSettings, openKafkaLog } from "../../../../src/log/kafka/kafka-log.ts";
import type { Topic } from "../../../../src/ports.ts";
import { kafkaTest, openLog, settingsFor, withAdmin } from "../harness.ts";
import { eventually } from "../waiting.ts";

type Made = { role: Topic; partitions?: number; configs?: Record<string, string> };

async function make(settings: KafkaSettings, made: readonly Made[]): Promise<void> {
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
}

async function problemWith(made: readonly Made[], changes: Partial<KafkaSettings> = {}) {
  const settings = settingsFor(changes);
  await make(settings, made);
  const opened = await openKafkaLog(settings, systemClock);
  if (opened.ok) {
    await opened.log.close();
    return null;
  }
  assert.equal(opened.retryable, false);
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

kafkaTest("two workers that create the topics at the same time both open them", async () => {
  const settings = settingsFor();
  const logs = await Promise.all([openLog(settings), openLog(settings)]);
  for (const log of logs) {
    assert.equal(log.partitionCount, 2);
    await log.close();
  }
});

kafkaTest(
  "missing topics that must not be created are named, with the commands that create all of them",
  async () => {
    const problem = await problemWith([{ role: "enrolled" }], { createTopics: false });
    assert.equal(problem?.code, "topics-missing");
    assert.match(
      problem.message,
      /connector\.enrolled\.retry, .*connector\.registered, .*connector\.enrolled\.dlq/,
    );
    assert.match(problem.fix, /export TOPICS_CREATE=true/);
    for (const name of ["connector.enrolled.retry", "connector.registered", "connector.enrolled.dlq"])
      assert.ok(problem.fix.includes(`--create --topic ${problem.prefix}${name} --partitions 2`), name);
  },
);

kafkaTest("new topics follow the partition count of those that are there", async () => {
  assert.equal(await problemWith([{ role: "enrolled", partitions: 5 }], { partitionCount: 2 }), null);
});

for (const lost of ["registered", "retry"] as const) {
  kafkaTest(`${lost} that is gone under a group that worked with it is not created again`, async () => {
    const settings = settingsFor();
    await (await openLog(settings)).close();
    const enrolled = topicName("enrolled", settings.topicPrefix);
    const partitions = [{ partition: 0, offset: "0" }];
    await withAdmin(async (admin) => {
      await admin.setOffsets({ groupId: settings.groupId, topic: enrolled, partitions });
      await admin.deleteTopics({ topics: [topicName(lost, settings.topicPrefix)] });
    });
    const opened = await openKafkaLog(settings, systemClock);
    assert.ok(!opened.ok);
    assert.equal(opened.problem.code, "topic-deleted");
    assert.match(
      opened.problem.fix,
      /^restore it from a backup.*without what it held, type: kafka-topics\.sh/,
    );
    if (lost === "registered") assert.match(opened.problem.message, /would make a second object/);
    // Another group has not worked with it.
    const other = await openLog({ ...settings, groupId: `${settings.groupId}-other` });
    await other.close();
  });
}

kafkaTest("unequal partition counts lead to repartition, and to nothing done by hand", async () => {
  for (const [made, partitions] of [
    [[{ role: "enrolled", partitions: 9 }], 9],
    [[{ role: "enrolled" }, { role: "registered", partitions: 3 }], 3],
    [
      [
        { role: "enrolled", partitions: 3 },
        { role: "retry", partitions: 3 },
        { role: "registered", partitions: 2 },
        { role: "dlq", partitions: 3 },
      ],
      4,
    ],
  ] as const) {
    const settings = settingsFor();
    const given = new Set<Topic>(made.map(({ role }) => role));
    const rest = (["enrolled", "retry", "registered", "dlq"] as const).filter((role) => !given.has(role));
    const configs = { "cleanup.policy": "compact" };
    await make(settings, [
      ...made.map((each) => ({ ...each, ...(each.role === "registered" ? { configs } : {}) })),
      ...rest.map((role) => ({ role, ...(role === "registered" ? { configs } : {}) })),
    ]);
    const opened = await openKafkaLog(settings, systemClock);
    assert.ok(!opened.ok);
    assert.equal(opened.problem.code, "topic-partitions");
    assert.equal(
      opened.problem.fix,
      `stop every worker, then type: connector-registrar repartition --partitions ${partitions}`,
    );
  }
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

kafkaTest("retention that a blocked tenant outlasts is a warning, and what it says ends it", async () => {
  const settings = settingsFor({ tenantBlockedMaxMs: 86_400_000 });
  await make(settings, [{ role: "enrolled", configs: { "retention.ms": "3600000" } }]);
  const opened = await openKafkaLog(settings, systemClock);
  assert.ok(opened.ok);
  await opened.log.close();
  const [warning] = opened.warnings;
  assert.equal(opened.warnings.length, 1);
  assert.equal(warning?.code, "topic-retention");
  const entry = /--entity-name (\S+) --add-config (\S+)=(\d+)$/.exec(warning.fix);
  assert.ok(entry, warning.fix);
  const [, name, config, value] = entry;
  const resource = { type: 2, name: name! };
  await withAdmin(async (admin) => {
    const resources = [{ ...resource, configEntries: [{ name: config!, value: value! }] }];
    await admin.alterConfigs({ validateOnly: false, resources });
    // The controller has it now; brokers hear of it a moment later.
    const asked = { includeSynonyms: false, resources: [{ ...resource, configNames: [config!] }] };
    for (let seen: string | undefined; seen !== value; )
      seen = (await admin.describeConfigs(asked)).resources[0]?.configEntries[0]?.configValue;
  });
  const again = await openKafkaLog(settings, systemClock);
  assert.ok(again.ok);
  await again.log.close();
  assert.deepEqual(again.warnings, []);
});
