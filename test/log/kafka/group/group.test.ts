/** What a member knows of its own membership, and when: against a broker made of functions, in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../../../lab/testkit/virtual-clock.ts";
import { createHealth } from "../../../../src/log/kafka/cluster/health.ts";
import { encodeAssignment } from "../../../../src/log/kafka/group/assigner.ts";
import { createJoin } from "../../../../src/log/kafka/group/group.ts";
import type { Session } from "../../../../src/ports.ts";
import type { Problem } from "../../../../src/problem.ts";
import { fakeConnection, protocolError } from "../fake-broker.ts";
import { until } from "../waiting.ts";

const sessionTimeoutMs = 10_000;
const leaseMs = 8_000;
const inputs = ["enrolled", "retry"];

interface Given {
  readonly instanceId?: string;
  readonly onFailure?: (reason: string, problem?: Problem) => void;
}

async function given(
  t: { after(run: () => Promise<void>): void },
  changes: Parameters<typeof fakeConnection>[0],
  { instanceId, onFailure = (reason) => assert.fail(reason) }: Given = {},
) {
  const clock = virtualClock();
  const sessions: Session[] = [];
  const health = createHealth(clock, () => {});
  const broker: Parameters<typeof fakeConnection>[0] = {
    joinGroup: async () => ({
      generationId: sessions.length + 1,
      leaderId: "other",
      memberId: "m",
      members: [],
    }),
    syncGroup: async () => ({ memberAssignment: encodeAssignment(inputs, [0, 1]) }),
    heartbeat: async () => ({}),
    offsetCommit: async () => ({}),
    leaveGroup: async () => ({}),
    ...changes,
  };
  const connection = fakeConnection(broker);
  const settings = {
    groupId: "g",
    instanceId: instanceId ?? null,
    bootstrap: "b:9092",
    sessionTimeoutMs,
    maxPartitionFetchBytes: 1_000,
    requestTimeoutMs: 5_000,
    partitionCount: 2,
    outageMaxMs: 60_000,
    nameOf: (topic: string) => topic,
    health,
  };
  const membership = await createJoin(
    () => connection,
    settings,
    clock,
  )((session) => sessions.push(session), onFailure);
  t.after(async () => {
    const left = membership.leave();
    clock.advance(60_000);
    await left;
    health.close();
  });
  return { clock, sessions, broker, connection, membership };
}

test("a group in which the broker assigns partitions is left again, and refused with what to type", async (t) => {
  const problems: (Problem | undefined)[] = [];
  const left: string[] = [];
  const { sessions } = await given(
    t,
    {
      joinGroup: async () => ({ generationId: 6, leaderId: "", memberId: "m", members: [] }),
      // The new protocol's assignors know nothing of retry partitions that go with the same number.
      syncGroup: async () => ({ memberAssignment: encodeAssignment(["retry"], [0, 1]) }),
      leaveGroup: async ({ memberId }) => {
        left.push(memberId);
        return {};
      },
    },
    { onFailure: (_reason, problem) => problems.push(problem) },
  );
  await until(() => problems.length + sessions.length > 0);
  // Taken for a member with nothing to do, it would stay one.
  assert.equal(sessions.length, 0);
  const [problem] = problems;
  assert.ok(problem);
  assert.equal(problem.code, "membership-refused");
  assert.match(problem.message, /group g is used by consumers of the new group protocol/);
  assert.match(
    problem.message,
    /kafka-consumer-groups\.sh --bootstrap-server b:9092 --describe --group g --members\b/,
  );
  assert.match(problem.message, /KAFKA_GROUP_ID/);
  assert.deepEqual(left, ["m"]);
});

test("the hold counts from when SyncGroup was sent, not from its answer", async (t) => {
  const { clock, sessions } = await given(t, {
    syncGroup: async () => {
      clock.advance(3_000);
      return { memberAssignment: encodeAssignment(inputs, [0, 1]) };
    },
  });
  await until(() => sessions.length === 1);
  assert.equal(clock.nowMs(), 3_000);
  assert.equal(sessions[0]!.heldUntilMs(), leaseMs);
});

test("the hold counts from when a heartbeat was sent, not from its answer", async (t) => {
  let beats = 0;
  const { clock, sessions, broker } = await given(t, {});
  await until(() => sessions.length === 1);
  broker.heartbeat = async () => {
    clock.advance(2_000);
    beats += 1;
  };
  clock.advance(1_000);
  await until(() => beats === 1);
  await until(() => sessions[0]!.heldUntilMs() > leaseMs);
  assert.equal(sessions[0]!.heldUntilMs(), 1_000 + leaseMs);
});

test("only heartbeats of the coordinator that stored the last commit count", async (t) => {
  let beats = 0;
  const { clock, sessions, connection } = await given(t, {
    heartbeat: async () => {
      beats += 1;
    },
  });
  await until(() => sessions.length === 1);
  const [session] = sessions as [Session];
  assert.equal(session.heldUntilMs(), leaseMs);
  // The group moved: another coordinator stores the commit, and has not been heard from since.
  connection.nodeId = 2;
  assert.equal(
    await session.commit([{ topic: "enrolled", partition: 0, offset: 1, metadata: "" }]),
    "committed",
  );
  assert.equal(session.heldUntilMs(), Number.NEGATIVE_INFINITY);
  clock.advance(1_000);
  await until(() => beats === 1);
  await until(() => session.heldUntilMs() > 0);
  assert.equal(session.heldUntilMs(), 1_000 + leaseMs);
});

test("a session has ended before JoinGroup is sent, and before the next one begins", async (t) => {
  const endedAtJoin: boolean[] = [];
  const { clock, sessions, broker } = await given(t, {});
  await until(() => sessions.length === 1);
  broker.joinGroup = async () => {
    endedAtJoin.push(sessions.at(-1)!.ended.aborted);
    return { generationId: 2, leaderId: "other", memberId: "m", members: [] };
  };
  broker.heartbeat = async () => {
    broker.heartbeat = async () => ({});
    throw protocolError("REBALANCE_IN_PROGRESS");
  };
  clock.advance(1_000);
  await until(() => sessions.length === 2);
  assert.deepEqual(endedAtJoin, [true]);
  assert.ok(sessions[0]!.ended.aborted && !sessions[1]!.ended.aborted);
});
