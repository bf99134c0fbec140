/** One tenant that always fails must not stop another, whatever fails of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, headerNames } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost } from "../../../lab/testkit/scripted-graph.ts";

// INV-ISOLATION, INV-ATTEMPTS
describe("one tenant's trouble", () => {
  for (const status of [403, 500])
    test(`lists that always answer ${status}: other tenants are served, through a window that is full of it`, async (t) => {
      const world = createWorld(t);
      const refused = answers(status).reply;
      const list = world.graph.list;
      world.graph.list = (tenantId) =>
        tenantId === contoso
          ? list(tenantId).then((reply) => (reply.kind === "listed" ? refused : reply))
          : list(tenantId);
      world.graph.always(contoso, lost);
      world.emit(...many(15, contoso));
      const worker = world.start({ windowRecords: 10 });
      await world.time.pass(60_000);
      for (let n = 0; n < 30; n++) {
        world.emit({ tenant: fabrikam, machine: `OTHER-${n}` }, { machine: `MORE-${n}` });
        await world.time.until("served", () => world.registered().length === n + 1, 120_000);
      }
      assert.ok(worker.seen("record-parked").length > 10);
      assert.ok(world.log.records("retry").some((record) => headerNames(record).includes("in-doubt")));
      assert.ok(worker.seen(status === 403 ? "tenant-blocked" : "read-back-failed").length > 0);
      assert.deepEqual(world.deadLetters(), []);
    });

  test("a record that is alone and always answered 500: dead-lettered once others are served, and no record waits behind it", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(500));
    world.emit({ tenant: contoso });
    world.start({ maxAttempts: 3 });
    await world.time.pass(1_200_000);
    assert.deepEqual(world.deadLetters(), [], "alone at work, its failure may be an outage");
    let slowestMs = 0;
    for (let n = 0; n < 60; n++) {
      const emittedAtMs = world.time.nowMs();
      world.emit({ tenant: fabrikam, machine: `OTHER-${n}` });
      await world.untilRegistered(n + 1);
      slowestMs = Math.max(slowestMs, world.time.nowMs() - emittedAtMs);
      await world.time.pass(20_000);
    }
    assert.deepEqual(world.deadLetters(), ["attempts-exhausted enrolled/0/0"]);
    assert.ok(slowestMs < 1_000, `${slowestMs} ms`);
  });

  test("attempts are spent only while others are served: not in the hours in which none is", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(500));
    world.emit({ tenant: contoso }, { tenant: contoso, connector: "waits behind it" });
    world.start({ maxAttempts: 40 });
    for (let n = 0; n < 30; n++) {
      world.emit({ tenant: fabrikam, machine: `OTHER-${n}` });
      await world.time.pass(20_000);
    }
    const failed = world.creates(contoso).length;
    await world.time.pass(3_600_000);
    assert.ok(failed > 15 && world.creates(contoso).length > failed + 40);
    assert.deepEqual(world.deadLetters(), []);
    for (let n = 30; n < 130 && world.deadLetters().length === 0; n++) {
      world.emit({ tenant: fabrikam, machine: `OTHER-${n}` });
      await world.time.pass(20_000);
    }
    assert.deepEqual(world.deadLetters(), ["attempts-exhausted enrolled/0/0"]);
  });

  test("two of its records fail while other tenants are served: that is its outage, and spends no attempt", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(500));
    world.emit(...many(2, contoso));
    world.start({ maxAttempts: 3 });
    for (let n = 0; n < 60; n++) {
      world.emit({ tenant: fabrikam, machine: `OTHER-${n}` });
      await world.time.pass(60_000);
    }
    assert.equal(world.registered().length, 60);
    assert.deepEqual(world.deadLetters(), []);
    world.graph.always(contoso, null);
    await world.untilRegistered(62);
  });
});
