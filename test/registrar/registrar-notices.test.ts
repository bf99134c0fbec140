/** What one part of a worker lets another know of, and what it does not do any more once it stops. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, fabrikam, parkedBefore } from "../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../lab/testkit/registrar-world.ts";
import type { Clock, EventLog } from "../../src/ports.ts";
import type { Problem } from "../../src/problem.ts";
import { startRegistrar } from "../../src/registrar/registrar.ts";
import { tenantsOf } from "./tenants-list.ts";

test("a record that settles makes room for the next one immediately", async (t) => {
  const world = createWorld(t);
  world.emit(...many(20, contoso));
  world.start({ windowRecords: 1 });
  await world.untilRegistered(20, 1_000);
});

test("a partition that is taken over again within its session is read again as soon as it is, though its window was full", async (t) => {
  for (const phaseMs of [20, 145]) {
    const world = createWorld(t);
    world.log.store(parkedBefore({ tenant: fabrikam }));
    const worker = world.start({ windowRecords: 1, onRetentionGap: "continue" });
    await world.untilRegistered(1);
    world.graph.latencyMs = 3_600_000;
    world.emit(...many(3, contoso));
    await world.time.until("the window is full", () => world.creates(contoso).length === 1);
    await world.time.pass(1_000 + phaseMs);
    const reads = () => worker.seen("records-read").filter(({ topic }) => topic === "enrolled").length;
    const before = reads();
    world.log.cutEnd("retry", 0, 0);
    await world.time.until("it is gained again", () => worker.seen("partition-gained").length === 2);
    await world.time.until("it is read", () => reads() > before, 50);
  }
});

/** Records of both tenants that no commit promises yet, since commits are held up. */
async function givenUnpromised(t: TestContext) {
  const world = createWorld(t);
  const { served, set } = tenantsOf(contoso, fabrikam);
  const worker = world.start({ tenants: served, attemptAhead: 2 });
  await world.time.pass(2_000);
  const release = world.log.hold("commit");
  world.emit(...many(4, contoso), ...many(3, fabrikam, 10));
  await world.time.pass(1_000);
  assert.equal(world.creates().flatMap(({ items }) => items).length, 2);
  return { world, worker, set, release };
}

const paused = (tenantId: string) => ({ tenantId, paused: true });

// INV-SERVED
describe("a tenant that is paused", () => {
  test("has its records parked immediately, whatever they wait for, and one that is paused later too", async (t) => {
    const { world, set } = await givenUnpromised(t);
    set(paused(contoso), fabrikam);
    await world.time.pass(10);
    assert.equal(world.log.records("retry").length, 2);
    set(paused(contoso), paused(fabrikam));
    await world.time.pass(10);
    assert.equal(world.log.records("retry").length, 5);
  });

  test("in the turn in which the worker stops has nothing parked", async (t) => {
    const { world, worker, set, release } = await givenUnpromised(t);
    set(paused(contoso), fabrikam);
    void worker.registrar.stop(9_000);
    release();
    await world.time.until("it has stopped", () => worker.fault() !== undefined);
    assert.equal(world.log.records("retry").length, 0);
  });

  test("in the turn in which its partition is lost has nothing parked", async (t) => {
    const { world, worker, set } = await givenUnpromised(t);
    set(paused(contoso), fabrikam);
    worker.member.rebalance([]);
    await world.time.pass(5_000);
    assert.equal(world.log.records("retry").length, 0);
    assert.equal(worker.fault(), undefined);
  });
});

// INV-SERVED
test("a change of the tenants while the worker stops is the next worker's affair", async (t) => {
  const world = createWorld(t);
  const { served, set } = tenantsOf(contoso, fabrikam);
  world.graph.latencyMs = 5_000;
  world.emit(...many(6, contoso));
  const worker = world.start({ tenants: served, maxInFlight: 1, batchMax: 1 });
  await world.time.until("a POST is under way", () => world.creates().length === 1);
  void worker.registrar.stop(30_000);
  set(fabrikam);
  await world.time.until("it has stopped", () => worker.fault() !== undefined);
  assert.deepEqual([world.deadLetters(), world.registered().length], [[], 1]);
  world.start({ tenants: served });
  await world.time.until("the others are refused", () => world.deadLetters().length === 5);
});

describe("a worker", () => {
  test("that is stopped twice ends once", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    world.emit({});
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    const commits = world.log.commits.length;
    const [first, second] = [worker.registrar.stop(9_000), worker.registrar.stop(9_000)];
    assert.equal(first, second);
    await world.time.until("it has stopped", () => worker.fault() !== undefined);
    await world.time.pass(20_000);
    assert.equal(world.log.commits.length, commits + 1);
    assert.equal(worker.seen("partition-lost").length, 1);
  });

  test("that stops has no fault any more, and one that has a fault has no other", async (t) => {
    const world = createWorld(t);
    const stopping = world.start();
    await world.time.pass(1_000);
    void stopping.registrar.stop(9_000);
    stopping.member.failMembership("the group was deleted");
    await world.time.until("it has stopped", () => stopping.fault() !== undefined);
    assert.deepEqual([stopping.fault(), stopping.seen("fault")], [null, []]);
    const failing = world.start();
    await world.time.pass(1_000);
    failing.member.failMembership("first");
    failing.member.failMembership("second");
    await world.time.until("it has stopped", () => failing.fault() !== undefined);
    await world.time.pass(60_000);
    assert.match(failing.fault()?.message ?? "", /first/);
    assert.equal(failing.seen("fault").length, 1);
  });

  test("that has stopped leaves no timer behind, so that its process ends", async (t) => {
    const world = createWorld(t);
    let pending = 0;
    const clock: Clock = {
      ...world.time,
      after(delayMs, callback) {
        let isOpen = true;
        const close = () => {
          if (isOpen) pending--;
          isOpen = false;
        };
        pending++;
        const cancel = world.time.after(delayMs, () => {
          close();
          callback();
        });
        return () => {
          close();
          cancel();
        };
      },
    };
    const { log } = world.log.connect(world.time, () => false);
    const ports = { log, graph: world.graph, clock, random: () => 0.5, observe: () => {} };
    const registrar = startRegistrar(ports, settings);
    world.emit(...many(3, contoso));
    await world.untilRegistered(3);
    assert.ok(pending > 0);
    void registrar.stop(5_000);
    await world.time.pass(60_000);
    assert.equal(pending, 0);
  });

  test("whose log says what is to be done about lost membership stops with that", async (t) => {
    const world = createWorld(t);
    const { log } = world.log.connect(world.time, () => false);
    const problem: Problem = { code: "group-refused", message: "it may not join", fix: "grant it" };
    const join: EventLog["join"] = async (_, onFailure) => {
      onFailure("refused", problem);
      return { leave: async () => {} };
    };
    const ports = { graph: world.graph, clock: world.time, random: () => 0.5, observe: () => {} };
    const registrar = startRegistrar({ ...ports, log: { ...log, join } }, settings);
    let fault: Problem | null | undefined;
    void registrar.done.then((why) => {
      fault = why;
    });
    await world.time.until("it has stopped", () => fault !== undefined);
    assert.deepEqual(fault, problem);
  });
});
