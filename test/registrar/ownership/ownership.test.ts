/** Taking partitions over, keeping them, losing them: what a new owner does before it touches anything. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, registeredBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings, type World } from "../../../lab/testkit/registrar-world.ts";
import { specify } from "../../../lab/testkit/specification.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const { settleMs } = settings;

/** A previous owner settled below the first offset and promised up to the second; then it was gone. */
function committedBefore(world: World, settledThrough: number, attemptedThrough: number): void {
  for (const topic of ["enrolled", "retry"] as const) {
    const isEnrolled = topic === "enrolled";
    const metadata = encodeMetadata({
      attemptedThrough: isEnrolled ? attemptedThrough : 0,
      claim: "theirs",
      limits: null,
      known: null,
    });
    world.log.commitBefore({ topic, partition: 0, offset: isEnrolled ? settledThrough : 0, metadata });
  }
}
const claimOf = (world: World) => decodeMetadata(world.log.committed("enrolled")!.metadata)?.claim;

describe("a partition that is gained", () => {
  // INV-CLAIM
  test("its claim is committed before anything is asked of Graph", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 0, 1);
    world.emit(...many(3, contoso));
    const release = world.log.hold("commit");
    world.start();
    await world.time.pass(300_000);
    assert.deepEqual(world.graph.asked, []);
    release();
    await world.untilRegistered(3);
    assert.notEqual(claimOf(world), "theirs");
  });

  // INV-LEDGER-READ
  test("nothing is posted before the ledger was read, even if that fails repeatedly", async (t) => {
    const world = createWorld(t);
    for (let n = 0; n < 5; n++) world.log.scanScript.push({ ok: false, reason: "leader not available" });
    world.log.positionsScript.push({ ok: false, reason: "coordinator not available" });
    world.log.store(registeredBefore({}));
    world.emit({ event: "again" });
    const worker = world.start();
    await world.time.until(
      "the second event is a duplicate",
      () => worker.seen("record-duplicate").length === 1,
    );
    assert.deepEqual(world.creates(), []);
    assert.equal(worker.seen("log-failed").length, 6);
    assert.equal(worker.seen("partition-gained")[0]?.ledgerEntries, 1);
  });

  // INV-DOUBT, INV-SETTLE-TIME
  test("fresh records are posted immediately; suspects wait for the settle time, then for lists, then are posted", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 0, 2);
    world.emit(...many(4, contoso));
    const assignedAtMs = world.time.nowMs();
    const worker = world.start();
    await world.untilRegistered(2, 1_000);
    assert.deepEqual(world.createdMachines().sort(), ["HOST-2", "HOST-3"]);
    assert.deepEqual(world.lists(), []);
    await world.untilRegistered(4);
    assert.equal(worker.seen("partition-gained")[0]?.suspects, 2);
    assert.ok(world.lists()[0]!.atMs >= assignedAtMs + settleMs);
    assert.ok(world.lists().length >= settings.rereadCount);
    assert.equal(world.createdMachines().length, 4);
  });

  test("a suspect whose object is found is adopted", (t) =>
    specify(t, {
      given: {
        enrolled: [{}],
        committed: { settledThrough: 0, attemptedThrough: 1 },
        objects: [{ id: "theirs" }],
      },
      async when(world) {
        world.start();
        await world.untilRegistered(1);
        const { id, attempts } = world.registered()[0]!.data;
        assert.deepEqual([id, attempts], ["theirs", 0]);
      },
      expect: { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 0 },
    }));

  test("a suspect that the previous owner still published is a duplicate by the second reading of the ledger", (t) =>
    specify(t, {
      given: { enrolled: [{}], committed: { settledThrough: 0, attemptedThrough: 1 } },
      async when(world) {
        world.start();
        await world.time.pass(settleMs - 5_000);
        world.log.store(registeredBefore({}));
        await world.time.pass(60_000);
      },
      expect: { objects: [], registered: [], creates: 0, lists: 0, duplicates: 1, settledThrough: 1 },
    }));

  test("offsets expired, but the ledger is not empty: all that is there is suspect", (t) =>
    specify(t, {
      given: { enrolled: [{ machine: "A" }, { machine: "B" }], registered: [{ machine: "HOST-9" }] },
      async when(world) {
        world.start();
        await world.time.pass(settleMs - 1_000);
        assert.deepEqual(world.creates(), []);
        await world.untilRegistered(3);
      },
      expect: { objects: ["A", "B"], registered: ["A created", "B created"], creates: 2 },
    }));

  // INV-KNOWN-LOG
  test("records that retention deleted before they were settled: the worker stops and says so", (t) =>
    specify(t, {
      given: { enrolled: many(5, contoso), committed: { settledThrough: 1, attemptedThrough: 2 } },
      async when(world) {
        world.log.truncate("enrolled", 0, 3);
        const worker = world.start();
        await world.time.until("it stops", () => worker.fault() !== undefined);
        assert.match(worker.fault()!.message, /records 1 to 2 were deleted/);
        assert.deepEqual(world.creates(), []);
        const next = world.start({ onRetentionGap: "continue" });
        await world.untilRegistered(2);
        assert.match(next.seen("gap-passed")[0]?.detail ?? "", /records 1 to 2 were deleted/);
      },
      expect: {
        objects: ["HOST-3", "HOST-4"],
        registered: ["HOST-3 created", "HOST-4 created"],
        creates: 2,
        faults: ["retention-gap"],
      },
    }));

  test("a suspect parked record waits like any other", (t) =>
    specify(t, {
      given: { parked: [{ inDoubt: true }], objects: [{}] },
      async when(world) {
        world.start();
        await world.time.pass(settleMs - 1_000);
        assert.deepEqual(world.registered(), []);
        await world.untilRegistered(1);
        await world.time.pass(5_000);
      },
      expect: { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 0, parkedThrough: 1 },
    }));
});

