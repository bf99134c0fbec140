/** A worker as a whole: what it says of itself, and how it ends. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, parkedBefore } from "../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../lab/testkit/registrar-world.ts";
import { answers } from "../../lab/testkit/scripted-graph.ts";
import { homePartition } from "../../src/domain/murmur2.ts";

describe("status", () => {
  test("not ready until partitions are assigned and taken over, and it says which", async (t) => {
    const world = createWorld(t);
    const release = world.log.hold("commit");
    const worker = world.start({}, { firstPartitions: null });
    await world.time.pass(1_000);
    assert.deepEqual(worker.registrar.status().notReady, ["group: no partitions assigned yet"]);
    worker.member.rebalance([0]);
    await world.time.pass(1_000);
    assert.deepEqual(worker.registrar.status().notReady, ["partition 0: being taken over"]);
    release();
    await world.time.pass(1_000);
    assert.deepEqual([worker.registrar.status().ready, worker.registrar.status().partitions], [true, [0]]);
  });

  test("counts requests, records that wait, parked ones, and the ledger", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 1_000;
    world.graph.always(fabrikam, answers(403));
    const worker = world.start({ maxInFlight: 2, batchMax: 1 });
    world.emit(...many(5, contoso));
    await world.time.pass(500);
    const { inFlight, waiting, ready } = worker.registrar.status();
    assert.deepEqual([inFlight, waiting, ready], [2, 3, true]);
    await world.untilRegistered(5);
    await world.time.pass(5_000);
    const { ledgerEntries, ...after } = worker.registrar.status();
    assert.deepEqual([after.inFlight, after.waiting, after.parked, ledgerEntries], [0, 0, 0, 5]);
  });

  test("lag counts unsettled records, read or not, as of the last look", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(429, { retryAfter: "3600" }));
    const worker = world.start({ windowRecords: 10, attemptAhead: 50 });
    world.emit(...many(500, contoso));
    await world.time.pass(30_000);
    const { lagRecords, parked, waiting } = worker.registrar.status();
    // Each record counts once: parked, or taken up and waiting for its tenant.
    assert.deepEqual([lagRecords, parked + waiting], [500, 500]);
    world.graph.always(contoso, null);
    await world.untilRegistered(500, 7_200_000);
    await world.time.pass(30_000);
    assert.equal(worker.registrar.status().lagRecords, 0);
  });
});

describe("lag", () => {
  test("counts what was not even read, since the window is full", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 25_000;
    const worker = world.start({ windowRecords: 10, maxInFlight: 1, batchMax: 1 });
    world.emit(...many(500, contoso));
    await world.time.pass(20_000);
    assert.equal(worker.registrar.status().lagRecords, 500);
  });
});

test("what is moved into the retry topic is taken up also while the window is full", async (t) => {
  const world = createWorld(t);
  world.graph.always(fabrikam, { reply: "by itself", delayMs: 60_000 });
  world.emit(...many(5, fabrikam));
  world.start({ windowRecords: 2 });
  await world.time.until("the window is full", () => world.createdMachines(fabrikam).length === 2);
  world.log.store(parkedBefore({}));
  await world.untilRegistered(1, 5_000);
  assert.equal(world.registered()[0]?.data.tenantId, contoso);
});

describe("the end", () => {
  test("given membership lost for good, the worker stops by itself and says why", async (t) => {
    const world = createWorld(t);
    world.emit({});
    const worker = world.start();
    await world.untilRegistered(1);
    worker.member.failMembership("the group was deleted");
    await world.time.until("it stops", () => worker.fault() !== undefined);
    assert.equal(worker.fault()?.code, "membership-lost");
    assert.match(worker.fault()!.message, /the group was deleted/);
    assert.deepEqual(
      worker.seen("fault").map(({ code }) => code),
      ["membership-lost"],
    );
  });

  test("stop is bounded by its drain time, whatever hangs", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 3_600_000;
    world.emit({});
    const worker = world.start();
    await world.time.until("the POST is under way", () => world.creates().length === 1);
    const stoppedAtMs = world.time.nowMs();
    void worker.registrar.stop(10_000);
    void worker.registrar.stop(10_000);
    await world.time.until("it has stopped", () => worker.fault() !== undefined);
    assert.equal(worker.fault(), null);
    assert.ok(world.time.nowMs() - stoppedAtMs <= 15_000);
    assert.equal(world.attemptedThrough(), 1);
  });

  test("a worker that stops before any partition was assigned just leaves", async (t) => {
    const world = createWorld(t);
    const worker = world.start({}, { firstPartitions: null });
    await worker.stop();
    assert.deepEqual([worker.fault(), worker.member.hasLeft(), world.log.commits], [null, true, []]);
  });

  test("a session that begins while it stops is left alone", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 5_000;
    world.emit(...many(2, contoso));
    const worker = world.start({ maxInFlight: 1, batchMax: 1 });
    await world.time.until("a POST is under way", () => world.creates().length === 1);
    void worker.registrar.stop(30_000);
    const sessions = worker.seen("session-started").length;
    worker.member.rebalance([0]);
    await world.time.until("it has stopped", () => worker.fault() !== undefined);
    assert.equal(worker.seen("session-started").length, sessions);
    assert.equal(world.creates().length, 1);
  });

  test("a worker that has stopped holds no partition any more, and does nothing", async (t) => {
    const world = createWorld(t);
    const worker = world.start({ snapshotIntervalMs: 60_000 });
    await world.time.pass(1_000);
    await worker.stop();
    assert.equal(worker.seen("partition-lost").length, 1);
    const requests = world.log.scans.length + world.log.commits.length;
    await world.time.pass(600_000);
    assert.equal(world.log.scans.length + world.log.commits.length, requests);
  });

  test("a partition that is taken over while it stops is not worked on", async (t) => {
    const world = createWorld(t, { partitions: 2 });
    const home = homePartition(contoso, 2);
    const other = 1 - home;
    const value = new TextEncoder().encode("no enrollment");
    world.log.store({ ...parkedBefore({}), partition: other, value });
    // The claim of the other one has to be committed again.
    if (home === 1) world.log.commitScript.push("unknown");
    else world.log.commitScript.push("committed", "unknown");
    world.graph.latencyMs = 5_000;
    world.emit({});
    const worker = world.start();
    await world.time.until("a POST is under way", () => world.creates().length === 1);
    assert.deepEqual(worker.registrar.status().partitions, [home]);
    void worker.registrar.stop(30_000);
    await world.time.until("it has stopped", () => worker.fault() !== undefined);
    assert.equal(worker.seen("partition-gained").length, 2);
    assert.deepEqual(world.deadLetters(other), []);
  });

  test("what comes while it stops is not even looked at", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 5_000;
    world.emit({});
    const worker = world.start();
    await world.time.until("the POST is under way", () => world.creates().length === 1);
    void worker.registrar.stop(30_000);
    const reads = worker.seen("records-read").length;
    world.emit({ event: "again" }, { machine: "" });
    await world.time.until("it has stopped", () => worker.fault() !== undefined);
    assert.equal(worker.seen("records-read").length, reads);
    assert.deepEqual([world.registered().length, world.deadLetters().length], [1, 0]);
  });

  // INV-KNOWN-LOG
  test("a gap in the middle of reading: the worker stops and names it; allowed to continue, it continues behind it", async (t) => {
    for (const onRetentionGap of ["stop", "continue"] as const) {
      const world = createWorld(t);
      const worker = world.start({ onRetentionGap });
      await world.time.pass(1_000);
      world.log.truncate("enrolled", 0, 5);
      world.emit({});
      await world.time.pass(60_000);
      assert.equal(worker.fault()?.code, onRetentionGap === "stop" ? "retention-gap" : undefined);
      assert.equal(world.registered().length, onRetentionGap === "stop" ? 0 : 1);
    }
  });
});
