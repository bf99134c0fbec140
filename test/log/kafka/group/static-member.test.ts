/** Members with an instance id (Kafka's static members): what they send, keep and lose. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../../../src/clock.ts";
import type { Broker } from "../../../../src/log/kafka/cluster/broker.ts";
import { ByteWriter } from "../../../../src/log/kafka/cluster/bytes.ts";
import { createHealth } from "../../../../src/log/kafka/cluster/health.ts";
import type { ProtocolRequest } from "../../../../src/log/kafka/cluster/protocol.ts";
import {
  decodeMembers,
  encodeAssignment,
  isOfOtherTopics,
} from "../../../../src/log/kafka/group/assigner.ts";
import { createJoin } from "../../../../src/log/kafka/group/group.ts";
import type { EventLog, Session } from "../../../../src/ports.ts";
import type { Problem } from "../../../../src/problem.ts";
import { fakeConnection } from "../fake-broker.ts";
import { kafkaTest, openHarness } from "../harness.ts";
import { until } from "../waiting.ts";

const inputs = ["enrolled", "retry"];
const commit = { topic: "enrolled", partition: 0, offset: 5, metadata: "of the first" } as const;
const newEnough = Object.fromEntries(
  Array.from({ length: 20 }, (_, key) => [key, { minVersion: 0, maxVersion: 9 }]),
);

interface Member {
  readonly sessions: Session[];
  readonly failures: (Problem | undefined)[];
  leave(): Promise<void>;
}

async function join(log: Pick<EventLog, "join">): Promise<Member> {
  const sessions: Session[] = [];
  const failures: (Problem | undefined)[] = [];
  const membership = await log.join(
    (session) => sessions.push(session),
    (_, problem) => failures.push(problem),
  );
  return { sessions, failures, leave: () => membership.leave() };
}

/** A member over a coordinator that answers each request by its name; what it was sent is kept. */
async function memberOf(answers: (name: string) => ByteWriter, versions: Broker["versions"] = newEnough) {
  const sent: { name: string; version: number; text: string }[] = [];
  const health = createHealth(systemClock, () => {});
  const send = async ({ api, body, read }: ProtocolRequest<unknown>) => {
    sent.push({ name: api.name, version: api.version, text: body.toString("latin1") });
    return read(answers(api.name).bytes);
  };
  const settings = {
    ...{ groupId: "g", instanceId: "registrar-1", bootstrap: "b:9092", sessionTimeoutMs: 1_500 },
    ...{ maxPartitionFetchBytes: 1_000, requestTimeoutMs: 5_000, partitionCount: 2, outageMaxMs: 60_000 },
    ...{ nameOf: (topic: string) => topic, health },
  };
  const connection = fakeConnection({ versions, send });
  const member = await join({ join: createJoin(() => connection, settings, systemClock) });
  const end = async () => {
    await member.leave();
    health.close();
  };
  return { ...member, sent, end };
}

const ok = () => new ByteWriter().int32(0).int16(0);

function answersBut(code: number, of: string, assignment = encodeAssignment(inputs, [0, 1], ["m", "n"])) {
  return (name: string): ByteWriter => {
    if (name === of && name === "OffsetCommit")
      return new ByteWriter().int32(0).int32(1).string("enrolled").int32(1).int32(0).int16(code);
    if (name === of) return new ByteWriter().int32(0).int16(code);
    if (name === "JoinGroup") return ok().int32(3).string("p").string("other").string("m").int32(0);
    if (name === "SyncGroup") return ok().int32(assignment.length).raw(assignment);
    return name === "OffsetCommit" ? new ByteWriter().int32(0).int32(0) : ok();
  };
}

test("each request of a static member carries its instance id; a stop leaves its place", async () => {
  const { sessions, sent, end } = await memberOf(answersBut(0, ""));
  await until(() => sessions.length === 1 && sent.some(({ name }) => name === "Heartbeat"));
  const [session] = sessions as [Session];
  assert.equal(await session.commit([commit]), "committed");
  await end();
  assert.deepEqual(
    [...new Set(sent.map(({ name, version }) => `${name} v${version}`))],
    ["JoinGroup v5", "SyncGroup v3", "Heartbeat v3", "OffsetCommit v7"],
  );
  for (const { name, text } of sent) assert.ok(text.includes("registrar-1"), name);
  assert.deepEqual(session.holder, { memberId: "m", overlapMs: 1_500 });
});

for (const [where, name] of [
  ["a heartbeat", "Heartbeat"],
  ["a commit", "OffsetCommit"],
] as const)
  test(`another process has its place, as the answer to ${where} says: the session ends, and it joins no more`, async () => {
    const { sessions, failures, sent, end } = await memberOf(answersBut(82, name));
    await until(() => sessions.length === 1);
    const [session] = sessions as [Session];
    if (name === "OffsetCommit") {
      assert.equal(await session.commit([commit]), "superseded");
      assert.ok(session.ended.aborted, "before the commit's answer is handed on");
    }
    await until(() => failures.length === 1);
    assert.ok(session.ended.aborted);
    assert.equal(session.heldUntilMs(), Number.NEGATIVE_INFINITY);
    assert.equal(failures[0]?.code, "instance-id-taken");
    assert.match(failures[0]?.fix ?? "", /export KAFKA_GROUP_INSTANCE_ID=/);
    assert.equal(sent.filter((request) => request.name === "JoinGroup").length, 1);
    assert.equal(sent.filter((request) => request.name === "LeaveGroup").length, 0);
    await end();
  });

