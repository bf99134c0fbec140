/** A changed KAFKA_GROUP_ID and two groups on one set of topics: what is in the way, what is not, on a real broker. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../src/clock.ts";
import { topicName } from "../../../../src/domain/topics.ts";
import { type KafkaSettings, openKafkaLog } from "../../../../src/log/kafka/kafka-log.ts";
import { judgeGroups, type OtherGroup } from "../../../../src/log/kafka/set-up/other-groups.ts";
import { decodeMetadata } from "../../../../src/registrar/ownership/commit-metadata.ts";
import { kafkaTest, openLog, settingsFor, withAdmin } from "../harness.ts";
import { commitPosition } from "../repartition-harness.ts";

const attemptedThroughOf = (metadata: string) => decodeMetadata(metadata)?.attemptedThrough ?? null;

/** Topics on which the group "former" has worked, with this number of records in enrolled/0. */
async function formerGroup(records: number) {
  const settings = settingsFor({ partitionCount: 1 });
  const former = { ...settings, groupId: `${settings.groupId}-former` };
  const log = await openLog(settings);
  const value = Buffer.from("{}");
  for (let left = records; left > 0; left--)
    await log.append([{ topic: "enrolled", partition: 0, key: null, value, headers: [] }]);
  await log.close();
  return { settings, former };
}

async function start(settings: KafkaSettings) {
  const opened = await openKafkaLog({ ...settings, attemptedThroughOf }, systemClock);
  if (opened.ok) await opened.log.close();
  return opened;
}

kafkaTest(
  "a group that left records in doubt is in the way of another name, and not of its own",
  async () => {
    const { settings, former } = await formerGroup(5);
    await commitPosition(former, { topic: "enrolled", partition: 0 }, { settled: 2, attempted: 4 });
    const opened = await start(settings);
    assert.ok(!opened.ok);
    assert.equal(opened.problem.code, "group-changed");
    assert.equal(opened.retryable, false);
    assert.match(opened.problem.message, /has left 2 records that it may have posted .*enrolled\/0 at 2/);
    assert.ok(opened.problem.fix.startsWith(`type: export KAFKA_GROUP_ID=${former.groupId}.`));
    const back = await start(former);
    assert.ok(back.ok);
    assert.deepEqual(back.warnings, []);
    // A command that only reads or appends is not a second worker.
    const reading = await openKafkaLog(settings, systemClock);
    assert.ok(reading.ok);
    await reading.log.close();
  },
);

kafkaTest("a group that settled all it attempted is not in the way: the new name is said", async () => {
  const { settings, former } = await formerGroup(3);
  // A promise reaches ahead of the log.
  await commitPosition(former, { topic: "enrolled", partition: 0 }, { settled: 3, attempted: 1003 });
  const opened = await start(settings);
  assert.ok(opened.ok);
  assert.deepEqual(
    opened.warnings.map(({ code }) => code),
    ["group-new"],
  );
  assert.match(opened.warnings[0]!.fix, new RegExp(`export KAFKA_GROUP_ID=${former.groupId}$`));
  await commitPosition(settings, { topic: "enrolled", partition: 0 }, { settled: 3, attempted: 3 });
  const again = await start(settings);
  assert.ok(again.ok);
  assert.deepEqual(again.warnings, []);
});

kafkaTest("a group with members is in the way, whatever it has settled", async () => {
  const { settings, former } = await formerGroup(0);
  await commitPosition(former, { topic: "enrolled", partition: 0 }, { settled: 0, attempted: 0 });
  const log = await openLog(former);
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const membership = await log.join(
    () => begin(),
    () => {},
  );
  await begun;
  const opened = await start(settings);
  assert.ok(!opened.ok);
  assert.equal(opened.problem.code, "group-changed");
  assert.match(opened.problem.message, /works on these topics with 1 worker, .*a second time/);
  await membership.leave();
  await log.close();
  assert.ok((await start(settings)).ok);
});

kafkaTest("groups of another kind, and workers of other topics, are none of its business", async () => {
  const { settings, former } = await formerGroup(3);
  const { former: elsewhere } = await formerGroup(3);
  await commitPosition(elsewhere, { topic: "enrolled", partition: 0 }, { settled: 1, attempted: 3 });
  await withAdmin((admin) =>
    admin.setOffsets({
      groupId: former.groupId,
      topic: topicName("enrolled", settings.topicPrefix),
      partitions: [{ partition: 0, offset: "1" }],
    }),
  );
  const opened = await start(settings);
  assert.ok(opened.ok);
  assert.deepEqual(opened.warnings, []);
});

kafkaTest("the first group that is in the way is named, though others are not", async () => {
  const at = { topic: "connector.enrolled", partition: 0, offset: 5 };
  const group = (groupId: string, attemptedThrough: number, members = 0): OtherGroup => ({
    groupId,
    members,
    positions: [{ ...at, attemptedThrough }],
  });
  const ends = [{ topic: at.topic, partition: 0, end: 6 }];
  const judged = judgeGroups("new", {
    others: [group("settled", 5), group("doubtful", 9)],
    ends,
    isNew: true,
  });
  assert.match(judged.problem?.message ?? "", /^group doubtful has left 1 record that/);
  assert.equal(judgeGroups("new", { others: [group("settled", 5)], ends, isNew: false }).problem, null);
});
