/** The log is not the one we knew: the worker stops, also in the middle of a run, and says what to do. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, parkedBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import type { Session, Topic } from "../../../src/ports.ts";
import type { Problem } from "../../../src/problem.ts";
import { note } from "../../../src/registrar/intake/parking.ts";
import { enter, settle } from "../../../src/registrar/intake/window.ts";
import { createLedger } from "../../../src/registrar/ledger/ledger.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { createLogWatch } from "../../../src/registrar/ownership/log-watch.ts";
import { freshPartition, planFrom } from "../fresh-partition.ts";

// INV-KNOWN-LOG
describe("a topic that was deleted and created again", () => {
  for (const [topic, code] of [
    ["enrolled", "retention-gap"],
    ["retry", "retention-gap"],
    ["registered", "ledger-lost"],
  ] as const satisfies [Topic, string][]) {
    test(`${topic}: stops a running worker, though nothing comes`, async (t) => {
      const world = createWorld(t);
      world.emit(...many(3, contoso));
      const worker = world.start();
      await world.untilRegistered(3);
      world.log.topicIds[topic] = "another";
      await world.time.until("it has stopped", () => worker.fault() !== undefined, 30_000);
      assert.equal(worker.fault()?.code, code);
      assert.match(worker.fault()!.message, /deleted and created again/);
    });

    test(`${topic}: stops the next worker at its start, before anything is posted or committed`, async (t) => {
      const world = createWorld(t);
      world.emit(...many(3, contoso));
      await world.untilStopped(world.start(), 3);
      world.log.topicIds[topic] = "another";
      world.emit(...many(3, contoso, 10));
      const commits = world.log.commits.length;
      const worker = world.start();
      await world.time.until("it has stopped", () => worker.fault() !== undefined);
      assert.equal(worker.fault()?.code, code);
      assert.deepEqual([world.createdMachines().length, world.log.commits.length], [3, commits]);
    });
  }
});

// INV-KNOWN-LOG
test("a registered topic that ends before it did stops a running worker", async (t) => {
  const world = createWorld(t);
  world.emit(...many(3, contoso));
  const worker = world.start({ settleMs: 1_000 });
  await world.untilRegistered(3);
  await world.time.pass(60_000);
  world.emit(...many(2, contoso, 10));
  await world.untilRegistered(5);
  worker.crash();
  const next = world.start();
  await world.time.until("it reads the ledger", () => next.seen("partition-gained").length > 0);
  world.log.cutEnd("registered", 0, 2);
  await world.time.until("it has stopped", () => next.fault() !== undefined, 60_000);
  assert.equal(next.fault()?.code, "ledger-lost");
});

test("an enrolled topic that ends before what was read stops a running worker", async (t) => {
  const world = createWorld(t);
  world.emit(...many(3, contoso));
  const worker = world.start();
  await world.untilRegistered(3);
  world.log.cutEnd("enrolled", 0, 1);
  await world.time.until("it has stopped", () => worker.fault() !== undefined, 60_000);
  assert.equal(worker.fault()?.code, "retention-gap");
  assert.match(worker.fault()!.message, /beyond the log's end 1/);
});

test("allowed to continue with a topic that was created again, the next worker looks every record up first", async (t) => {
  const world = createWorld(t);
  world.emit(...many(3, contoso));
  await world.untilStopped(world.start(), 3);
  world.log.topicIds.enrolled = "another";
  world.log.cutEnd("enrolled", 0, 0);
  world.emit(...many(2, contoso, 10));
  const worker = world.start({ onRetentionGap: "continue" });
  await world.untilRegistered(5, 300_000);
  assert.ok(world.lists().length > 0);
  await world.time.pass(5_000);
  assert.equal(worker.fault(), undefined);
  assert.equal(world.log.committed("enrolled")?.offset, 2);
});

describe("a log that lost records and grew again past where it was read", () => {
  /** Three records were read; two of them are lost, and others stand in their place, under another leader. */
  function loseAndGrow(world: World): void {
    world.log.cutEnd("enrolled", 0, 1);
    world.log.leaderEpoch = 1;
    world.emit(...many(4, contoso, 10));
  }

  test("stops a running worker", async (t) => {
    const world = createWorld(t);
    world.emit(...many(3, contoso));
    const worker = world.start();
    await world.untilRegistered(3);
    loseAndGrow(world);
    await world.time.until("it has stopped", () => worker.fault() !== undefined, 60_000);
    assert.equal(worker.fault()?.code, "retention-gap");
    assert.deepEqual(world.createdMachines().length, 3);
  });

  test("stops the next worker: what was settled is known with its leader's epoch", async (t) => {
    const world = createWorld(t);
    world.emit(...many(3, contoso));
    await world.untilStopped(world.start(), 3);
    loseAndGrow(world);
    const worker = world.start();
    await world.time.until("it has stopped", () => worker.fault() !== undefined, 60_000);
    assert.equal(worker.fault()?.code, "retention-gap");
  });

  test("allowed to continue, the worker takes all that is there for suspect, and registers it", async (t) => {
    const world = createWorld(t);
    world.emit(...many(3, contoso));
    await world.untilStopped(world.start(), 3);
    loseAndGrow(world);
    const worker = world.start({ onRetentionGap: "continue" });
    await world.untilRegistered(7, 300_000);
    await world.time.pass(5_000);
    assert.deepEqual([worker.fault(), world.log.committed("enrolled")?.offset], [undefined, 5]);
    assert.ok(world.lists().length > 0, "the new ones were looked up first");
  });
});

