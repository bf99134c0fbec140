/** The attempt watermark: nothing is posted that no acknowledged commit promised, and what a stop leaves behind. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, tailspin } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings, type World } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost } from "../../../lab/testkit/scripted-graph.ts";
import type { Commit } from "../../../src/ports.ts";
import { decodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const attemptAhead = 10;

/** Offsets that were posted, in order: each event of `many` is on a machine named after its offset. */
const postedOffsets = (world: World) =>
  world.createdMachines().map((machine) => Number(machine.slice("HOST-".length)));
const ofEnrolled = (commits: readonly Commit[]) => commits.find(({ topic }) => topic === "enrolled");
const watermarks = (world: World) => {
  const { offset, metadata } = world.log.committed("enrolled")!;
  return { settledThrough: offset, attemptedThrough: decodeMetadata(metadata)?.attemptedThrough };
};

describe("the promise", () => {
  test("no POST begins before the first commit is acknowledged", async (t) => {
    const world = createWorld(t);
    const release = world.log.hold("commit");
    world.emit({});
    world.start();
    await world.time.pass(60_000);
    assert.deepEqual(world.creates(), []);
    release();
    await world.untilRegistered(1, 5_000);
  });

  // INV-WATERMARK
  test("no POST begins at or after the promised offset; the next commit is sent immediately and lets it begin", async (t) => {
    const world = createWorld(t);
    world.start({ attemptAhead, commitIntervalMs: 60_000 });
    await world.time.pass(1_000);
    assert.equal(world.attemptedThrough(), attemptAhead);
    const release = world.log.hold("commit");
    world.emit(...many(30, contoso));
    await world.time.pass(10_000);
    assert.deepEqual(
      postedOffsets(world),
      many(attemptAhead, contoso).map((_, n) => n),
    );
    release();
    await world.untilRegistered(30, 1_000);
  });

  test("it goes ahead of what was read, though nothing settles and nothing waits for it", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(429, { retryAfter: "3600" }));
    world.start({ attemptAhead });
    await world.time.pass(5_000);
    world.emit(...many(attemptAhead / 2 + 1, contoso));
    await world.time.pass(5_000);
    assert.equal(world.attemptedThrough(), attemptAhead + attemptAhead / 2 + 1);
  });

  // INV-WATERMARK
  test("at every POST its offset is below what was stored then", async (t) => {
    const world = createWorld(t);
    world.start({ attemptAhead, batchMax: 3 });
    const late: number[] = [];
    const { create } = world.graph;
    world.graph.create = (tenantId, items) => {
      for (const { details } of items) {
        const offset = Number(details.machineName.slice("HOST-".length));
        if (offset >= world.attemptedThrough()) late.push(offset);
      }
      return create(tenantId, items);
    };
    for (let n = 0; n < 20; n++) {
      world.emit(...many(15, contoso, n * 15));
      await world.time.pass(150);
    }
    await world.untilRegistered(300);
    assert.deepEqual(late, []);
  });
});

describe("a commit of unknown outcome", () => {
  // INV-WATERMARK
  test("promises nothing until it can no longer land; then all is committed again", async (t) => {
    const world = createWorld(t);
    world.start({ attemptAhead });
    await world.time.pass(1_000);
    // It lands 20 s later, over whatever was committed since.
    world.log.commitScript.push(20_000);
    const unknownAtMs = world.time.nowMs();
    world.emit(...many(30, contoso));
    await world.time.pass(40_000);
    assert.deepEqual(new Set(postedOffsets(world)), new Set(many(attemptAhead, contoso).map((_, n) => n)));
    await world.untilRegistered(30);
    const after = world.creates().filter(({ atMs }) => atMs > unknownAtMs + 30_000);
    assert.ok(after.every(({ atMs }) => atMs >= unknownAtMs + settings.settleMs));
    await world.time.pass(5_000);
    assert.equal(world.log.committed("enrolled")?.offset, 30);
  });

  test("one sent before that and acknowledged after it promises nothing, and is sent once more", async (t) => {
    const world = createWorld(t);
    world.start({ attemptAhead });
    await world.time.pass(1_000);
    world.log.commitScript.push("unknown");
    world.emit(...many(20, contoso));
    await world.time.until("it is given up", () => world.log.commitScript.length === 0);
    await world.time.pass(settings.settleMs - 500);
    const release = world.log.hold("commit");
    world.emit(...many(1, contoso, 20));
    await world.time.pass(1_000);
    assert.equal(world.registered().length, attemptAhead);
    const commits = world.log.commits.length;
    release();
    await world.untilRegistered(21, 5_000);
    assert.ok(world.log.commits.length >= commits + 2);
  });

  test("of the claim: it may land later too, so no promise goes beyond it until then", async (t) => {
    const world = createWorld(t);
    world.log.commitScript.push(20_000);
    world.emit(...many(30, contoso));
    world.start({ attemptAhead });
    await world.time.pass(40_000);
    assert.deepEqual(new Set(postedOffsets(world)), new Set(many(attemptAhead, contoso).map((_, n) => n)));
    await world.untilRegistered(30, 20_000);
    await world.time.pass(5_000);
    assert.equal(world.log.committed("enrolled")?.offset, 30);
  });

  test("of the claim: nothing is posted until one is acknowledged", async (t) => {
    const world = createWorld(t);
    world.log.commitScript.push("unknown", "unknown, stored");
    world.emit({});
    world.start();
    await world.untilRegistered(1, 30_000);
    assert.equal(world.log.commits.length >= 3, true);
  });
});