test("brokers that are too old for instance ids are refused, with what to type", async () => {
  const { failures, sessions, end } = await memberOf(answersBut(0, ""), {
    ...newEnough,
    8: { minVersion: 0, maxVersion: 6 },
  });
  await until(() => failures.length === 1);
  assert.equal(sessions.length, 0);
  assert.match(failures[0]?.message ?? "", /2\.4.*KAFKA_GROUP_INSTANCE_ID=registrar-1/);
  await end();
});

test("only the list that was made for this member tells who came by itself", () => {
  const list = encodeAssignment(inputs, [0], ["m", "n"]);
  assert.deepEqual(decodeMembers("m", list), ["m", "n"]);
  assert.deepEqual(decodeMembers("its successor", list), []);
  assert.deepEqual(decodeMembers("m", encodeAssignment(inputs, [0])), []);
  assert.deepEqual(decodeMembers("m", Buffer.of()), []);
});

test("a place that was assigned for other topics is left, so that the group assigns again", async () => {
  const other = encodeAssignment(["staging.enrolled", "staging.retry"], [0, 1], ["m"]);
  assert.ok(isOfOtherTopics(inputs, other) && !isOfOtherTopics(inputs, encodeAssignment(inputs, [])));
  const own = encodeAssignment(inputs, [0, 1], ["m"]);
  let left = 0;
  const { sessions, end } = await memberOf((name) => {
    if (name === "LeaveGroup") left += 1;
    if (name === "LeaveGroup") return ok().int32(0);
    return answersBut(0, "", left > 0 ? own : other)(name);
  });
  await until(() => sessions.length === 1);
  assert.deepEqual([left, sessions[0]!.partitions], [1, [0, 1]]);
  await end();
});

kafkaTest(
  "a static member that starts again has its partitions back, and the others notice nothing",
  async (t) => {
    const harness = await openHarness(t, { partitionCount: 4, sessionTimeoutMs: 10_000, instanceId: "a" });
    t.after(harness.close);
    const first = await join(harness.log);
    await until(() => first.sessions.length === 1);
    const other = await join(await harness.another({ instanceId: "b" }));
    t.after(other.leave);
    const has = (member: Member, count: number) =>
      member.sessions.at(-1)?.partitions.length === count && !member.sessions.at(-1)?.ended.aborted;
    await until(() => has(first, 2) && has(other, 2));
    const [held, kept] = [first.sessions.at(-1)!, other.sessions.at(-1)!];
    const formerId = held.holder!.memberId;
    assert.ok(kept.joinedBy!(formerId), "it came into this generation by itself");
    await first.leave();
    const again = await join(await harness.another({ instanceId: "a" }));
    t.after(again.leave);
    await until(() => has(again, 2));
    assert.deepEqual(again.sessions[0]!.partitions, held.partitions);
    assert.equal(
      again.sessions[0]!.joinedBy!(formerId),
      false,
      "nothing proves that the former process has ended",
    );
    assert.ok(!kept.ended.aborted);
    assert.equal(other.sessions.at(-1), kept);
    const stored = await kept.commit([{ ...commit, partition: kept.partitions[0]! }]);
    assert.equal(stored, "committed", "the generation is the same");
  },
);

kafkaTest(
  "a process whose place was taken can commit nothing more, though the generation is the same",
  async (t) => {
    const harness = await openHarness(t, { sessionTimeoutMs: 10_000, instanceId: "a" });
    t.after(harness.close);
    const old = await join(harness.log);
    t.after(old.leave);
    await until(() => old.sessions.length === 1);
    assert.equal(await old.sessions[0]!.commit([commit]), "committed");
    const next = await join(await harness.another({ instanceId: "a" }));
    t.after(next.leave);
    await until(() => next.sessions.length === 1);
    assert.equal(await old.sessions[0]!.commit([{ ...commit, offset: 9 }]), "superseded");
    await until(() => old.failures.length === 1);
    assert.equal(old.failures[0]?.code, "instance-id-taken");
    assert.ok(old.sessions[0]!.ended.aborted);
    assert.equal(
      await next.sessions[0]!.commit([{ ...commit, offset: 6, metadata: "of the next" }]),
      "committed",
    );
    const positions = await next.sessions[0]!.positions([0]);
    assert.ok(positions.ok);
    assert.deepEqual(positions.positions[0]!.committed, { offset: 6, metadata: "of the next" });
    assert.deepEqual([next.sessions.length, next.failures.length, old.sessions.length], [1, 0, 1]);
  },
);
