/** What one part of a worker lets another know of, and what it does not do any more once it stops. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, fabrikam } from "../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../lab/testkit/registrar-world.ts";
import type { EventLog } from "../../src/ports.ts";
import type { Problem } from "../../src/problem.ts";
import { startRegistrar } from "../../src/registrar/registrar.ts";
import { tenantsOf } from "./tenants-list.ts";

test("a record that settles makes room for the next one immediately", async (t) => {
  const world = createWorld(t);
  world.emit(...many(20, contoso));
  world.start({ windowRecords: 1 });
  await world.untilRegistered(20, 1_000);
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
