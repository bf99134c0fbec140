import assert from "node:assert/strict";
import { test } from "node:test";
import { openKafkaLog } from "../../../../src/log/kafka/kafka-log.ts";
import type { EventLog, Session } from "../../../../src/ports.ts";
import { type KafkaHarness, kafkaTest, openHarness, plainKafka, settingsFor } from "../harness.ts";
import { freezableClock, until } from "../waiting.ts";

interface Member {
  readonly sessions: Session[];
  readonly failures: string[];
  leave(): Promise<void>;
}

async function join(log: EventLog): Promise<Member> {
  const sessions: Session[] = [];
  const failures: string[] = [];
  const membership = await log.join(
    (session) => sessions.push(session),
    (reason) => failures.push(reason),
  );
  return { sessions, failures, leave: () => membership.leave() };
}

async function frozenMember(harness: KafkaHarness) {
  const clock = freezableClock();
  const opened = await openKafkaLog(harness.settings, clock);
  assert.ok(opened.ok);
  return { clock, log: opened.log, member: await join(opened.log) };
}

kafkaTest("heartbeats keep a membership for longer than the session time-out", async (t) => {
  const harness = await openHarness(t, { sessionTimeoutMs: 6000 });
  t.after(harness.close);
  const member = await join(harness.log);
  t.after(member.leave);
  await until(() => member.sessions.length === 1);
  const [session] = member.sessions as [Session];
  assert.equal(session.leaseMs, 0.8 * 6000);
  const firstHeldUntilMs = session.heldUntilMs();
  assert.ok(firstHeldUntilMs <= harness.clock.nowMs() + session.leaseMs);
  await until(() => harness.clock.nowMs() > firstHeldUntilMs + 0.2 * 6000 + 500);
  assert.ok(session.heldUntilMs() > harness.clock.nowMs());
  assert.equal(
    await session.commit([{ topic: "retry", partition: 0, offset: 1, metadata: "" }]),
    "committed",
  );
  assert.deepEqual([member.sessions.length, member.failures.length], [1, 0]);
});

kafkaTest(
  "a frozen worker: held no longer once another may hold, and the broker refuses its commit",
  async (t) => {
    const harness = await openHarness(t, { sessionTimeoutMs: 6000 });
    t.after(harness.close);
    const frozen = await frozenMember(harness);
    t.after(() => frozen.log.close());
    t.after(frozen.member.leave);
    await until(() => frozen.member.sessions.length === 1);
    const [old] = frozen.member.sessions as [Session];
    const commit = { topic: "enrolled", partition: 0, offset: 5, metadata: "in time" } as const;
    const sentAtMs = harness.clock.nowMs();
    assert.equal(await old.commit([commit]), "committed");
    frozen.clock.freeze();
    const other = await join(harness.log);
    t.after(other.leave);
    await until(() => other.sessions.length === 1);
    assert.ok(old.heldUntilMs() < harness.clock.nowMs(), "so did its heartbeats");
    assert.ok(
      sentAtMs + old.leaseMs < harness.clock.nowMs(),
      "the first one's lease ran out before the second one's session began",
    );
    assert.ok(!old.ended.aborted, "the first one knows nothing yet");
    assert.equal(await old.commit([{ ...commit, offset: 9, metadata: "too late" }]), "superseded");
    assert.ok(old.ended.aborted);
    const positions = await other.sessions[0]!.positions([0]);
    assert.ok(positions.ok);
    assert.deepEqual(positions.positions[0]!.committed, { offset: 5, metadata: "in time" });
    frozen.clock.thaw();
    await until(() => frozen.member.sessions.length === 2 && !frozen.member.sessions[1]!.ended.aborted);
    assert.deepEqual(frozen.member.failures, []);
  },
);

kafkaTest(
  "a member keeps its partitions through a rebalance, in a new session that starts over",
  async (t) => {
    const harness = await openHarness(t, { partitionCount: 6 });
    t.after(harness.close);
    const first = await join(harness.log);
    t.after(first.leave);
    await until(() => first.sessions.length === 1);
    const record = {
      topic: "enrolled",
      partition: 0,
      key: null,
      value: Buffer.from("v"),
      headers: [],
    } as const;
    for (let partition = 0; partition < 6; partition += 1)
      await harness.log.append([{ ...record, partition }]);
    for (const partition of first.sessions[0]!.partitions)
      first.sessions[0]!.seek("enrolled", partition, 0, -1);
    const second = await join(await harness.another());
    t.after(second.leave);
    await until(() => second.sessions.length > 0 && second.sessions.at(-1)!.partitions.length === 3);
    await until(
      () => first.sessions.at(-1)!.partitions.length === 3 && !first.sessions.at(-1)!.ended.aborted,
    );
    const kept = [...first.sessions.at(-1)!.partitions];
    const taken = [...second.sessions.at(-1)!.partitions];
    assert.deepEqual([...kept, ...taken].sort(), [0, 1, 2, 3, 4, 5]);
    await second.leave();
    await until(() => first.sessions.at(-1)!.partitions.length === 6);
    const third = await join(await harness.another());
    t.after(third.leave);
    await until(() => third.sessions.length > 0 && third.sessions.at(-1)!.partitions.length === 3);
    const session = third.sessions.at(-1)!;
    session.seek("enrolled", session.partitions[0]!, 0, -1);
    const read = await session.read("enrolled", session.partitions[0]!);
    assert.ok(read.kind === "records" && read.records.length === 1);
  },
);

kafkaTest("a group that consumers of another kind use is refused for good, with what to do", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const consumer = plainKafka().consumer({ groupId: harness.settings.groupId });
  t.after(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: harness.name("enrolled") });
  const joined = new Promise((resolve) => consumer.on("consumer.group_join", resolve));
  await consumer.run({ eachMessage: async () => {} });
  await joined;
  const member = await join(harness.log);
  await until(() => member.failures.length === 1);
  assert.match(member.failures[0]!, /KAFKA_GROUP_ID/);
  assert.equal(member.sessions.length, 0);
});

test("leaving before the broker was ever reached ends immediately", { timeout: 30_000 }, async () => {
  const opened = await openKafkaLog(settingsFor({ brokers: ["127.0.0.1:1"] }), freezableClock());
  assert.ok(!opened.ok);
  assert.equal(opened.retryable, true);
  assert.equal(opened.problem.code, "kafka-unreachable");
  assert.match(opened.problem.fix, /KAFKA_BROKERS/);
});
