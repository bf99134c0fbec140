/** Lists that are slow or refused: how many are under way, and what a refusal does to its tenant. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost, lostAfterCreating } from "../../../lab/testkit/scripted-graph.ts";
import { readDeadLetter } from "../../../src/domain/dead-letter.ts";

describe("lists that are slow", () => {
  function slowly(t: TestContext) {
    const world = createWorld(t);
    const most = new Map<string, number>();
    let underWay = 0;
    const { list } = world.graph;
    world.graph.list = async (tenantId) => {
      underWay++;
      most.set(tenantId, Math.max(most.get(tenantId) ?? 0, underWay));
      const reply = await list(tenantId);
      await new Promise<void>((resolve) => world.time.after(20_000, resolve));
      underWay--;
      return reply;
    };
    return { world, most };
  }

  test("one at a time for a tenant, though another record falls in doubt between two of them", async (t) => {
    const { world, most } = slowly(t);
    world.graph.script(contoso, answers(500));
    world.emit({ machine: "A" });
    world.start();
    await world.time.until("it was listed", () => world.lists().length === 1);
    // That list has ended, and the next one is not due yet.
    await world.time.pass(20_100);
    for (const machine of ["B", "C", "D"]) {
      world.graph.script(contoso, answers(500));
      world.emit({ machine });
      await world.time.pass(1_500);
    }
    await world.untilRegistered(4);
    assert.equal(most.get(contoso), 1);
  });

  test("eight at a time, whatever the number of tenants", async (t) => {
    const { world, most } = slowly(t);
    const tenants = Array.from(
      { length: 12 },
      (_, n) => `${String(n).padStart(8, "0")}-1111-4111-8111-111111111111`,
    );
    for (const tenant of tenants) {
      // In doubt, and yet no sign of an outage.
      world.graph.script(tenant, { ...answers(409), creates: true });
      world.emit({ tenant });
    }
    const worker = world.start();
    await world.time.pass(5_000);
    assert.deepEqual([world.lists().length, worker.registrar.status().waiting], [8, 12]);
    await world.untilRegistered(12);
    assert.equal(Math.max(...most.values()), 8);
  });
});

describe("a tenant whose lists are refused", () => {
  for (const status of [401, 402, 403, 407])
    test(`${status} blocks it, as a create that is refused does; it is served again once its list is`, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, lostAfterCreating);
      for (let n = 0; n < 500; n++) world.graph.listScript.push(answers(status).reply);
      world.emit({ machine: "LOST" });
      const worker = world.start();
      await world.time.pass(3_600_000);
      assert.deepEqual(worker.registrar.status().blockedTenants, [contoso]);
      const asked = world.lists().length;
      assert.ok(asked > 10 && asked < 60, `${asked} lists in an hour`);
      assert.equal(worker.seen("tenant-blocked").length, 1);
      world.graph.listScript.length = 0;
      await world.untilRegistered(1);
      assert.deepEqual(worker.registrar.status().blockedTenants, []);
      assert.equal(worker.seen("tenant-unblocked").length, 1);
      assert.equal(world.creates().length, 1);
    });

  test("after TENANT_BLOCKED_MAX its record in doubt is dead-lettered, which says that an object may exist", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lostAfterCreating);
    for (let n = 0; n < 500; n++) world.graph.listScript.push(answers(403).reply);
    world.emit({});
    const worker = world.start({ tenantBlockedMaxMs: 3_600_000 });
    await world.time.pass(3_500_000);
    assert.deepEqual(world.deadLetters(), []);
    await world.time.pass(700_000);
    assert.deepEqual(world.deadLetters(), ["tenant-blocked enrolled/0/0"]);
    const dead = readDeadLetter(world.log.records("dlq")[0]!);
    assert.match(dead!.refusal.message, /object of it may exist.*403/);
    assert.equal(world.log.committed("enrolled")?.offset, 1);
    assert.deepEqual(worker.registrar.status().blockedTenants, [], "nothing of it needs a list any more");
  });

  test("a create that succeeds does not end it, since the reads are still refused", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    for (let n = 0; n < 500; n++) world.graph.listScript.push(answers(403).reply);
    world.emit({ machine: "LOST" });
    const worker = world.start();
    await world.time.pass(10_000);
    world.emit({ machine: "NEXT" });
    await world.untilRegistered(1);
    await world.time.pass(1_000);
    assert.deepEqual(worker.registrar.status().blockedTenants, [contoso]);
    assert.equal(worker.seen("tenant-blocked").length, 1);
  });

  test("one list that is answered well ends it, though it shows nothing yet", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    world.graph.listScript.push(answers(403).reply, answers(403).reply);
    world.emit({});
    const worker = world.start();
    await world.time.until("it is blocked", () => worker.seen("tenant-blocked").length === 1);
    await world.time.until("it is unblocked", () => worker.seen("tenant-unblocked").length === 1);
    assert.equal(world.lists().length, 3);
    assert.equal(world.creates().length, 1);
  });

  test("404 without the route is not an empty list", async (t) => {
    const world = createWorld(t);
    const missing = answers(404, { message: "No OData route exists that match template" });
    world.graph.script(contoso, { ...lostAfterCreating });
    for (let n = 0; n < 50; n++) world.graph.listScript.push(missing.reply);
    world.emit({});
    const worker = world.start();
    await world.time.pass(settings.settleMs + 300_000);
    assert.equal(world.creates().length, 1);
    assert.deepEqual(worker.registrar.status().blockedTenants, [contoso]);
  });
});
