/** Stored positions count only from a coordinator that knows this generation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../../../lab/testkit/virtual-time.ts";
import type { Broker } from "../../../../src/log/kafka/cluster/broker.ts";
import { createHealth } from "../../../../src/log/kafka/cluster/health.ts";
import { createSession } from "../../../../src/log/kafka/group/session.ts";
import { fakeConnection, listOffsets, protocolError } from "../fake-broker.ts";

/** A coordinator that has this offset stored (null: its answer leaves the partition out), and answers heartbeats so. */
interface Teller {
  readonly offset: number | null;
  readonly heartbeat: Broker["heartbeat"];
}

function sessionOver(tellers: readonly Teller[]) {
  const time = virtualTime();
  let at = 0;
  const now = () => tellers[Math.min(at, tellers.length - 1)]!;
  const connection = fakeConnection({
    heartbeat: (request) => now().heartbeat(request),
    offsetFetch: async ({ topics }) => ({
      responses: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions
          .filter(() => now().offset !== null)
          .map(({ partition }) => ({ partition, offset: String(now().offset), metadata: "m" })),
      })),
    }),
    listOffsets: listOffsets(
      () => 0,
      () => 20,
    ),
  });
  const { session } = createSession({
    generation: {
      memberId: "m",
      memberIds: new Set(["m"]),
      generationId: 3,
      partitions: [0],
      topicIds: new Map(),
    },
    joined: { nodeId: 1, sentAt: { monotonicMs: 0, wallMs: 0 } },
    settings: {
      ...{ groupId: "g", instanceId: null, bootstrap: "b:9092", sessionTimeoutMs: 10_000 },
      ...{ maxPartitionFetchBytes: 131_072, requestTimeoutMs: 5_000, nameOf: (topic: string) => topic },
      health: createHealth(time, () => {}),
    },
    ports: {
      connections: { long: connection, short: connection },
      coordinator: async () => connection.cluster().then((cluster) => cluster.controller()),
      forgetCoordinator: () => void at++,
      onGenerationOver: () => assert.fail("the right coordinator has not said so"),
      onFenced: () => assert.fail("it has no instance id"),
      onFatal: (reason) => assert.fail(reason),
    },
    clock: time,
  });
  return { time, session };
}

const offsetOf = async (session: ReturnType<typeof sessionOver>["session"]) => {
  const result = await session.positions([0]);
  return result.ok ? result.positions[0]?.committed?.offset : result.reason;
};

// INV-CLAIM
for (const type of ["ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"])
  test(`a coordinator of before, which was cut off (${type}), is not believed: the next one is asked`, async () => {
    const beats: unknown[] = [];
    const { time, session } = sessionOver([
      { offset: 5, heartbeat: () => Promise.reject(protocolError(type)) },
      { offset: 9, heartbeat: async (request) => void beats.push(request) },
    ]);
    const found = offsetOf(session);
    await time.pass(1_000);
    assert.equal(await found, 9);
    assert.deepEqual(beats, [{ groupId: "g", groupGenerationId: 3, memberId: "m" }]);
  });

test("one that begins a rebalance knows the generation that is to end", async () => {
  const { session } = sessionOver([
    { offset: 5, heartbeat: () => Promise.reject(protocolError("REBALANCE_IN_PROGRESS")) },
  ]);
  assert.equal(await offsetOf(session), 5);
});

test("where no other is found in time, that is the reason", async () => {
  const { time, session } = sessionOver([
    { offset: 5, heartbeat: () => Promise.reject(protocolError("ILLEGAL_GENERATION")) },
  ]);
  const found = offsetOf(session);
  await time.pass(10_000);
  assert.match(String(await found), /ILLEGAL_GENERATION/);
});

test("an answer that leaves a partition out does not say that nothing is committed", async () => {
  const heartbeat = async () => ({});
  const { time, session } = sessionOver([
    { offset: null, heartbeat },
    { offset: 9, heartbeat },
  ]);
  const found = offsetOf(session);
  await time.pass(1_000);
  assert.equal(await found, 9);
});
