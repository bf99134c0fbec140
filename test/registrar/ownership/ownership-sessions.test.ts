/** From session to session: what is said of partitions meanwhile, what is asked of the log, and when dead letters are read. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, tailspin } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings, type World } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import { encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const { settleMs, orphanMs } = settings;

function committedBefore(world: World, attemptedThrough: number): void {
  for (const topic of ["enrolled", "retry"] as const) {
    const promised = topic === "enrolled" ? attemptedThrough : 0;
    const metadata = encodeMetadata({
      ...{ attemptedThrough: promised, claim: "theirs", limits: null, known: null },
    });
    world.log.commitBefore({ topic, partition: 0, offset: 0, metadata });
  }
}

describe("a new session", () => {
  test("confirms a partition that is kept only when the stored commits were read; the status says so until then", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    world.emit({});
    await world.untilRegistered(1);
    const release = world.log.hold("positions");
    worker.member.rebalance([0]);
    await world.time.pass(1_000);
    const { partitions, notReady } = worker.registrar.status();
    assert.deepEqual([partitions, notReady], [[], ["partition 0: being taken over"]]);
    release();
    await world.time.until("it is kept", () => worker.seen("partition-kept").length === 1);
    assert.deepEqual(worker.seen("partition-kept"), [{ kind: "partition-kept", partition: 0 }]);
    await world.time.pass(1_000);
    assert.deepEqual(worker.registrar.status().notReady, []);
  });

  test("without partitions asks the log for nothing", async (t) => {
    const world = createWorld(t);
    world.log.positionsScript.push({ ok: false, reason: "no coordinator" });
    const worker = world.start({}, { firstPartitions: [] });
    await world.time.pass(60_000);
    assert.equal(world.log.positionsScript.length, 1);
    assert.deepEqual(
      worker.events.map((event) => event.kind),
      ["session-started"],
    );
  });

  test("drops what it does not hold any more, and keeps the rest", async (t) => {
    const world = createWorld(t, { partitions: 2 });
    const worker = world.start();
    await world.time.pass(1_000);
    world.graph.always(contoso, answers(429, { retryAfter: "60" }));
    world.emit(...many(3, contoso));
    await world.time.pass(1_000);
    const [home, other] = homePartition(contoso, 2) === 0 ? [0, 1] : [1, 0];
    worker.member.rebalance([other]);
    await world.time.pass(1_000);
    assert.deepEqual(
      worker.seen("partition-lost").map(({ partition, abandoned }) => [partition, abandoned]),
      [[home, 3]],
    );
    assert.deepEqual(
      worker.seen("partition-kept").map(({ partition }) => partition),
      [other],
    );
    assert.deepEqual(worker.registrar.status().partitions, [other]);
    assert.equal(worker.seen("session-started").length, 2);
    assert.deepEqual(worker.seen("session-started").at(-1)?.partitions, [other]);
  });

  test("counts as abandoned what is parked and taken up too", async (t) => {
    const world = createWorld(t);
    const worker = world.start({ windowRecords: 4 });
    world.graph.always(fabrikam, answers(429, { retryAfter: "3600" }));
    world.emit(...many(20, fabrikam));
    await world.time.until("all is parked or waits", () => world.log.records("retry").length > 10);
    await world.time.pass(10_000);
    const { waiting, parked } = worker.registrar.status();
    assert.equal(waiting + parked, 20);
    worker.member.rebalance([]);
    assert.deepEqual(
      worker.seen("partition-lost").map(({ abandoned }) => abandoned),
      [waiting],
    );
  });

  test("that ends before its commits were read takes nothing over; the next one does, once", async (t) => {
    const world = createWorld(t);
    const release = world.log.hold("positions");
    const worker = world.start();
    await world.time.pass(1_000);
    worker.member.rebalance([0]);
    release();
    world.emit({ tenant: tailspin });
    await world.untilRegistered(1);
    assert.equal(worker.seen("partition-gained").length, 1);
    assert.equal(world.log.commits[0]?.length, 2);
  });
});

// INV-WATERMARK
test("while a claim of unknown outcome may still land, nothing is promised beyond the one that was acknowledged", async (t) => {
  const world = createWorld(t);
  world.log.commitScript.push("unknown");
  const attemptAhead = 10;
  world.emit(...many(30, contoso));
  const worker = world.start({ attemptAhead });
  await world.time.until("it is gained", () => worker.seen("partition-gained").length === 1);
  await world.time.pass(settleMs - 5_000);
  assert.equal(world.creates().flatMap(({ items }) => items).length, attemptAhead);
  await world.untilRegistered(30, 10_000);
});

// INV-DURABLE-OUTCOME
describe("dead letters of the last owner are read", () => {
  const reads = (world: World) => world.log.scans.filter(({ topic }) => topic === "dlq").length;

  test("at the settle time, and again when its connections are surely over, while something is in doubt", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 1);
    world.emit({});
    const startedMs = world.time.nowMs();
    world.start();
    const untilMs = (ms: number) => world.time.pass(startedMs + ms - world.time.nowMs());
    await untilMs(settleMs - 100);
    assert.equal(reads(world), 0);
    await untilMs(settleMs + 100);
    assert.equal(reads(world), 1);
    await untilMs(settleMs + orphanMs - 100);
    assert.equal(reads(world), 1);
    await untilMs(settleMs + orphanMs + 100);
    assert.equal(reads(world), 2);
    await world.time.pass(600_000);
    assert.equal(reads(world), 2);
  });

  test("not of a partition that was lost before", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 1);
    world.emit({});
    const worker = world.start();
    await world.time.pass(settleMs - 1_000);
    worker.member.rebalance([]);
    await world.time.pass(600_000);
    assert.equal(reads(world), 0);
    assert.deepEqual(
      world.log.scans.filter(({ topic }) => topic === "registered").length,
      1,
      "nor is its ledger read any more",
    );
  });
});
