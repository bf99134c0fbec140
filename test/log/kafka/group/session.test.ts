import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../../../lab/testkit/virtual-clock.ts";
import { systemClock } from "../../../../src/clock.ts";
import { createHealth, type LogEvent } from "../../../../src/log/kafka/cluster/health.ts";
import { createSession } from "../../../../src/log/kafka/group/session.ts";
import type { Clock, Commit } from "../../../../src/ports.ts";
import { fakeConnection, inTurn, protocolError } from "../fake-broker.ts";

const commit: Commit = { topic: "enrolled", partition: 0, offset: 1, metadata: "m" };

function sessionOver(
  offsetCommit: () => Promise<unknown>,
  clock: Clock = systemClock,
  health = createHealth(virtualClock(), () => {}),
) {
  const connection = fakeConnection({ offsetCommit });
  const over: boolean[] = [];
  const settings = {
    groupId: "g",
    instanceId: null,
    bootstrap: "b:9092",
    sessionTimeoutMs: 10_000,
    maxPartitionFetchBytes: 131_072,
    requestTimeoutMs: 5_000,
    nameOf: (topic: string) => topic,
    health,
  };
  const own = createSession({
    generation: {
      memberId: "m",
      memberIds: new Set(["m"]),
      generationId: 1,
      partitions: [0],
      topicIds: new Map(),
    },
    joined: { nodeId: 1, sentAt: { monotonicMs: 1_000, wallMs: 1_000 } },
    settings,
    ports: {
      connections: { long: connection, short: connection },
      coordinator: async () => connection.cluster().then((cluster) => cluster.controller()),
      forgetCoordinator: () => {},
      onGenerationOver: (unknown) => {
        over.push(unknown);
        own.end();
      },
      onFenced: () => assert.fail("it has no instance id"),
      onFatal: (reason) => assert.fail(reason),
    },
    clock,
  });
  return { connection, over, own, session: own.session };
}

for (const type of ["ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS"]) {
  test(`${type}: nothing was stored, and the session is over`, async () => {
    const { session, over } = sessionOver(inTurn(protocolError(type)));
    assert.equal(await session.commit([commit]), "superseded");
    assert.deepEqual(over, [type === "UNKNOWN_MEMBER_ID"]);
    assert.ok(session.ended.aborted);
    assert.equal(session.heldUntilMs(), Number.NEGATIVE_INFINITY);
  });
}

test("a coordinator that is elsewhere or loading stored nothing: the commit is tried again", async () => {
  const answers = inTurn<unknown>(
    protocolError("NOT_COORDINATOR_FOR_GROUP"),
    protocolError("GROUP_LOAD_IN_PROGRESS"),
    {},
  );
  assert.equal(await sessionOver(answers).session.commit([commit]), "committed");
});

for (const error of [
  new Error("reset"),
  protocolError("REQUEST_TIMED_OUT"),
  protocolError("GROUP_COORDINATOR_NOT_AVAILABLE"),
]) {
  test(`${error.message}: the commit may be stored, is not repeated, and the session continues`, async () => {
    let calls = 0;
    const { session } = sessionOver(async () => {
      calls += 1;
      throw error;
    });
    assert.equal(await session.commit([commit]), "unknown");
    assert.equal(calls, 1);
    assert.ok(!session.ended.aborted);
  });
}

test("commits go out one after another, in order; none after the end", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let begun = 0;
  const { session, own } = sessionOver(async () => {
    begun += 1;
    await gates[begun - 1]!.promise;
  });
  const results = [session.commit([commit]), session.commit([commit]), session.commit([commit])];
  gates[0]!.resolve();
  assert.equal(await results[0], "committed");
  own.end();
  gates[1]!.resolve();
  assert.deepEqual(await Promise.all(results), ["committed", "superseded", "superseded"]);
  assert.equal(begun, 1);
});

test("a partition that is not of the session, and two reads at the same time, are bugs", () => {
  const { session } = sessionOver(inTurn({}));
  assert.throws(() => session.seek("enrolled", 7, 0, -1));
  void session.read("enrolled", 0);
  assert.throws(() => session.read("enrolled", 0));
});

test("a heartbeat ages by both clocks: a suspended machine stops the monotonic one", () => {
  const now = { monotonicMs: 1_000, wallMs: 1_000 };
  const clock: Clock = { ...systemClock, nowMs: () => now.monotonicMs, wallMs: () => now.wallMs };
  const { session } = sessionOver(inTurn({}), clock);
  assert.equal(session.heldUntilMs(), 1_000 + session.leaseMs);
  now.wallMs += session.leaseMs + 1;
  assert.ok(session.heldUntilMs() < now.monotonicMs, "it was suspended for longer than it holds");
});

test("commits that are refused again and again are reported with the broker's reason, and so is their end", async () => {
  const clock = virtualClock();
  const events: LogEvent[] = [];
  const health = createHealth(clock, (event) => events.push(event));
  const refusal = protocolError("OFFSET_METADATA_TOO_LARGE");
  const { session } = sessionOver(
    inTurn<unknown>(refusal, refusal, refusal, refusal, refusal, {}),
    systemClock,
    health,
  );
  for (let second = 0; second < 5; second += 1) {
    assert.equal(await session.commit([commit]), "unknown");
    clock.advance(1_000);
  }
  const reason = "OFFSET_METADATA_TOO_LARGE";
  assert.deepEqual(events, [{ kind: "log-unreachable", broker: "commits of group g", reason }]);
  assert.equal(await session.commit([commit]), "committed");
  clock.advance(1_000);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["log-unreachable", "log-reachable"],
  );
});