test("allowed to continue when a topic loses records during the run, the worker takes the partition again within the session", async (t) => {
  const world = createWorld(t);
  world.emit(...many(3, contoso));
  const worker = world.start({ onRetentionGap: "continue" });
  await world.untilRegistered(3);
  world.log.cutEnd("enrolled", 0, 1);
  world.log.leaderEpoch = 1;
  world.emit(...many(4, contoso, 10));
  await world.untilRegistered(7, 300_000);
  world.emit(...many(2, contoso, 20));
  await world.untilRegistered(9, 300_000);
  assert.equal(worker.seen("session-started").length, 1);
  assert.equal(worker.seen("partition-gained").length, 2);
  assert.equal(worker.fault(), undefined);
});

describe("a look at the log", () => {
  function given(t: TestContext) {
    const world = createWorld(t);
    const { log } = world.log.connect(world.time, () => false);
    const state = { surveys: 0, fails: false, faults: [] as Problem[] };
    const survey: typeof log.survey = () => {
      state.surveys++;
      return state.fails ? Promise.resolve({ ok: false, reason: "no leader" }) : log.survey();
    };
    const partition = freshPartition({
      lease: createLease({ ended: new AbortController().signal } as Session),
      topicIds: { enrolled: "id-e", retry: "id-r", registered: "id-g" },
      plans: { enrolled: planFrom(2), retry: planFrom(0, 2) },
      ledger: createLedger("id-g"),
    });
    const owned = new Map([[0, partition]]);
    const parts = { clock: world.time, log: { ...log, survey }, owned, checkParked: () => {} };
    const watch = createLogWatch(parts, (fault) => state.faults.push(fault));
    return { world, state, partition, owned, watch };
  }

  test("counts what is not settled: read until the first look, then up to the log's end too", async (t) => {
    const { world, partition, watch, state } = given(t);
    world.emit(...many(9, contoso));
    world.log.store(parkedBefore({}));
    assert.equal(watch.lagRecords(), 0);
    const slot = enter(partition.window, 2);
    enter(partition.window, 3);
    assert.equal(watch.lagRecords(), 2);
    await world.time.pass(9_999);
    assert.equal(watch.lagRecords(), 2);
    await world.time.pass(100);
    assert.equal(watch.lagRecords(), 8);
    settle(partition.window, slot);
    note(partition.parking, "tenant", 0);
    note(partition.parking, "tenant", 1);
    assert.equal(watch.lagRecords(), 6 + 2);
    assert.deepEqual(state.faults, []);
  });

  test("is taken every ten seconds, though one fails, not without a partition, and not after the end", async (t) => {
    const { world, state, owned, partition, watch } = given(t);
    state.fails = true;
    await world.time.pass(25_000);
    assert.equal(state.surveys, 2);
    state.fails = false;
    owned.clear();
    await world.time.pass(30_000);
    assert.equal(state.surveys, 2);
    owned.set(0, partition);
    world.log.topicIds.enrolled = "another";
    watch.stop();
    await world.time.pass(30_000);
    assert.deepEqual([state.surveys, state.faults], [2, []]);
  });

  test("says nothing once it was stopped while it looked, and nothing about ids that are not known", async (t) => {
    const { world, state, watch } = given(t);
    world.log.topicIds.enrolled = null;
    await world.time.pass(15_000);
    assert.deepEqual(state.faults, []);
    world.log.topicIds.enrolled = "another";
    const release = world.log.hold("survey");
    await world.time.pass(10_000);
    watch.stop();
    release();
    await world.time.pass(60_000);
    assert.deepEqual([state.faults, state.surveys], [[], 2]);
  });
});

test("registered records that were lost before any worker read them stop the next worker", async (t) => {
  const world = createWorld(t);
  world.emit(...many(3, contoso));
  const worker = world.start();
  await world.untilRegistered(3);
  await world.time.until("all is committed", () => world.log.committed("enrolled")?.offset === 3);
  worker.crash();
  world.log.cutEnd("registered", 0, 1);
  const next = world.start();
  await world.time.until("it has stopped", () => next.fault() !== undefined);
  assert.equal(next.fault()?.code, "ledger-lost");
});