describe("a superseded commit", () => {
  test("stores nothing and promises nothing; the next session continues", async (t) => {
    const world = createWorld(t);
    const worker = world.start({ attemptAhead });
    await world.time.pass(1_000);
    world.log.generation++;
    world.emit(...many(30, contoso));
    await world.time.pass(30_000);
    assert.equal(postedOffsets(world).length, attemptAhead);
    assert.equal(watermarks(world).settledThrough, 0);
    assert.ok(worker.seen("committed").some(({ result }) => result === "superseded"));
    worker.member.rebalance([0]);
    await world.untilRegistered(30);
    assert.equal(world.graph.objects.get(contoso)?.length, 30);
  });
});

describe("a clean stop", () => {
  test("commits all that settled and leaves no suspects", async (t) => {
    const world = createWorld(t);
    world.emit(...many(5, contoso));
    const worker = world.start();
    await world.untilRegistered(5);
    await worker.stop();
    assert.deepEqual(watermarks(world), { settledThrough: 5, attemptedThrough: 5 });
    assert.equal(worker.member.hasLeft(), true);
  });

  test("waits for what is in flight, and begins nothing new", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 5_000;
    world.emit(...many(3, contoso));
    const worker = world.start({ maxInFlight: 1, batchMax: 1 });
    await world.time.until("the first POST", () => world.creates().length === 1);
    await worker.stop();
    assert.deepEqual([world.creates().length, world.registered().length], [1, 1]);
    assert.deepEqual(watermarks(world), { settledThrough: 1, attemptedThrough: 1 });
  });

  test("commits again where the outcome of its last commit is unknown", async (t) => {
    const world = createWorld(t);
    world.emit(...many(5, contoso));
    const worker = world.start();
    await world.untilRegistered(5);
    await world.time.pass(5_000);
    world.log.commitScript.push("unknown", "unknown");
    await worker.stop();
    assert.deepEqual(watermarks(world), { settledThrough: 5, attemptedThrough: 5 });
  });

  test("does not commit again where its last commit was refused", async (t) => {
    const world = createWorld(t);
    world.emit(...many(5, contoso));
    const worker = world.start();
    await world.untilRegistered(5);
    await world.time.pass(5_000);
    const commits = world.log.commits.length;
    world.log.commitScript.push("superseded");
    await worker.stop();
    assert.equal(world.log.commits.length, commits + 1);
  });

  test("while a registered record is not durable, leaves exactly that one promised", async (t) => {
    const world = createWorld(t);
    world.emit(...many(3, contoso));
    const worker = world.start({ batchMax: 1, maxInFlight: 1 });
    await world.untilRegistered(2);
    world.log.hold("append");
    await world.time.until("the third is created", () => world.graph.objects.get(contoso)?.length === 3);
    await worker.stop();
    assert.deepEqual(watermarks(world), { settledThrough: 2, attemptedThrough: 3 });
  });

  test("leaves no suspect of a record that Graph refused for now", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(429, { retryAfter: "60" }));
    world.emit({});
    const worker = world.start();
    await world.time.until("it is throttled", () => worker.seen("attempt-failed").length === 1);
    await worker.stop();
    assert.deepEqual(watermarks(world), { settledThrough: 0, attemptedThrough: 0 });
  });

  test("leaves no suspect of a record that was read back and surely is not there", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(500));
    world.emit({});
    const worker = world.start();
    const lists = () => worker.seen("graph-request").filter(({ operation }) => operation === "list");
    await world.time.until("it is read back", () => lists().length === settings.rereadCount);
    await worker.stop();
    assert.equal(world.creates().length, 1);
    assert.deepEqual(watermarks(world), { settledThrough: 0, attemptedThrough: 0 });
  });

  test("while a create is in doubt, leaves exactly that one promised; the next worker reads it back", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { ...lost, creates: true });
    for (let n = 0; n < 10; n++)
      world.graph.listScript.push({ kind: "listed", objects: [], incomplete: null });
    world.emit(...many(3, contoso));
    const worker = world.start({ batchMax: 1 });
    await world.untilRegistered(2);
    await worker.stop();
    assert.deepEqual(watermarks(world), { settledThrough: 0, attemptedThrough: 1 });
    world.graph.listScript.length = 0;
    const next = world.start();
    await world.untilRegistered(3);
    assert.deepEqual(
      next.seen("partition-gained").map(({ suspects }) => suspects),
      [1],
    );
    assert.equal(world.graph.objects.get(contoso)?.length, 3);
  });
});

describe("round trips", () => {
  test("what comes to wait in another partition while a commit is in flight is promised right after it", async (t) => {
    const world = createWorld(t, { partitions: 2 });
    world.start({ attemptAhead, commitIntervalMs: 60_000 });
    await world.time.pass(120_000);
    const release = world.log.hold("commit");
    world.emit(...many(attemptAhead + 1, fabrikam));
    await world.time.pass(1_000);
    world.emit(...many(attemptAhead + 1, tailspin));
    await world.time.pass(1_000);
    release();
    await world.time.until(
      "all are posted",
      () => postedOffsets(world).length === 2 * (attemptAhead + 1),
      1_000,
    );
  });

  test("commits are spaced by commitIntervalMs, all partitions in one, and none when nothing changed", async (t) => {
    const world = createWorld(t, { partitions: 3 });
    const tenants = ["a", "b", "c", "d"].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`);
    world.start();
    for (let n = 0; n < 50; n++) {
      world.emit(...tenants.map((tenant) => ({ tenant, machine: `HOST-${n}` })));
      await world.time.pass(100);
    }
    await world.time.pass(5_000);
    const commits = world.log.commits.length;
    assert.ok(commits >= 5 && commits <= 12, `${commits} commits in 10 s`);
    await world.time.pass(600_000);
    assert.equal(world.log.commits.length, commits);
    assert.ok(world.log.commits.some((commit) => ofEnrolled(commit) && commit.length > 1));
  });
});