describe("a partition that is kept over a rebalance", () => {
  test("what is in flight continues, nothing is read or posted twice", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 3_000;
    const worker = world.start();
    world.emit(...many(5, contoso));
    await world.time.until("POSTs are under way", () => world.creates().length > 0);
    worker.member.rebalance([0]);
    world.emit(...many(5, contoso, 5));
    await world.untilRegistered(10);
    await world.time.pass(10_000);
    assert.equal(world.createdMachines().length, 10);
    assert.equal(world.registered().length, 10);
    assert.deepEqual([worker.seen("partition-gained").length, worker.seen("partition-kept").length], [1, 1]);
    assert.equal(world.log.committed("enrolled")?.offset, 10);
    assert.deepEqual(world.lists(), []);
  });

  test("between the sessions nothing begins; what was posted within the request time-out is still published", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 3_000;
    const worker = world.start({ maxInFlight: 1, batchMax: 1 });
    world.emit(...many(2, contoso));
    await world.time.until("a POST is under way", () => world.creates().length === 1);
    worker.member.endSession();
    await world.time.pass(60_000);
    assert.deepEqual([world.creates().length, world.registered().length], [1, 1]);
    worker.member.rebalance([0]);
    await world.untilRegistered(2);
    assert.equal(world.createdMachines().length, 2);
  });

  test("an answer that comes between the sessions but after the request time-out waits for the next session", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { reply: "by itself", delayMs: settings.requestTimeoutMs + 100 });
    const worker = world.start();
    world.emit({});
    await world.time.until("the POST is under way", () => world.creates().length === 1);
    worker.member.endSession();
    await world.time.pass(300_000);
    assert.deepEqual(world.registered(), []);
    worker.member.rebalance([0]);
    await world.untilRegistered(1);
    assert.equal(world.creates().length, 1);
  });

  // INV-CLAIM
  test("given another worker's claim in the stored commit, all is dropped and taken over again", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    world.emit(...many(3, contoso));
    await world.untilRegistered(3);
    await world.time.pass(5_000);
    worker.member.endSession();
    committedBefore(world, 3, 5);
    world.emit(...many(2, contoso, 3));
    worker.member.rebalance([0]);
    const rebalancedAtMs = world.time.nowMs();
    await world.untilRegistered(5);
    assert.deepEqual(worker.seen("partition-kept"), []);
    assert.deepEqual(
      worker.seen("partition-gained").map(({ suspects }) => suspects),
      [0, 2],
    );
    assert.ok(world.time.nowMs() >= rebalancedAtMs + settleMs);
    assert.equal(world.createdMachines().length, 5);
  });

  for (const topic of ["enrolled", "retry"] as const)
    test(`given another worker's claim in the stored commit of the ${topic} topic alone, it is not kept`, async (t) => {
      const world = createWorld(t);
      const worker = world.start();
      await world.time.pass(1_000);
      worker.member.endSession();
      const metadata = encodeMetadata({ attemptedThrough: 0, claim: "theirs", limits: null, known: null });
      world.log.commitBefore({ topic, partition: 0, offset: 0, metadata });
      worker.member.rebalance([0]);
      await world.time.pass(1_000);
      assert.deepEqual(
        [worker.seen("partition-kept").length, worker.seen("partition-gained").length],
        [0, 2],
      );
    });

  test("given another worker had it in between, unnoticed, it is not kept", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    await world.time.pass(1_000);
    worker.member.endSession();
    const other = world.start();
    await world.time.until("the other one has it", () => other.seen("partition-gained").length === 1);
    other.crash();
    worker.member.rebalance([0]);
    await world.time.pass(1_000);
    assert.deepEqual([worker.seen("partition-kept").length, worker.seen("partition-gained").length], [0, 2]);
  });
});
