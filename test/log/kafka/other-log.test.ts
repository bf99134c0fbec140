/** The log is not the one that was read: topics made again, positions that are gone. */
import assert from "node:assert/strict";
import type { LogRecord, ReadResult, Session, Topic } from "../../../src/ports.ts";
import { appendTexts, at, numbered, readRecords, textsOf } from "../../contracts/event-log/harness.ts";
import { type KafkaHarness, kafkaTest, openHarness, withAdmin } from "./harness.ts";
import { eventually, until } from "./waiting.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Deletes the topic and makes it again, and waits until the brokers know the new one. */
function makeAgain(harness: KafkaHarness, topic: Topic): Promise<void> {
  const name = harness.name(topic);
  return withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [name] });
    const topics = [{ topic: name, numPartitions: 2, replicationFactor: 1 }];
    await eventually(() => admin.createTopics({ topics, waitForLeaders: true }).catch(() => null));
  });
}

async function sessionOf(harness: KafkaHarness, t: { after(run: () => Promise<void>): void }) {
  const sessions: Session[] = [];
  const membership = await harness.log.join(
    (session) => sessions.push(session),
    (reason) => assert.fail(reason),
  );
  t.after(() => membership.leave());
  await until(() => sessions.length > 0);
  return sessions[0]!;
}

async function idOf(harness: KafkaHarness, topic: Topic): Promise<string | null> {
  const survey = await harness.log.survey();
  assert.ok(survey.ok, survey.ok ? "" : survey.reason);
  return survey.topics[topic].id;
}

kafkaTest(
  "an input that was deleted and made again is a gap, and nothing of the new one is read",
  async (t) => {
    const harness = await openHarness(t);
    t.after(harness.close);
    await appendTexts(harness.log, at("enrolled", 0), numbered("before ", 20));
    const session = await sessionOf(harness, t);
    session.seek("enrolled", 0, 0, -1);
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 0), 20)), numbered("before ", 20));
    const waiting = session.read("enrolled", 0);
    await makeAgain(harness, "enrolled");
    const other = await harness.another();
    await appendTexts(other, at("enrolled", 0), numbered("after ", 30));
    const gap = await waiting;
    assert.ok(gap.kind === "gap", gap.kind);
    assert.deepEqual([gap.why, gap.expected, gap.logStart], ["recreated", 20, 0]);
    assert.deepEqual(await session.read("enrolled", 0), gap, "it stays until the next seek");
    session.seek("enrolled", 1, 0, -1);
    const unread = await session.read("enrolled", 1);
    assert.ok(unread.kind === "gap" && unread.why === "recreated", "each partition of it");
    assert.ok(!session.ended.aborted);
  },
);

kafkaTest("ids are the topic's own, and others for a topic made again", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const before = await idOf(harness, "registered");
  assert.match(before!, uuid);
  assert.equal(await idOf(harness, "registered"), before);
  await makeAgain(harness, "registered");
  const after = await idOf(harness, "registered");
  assert.match(after!, uuid);
  assert.notEqual(after, before);
});

kafkaTest("nothing is appended to a topic that was deleted and made again, with the reason", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  await appendTexts(harness.log, at("registered", 0), ["before"]);
  await makeAgain(harness, "registered");
  const record = { topic: "registered", partition: 0, key: null, value: Buffer.of(1), headers: [] } as const;
  const result = await harness.log.append([record]);
  assert.ok(!result.ok);
  assert.match(result.reason, /connector\.registered was deleted and made again/);
  await appendTexts(harness.log, at("dlq", 0), ["others go on"]);
  const survey = await harness.log.survey();
  assert.ok(survey.ok);
  assert.deepEqual(survey.topics.registered.bounds[0], { start: 0, end: 0 });
});

kafkaTest("a scan does not continue in a topic that was made again", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  // More than one fetch.
  const filler = "x".repeat(100_000);
  await appendTexts(harness.log, at("registered", 0), numbered(filler, 30));
  let again: Promise<void> | null = null;
  const got: LogRecord[] = [];
  const scan = harness.log.scan(
    "registered",
    0,
    0,
    (records) => {
      got.push(...records);
      again ??= makeAgain(harness, "registered");
    },
    new AbortController().signal,
  );
  const result = await scan;
  await again;
  // The broker may have handed over all of it before the deletion took effect.
  if (result.ok) assert.equal(got.length, 30);
  else assert.match(result.reason, /deleted and made again/);
});

kafkaTest("records that are deleted under a waiting read are a gap", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  await appendTexts(harness.log, at("enrolled", 0), numbered("r", 3));
  const session = await sessionOf(harness, t);
  session.seek("enrolled", 0, 0, -1);
  const [first] = await readRecords(session, at("enrolled", 0), 3);
  // What was read and not settled yet, and some that never were read.
  await appendTexts(harness.log, at("enrolled", 0), numbered("later ", 3));
  await harness.trim!("enrolled", 0, 5);
  session.seek("enrolled", 0, first!.offset + 1, first!.leaderEpoch);
  const gap: ReadResult = { kind: "gap", why: "deleted", expected: 1, logStart: 5, logEnd: 6 };
  assert.deepEqual(await session.read("enrolled", 0), gap);
});

kafkaTest("a position whose last record the log never had is a gap", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  await appendTexts(harness.log, at("enrolled", 0), numbered("r", 4));
  const session = await sessionOf(harness, t);
  session.seek("enrolled", 0, 2, 1000);
  const gap: ReadResult = { kind: "gap", why: "truncated", expected: 2, logStart: 0, logEnd: 4 };
  assert.deepEqual(await session.read("enrolled", 0), gap);
});
