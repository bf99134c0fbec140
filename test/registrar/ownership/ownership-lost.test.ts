/** What an owner may still do with a partition that it lost, and what the next one makes of what it left. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, parkedBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings, type World } from "../../../lab/testkit/registrar-world.ts";
import { lost } from "../../../lab/testkit/scripted-graph.ts";
import type { InputTopic } from "../../../src/ports.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const claimOf = (world: World) => decodeMetadata(world.log.committed("enrolled")!.metadata)?.claim;

describe("a partition that is lost", () => {
  test("a 201 that comes within the request time-out is still published", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 20_000;
    const worker = world.start();
    world.emit({});
    await world.time.until("the POST is under way", () => world.creates().length === 1);
    worker.member.rebalance([]);
    await world.untilRegistered(1, 25_000);
    assert.deepEqual(
      worker.seen("partition-lost").map(({ abandoned }) => abandoned),
      [1],
    );
    // Its new owner may not have read the ledger yet, so we claim nothing about it.
    assert.deepEqual(worker.seen("record-registered"), []);
    assert.equal(world.log.committed("enrolled")?.offset, 0);
  });

  // INV-SETTLE-TIME
  test("one that comes later is not: the next owner may have looked already", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { reply: "by itself", delayMs: settings.requestTimeoutMs + 100 });
    const worker = world.start();
    world.emit({});
    await world.time.until("the POST is under way", () => world.creates().length === 1);
    worker.member.rebalance([]);
    await world.time.pass(300_000);
    assert.deepEqual(world.registered(), []);

    world.start();
    await world.untilRegistered(1);
    assert.equal(world.registered()[0]?.data.outcome, "recovered");
    assert.equal(world.createdMachines().length, 1);
  });

  test("what waited there is not posted any more", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 1_000;
    const worker = world.start({ maxInFlight: 1, batchMax: 1 });
    world.emit(...many(10, contoso));
    await world.time.until("a POST is under way", () => world.creates().length === 1);
    worker.member.rebalance([]);
    await world.time.pass(60_000);
    assert.equal(world.creates().length, 1);
  });
});

describe("a crash", () => {
  for (const [where, until] of [
    ["a POST is under way", (world: World) => world.creates().length === 3],
    [
      "objects are created and not yet registered",
      (world: World) => world.graph.objects.get(contoso)?.length === 3,
    ],
    [
      "registered records are stored and not yet committed",
      (world: World) => world.registered().length === 3,
    ],
  ] as const)
    test(`while ${where}: the next worker ends with one object and one record of each`, async (t) => {
      const world = createWorld(t);
      world.emit(...many(6, contoso));
      const worker = world.start({ maxInFlight: 3, batchMax: 1 });
      await world.time.until(where, () => until(world));
      worker.crash();
      await world.time.pass(1_000);
      const next = world.start();
      await world.time.until("all is committed", () => world.log.committed("enrolled")?.offset === 6);
      assert.equal(next.seen("partition-gained")[0]?.suspects, 6);
      const machines = (all: readonly { machineName: string }[]) =>
        all.map(({ machineName }) => machineName).sort();
      const expected = many(6, contoso).map(({ machine }) => machine);
      assert.deepEqual(machines(world.graph.objects.get(contoso) ?? []), expected);
      assert.deepEqual(machines(world.registered().map(({ data }) => data)), expected);
      assert.deepEqual(world.deadLetters(), []);
    });

  test("of a worker that does not know yet that it was superseded: its commits are refused, the next one's stand", async (t) => {
    const world = createWorld(t);
    const old = world.start();
    world.emit({ machine: "A" });
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    old.member.leaseMs = 0;
    world.start({}, {});
    await world.time.pass(1_000);
    const claim = claimOf(world);
    world.graph.script(contoso, lost);
    world.emit({ machine: "B" }, { machine: "C" });
    await world.untilRegistered(3);
    await world.time.pass(10_000);
    assert.deepEqual([claimOf(world), world.log.committed("enrolled")?.offset], [claim, 3]);
    assert.equal(world.graph.objects.get(contoso)?.length, 3);
    assert.deepEqual(old.seen("record-registered").length, 1);
  });
});

// INV-KNOWN-LOG
describe("an input that loses its end while it is taken over", () => {
  async function takeOverOf(t: TestContext, topic: InputTopic, onRetentionGap: "stop" | "continue") {
    const world = createWorld(t);
    world.emit(...many(4, contoso));
    for (const machine of ["P-1", "P-2"]) world.log.store(parkedBefore({ machine }, {}));
    for (const [of, offset, end] of [
      ["enrolled", 2, 4],
      ["retry", 1, 2],
    ] as const) {
      const metadata = encodeMetadata({ attemptedThrough: end, claim: "theirs", limits: null, known: null });
      world.log.commitBefore({ topic: of, partition: 0, offset, metadata });
    }
    const release = world.log.hold("commit");
    const worker = world.start({ onRetentionGap });
    await world.time.pass(5_000);
    world.log.cutEnd(topic, 0, 0);
    release();
    return { world, worker };
  }

  for (const topic of ["enrolled", "retry"] as const) {
    test(`stops the worker, which says that ${topic} was cut`, async (t) => {
      const { world, worker } = await takeOverOf(t, topic, "stop");
      await world.time.until("it stops", () => worker.fault() !== undefined);
      assert.equal(worker.fault()?.code, "retention-gap");
      assert.match(
        worker.fault()?.message ?? "",
        new RegExp(`^${topic} partition 0: .*beyond the log's end 0`),
      );
    });

    test(`is taken over again from its start where the operator chose to continue (${topic})`, async (t) => {
      const { world, worker } = await takeOverOf(t, topic, "continue");
      await world.time.until("it is taken over", () => worker.seen("partition-gained").length === 1);
      assert.deepEqual(
        worker.seen("gap-passed").map(({ topic: of, partition }) => [of, partition]),
        [[topic, 0]],
      );
      assert.match(worker.seen("gap-passed")[0]!.detail, /beyond the log's end 0/);
      world.emit({ machine: "NEW" });
      await world.time.until("what comes next is made", () => world.createdMachines().includes("NEW"));
      assert.equal(worker.fault(), undefined);
    });
  }
});
