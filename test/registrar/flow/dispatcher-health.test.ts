/** What answers say of a tenant and of Graph: who is blocked, whose turn it is, and when it is an outage. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, tailspin } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import { answers, byItself, connectionRefused, silence } from "../../../lab/testkit/scripted-graph.ts";
import { readDeadLetter } from "../../../src/domain/dead-letter.ts";

const sizes = (posts: readonly { readonly items: readonly unknown[] }[]) =>
  posts.map(({ items }) => items.length);

describe("a tenant that is blocked", () => {
  for (const status of [401, 403]) {
    test(`${status} blocks only that tenant, which is asked again now and then until it is served`, async (t) => {
      const world = createWorld(t);
      world.graph.always(contoso, answers(status));
      world.emit(...many(3, contoso), ...many(3, fabrikam));
      const worker = world.start();
      await world.untilRegistered(3, 5_000);
      await world.time.pass(3_600_000);
      assert.deepEqual(
        worker.seen("tenant-blocked").map(({ tenantId }) => tenantId),
        [contoso],
      );
      assert.deepEqual(worker.registrar.status().blockedTenants, [contoso]);
      const asked = world.creates(contoso).length;
      assert.ok(asked > 10 && asked < 60, `${asked} requests in an hour`);
      assert.ok(
        sizes(world.creates(contoso))
          .slice(3)
          .every((size) => size === 1),
      );
      world.graph.always(contoso, null);
      await world.untilRegistered(6);
      assert.deepEqual(
        worker.seen("tenant-unblocked").map(({ tenantId }) => tenantId),
        [contoso],
      );
      assert.deepEqual(world.deadLetters(), []);
      assert.equal(worker.registrar.status().ready, true);
    });
  }

  test("its records are dead-lettered once it has been blocked for tenantBlockedMaxMs, and new ones too", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(403));
    world.emit({});
    world.start({ tenantBlockedMaxMs: 3_600_000 });
    await world.time.pass(3_500_000);
    assert.deepEqual(world.deadLetters(), []);
    await world.time.pass(600_000);
    assert.deepEqual(world.deadLetters(), ["tenant-blocked enrolled/0/0"]);
    assert.match(
      readDeadLetter(world.log.records("dlq")[0]!)!.refusal.message,
      /^Its tenant stayed blocked for 1 h/,
    );
    assert.equal(world.log.committed("enrolled")?.offset, 1);
  });

  test("a record that was old already when its tenant was first refused still waits for the whole time", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(403));
    world.emit({});
    await world.time.pass(7 * 86_400_000);
    world.start();
    await world.time.pass(3_600_000);
    assert.ok(world.creates().length > 1);
    assert.deepEqual(world.deadLetters(), []);
  });
});

describe("what a request says of Graph", () => {
  const tenants = Array.from({ length: 9 }, (_, n) => contoso.replaceAll("1", `${n}`));

  for (const [given, step, opened] of [
    ["one item of each batch is created: Graph is well", [byItself, connectionRefused], 0],
    ["no item of any batch is: it is an outage", [connectionRefused, connectionRefused], 1],
    ["tokens are refused: that says nothing", [{ reply: silence("credential", false) }], 0],
  ] as const)
    test(given, async (t) => {
      const world = createWorld(t);
      for (const tenant of tenants) {
        world.graph.script(tenant, ...step);
        world.emit(...many(step.length, tenant));
      }
      const worker = world.start();
      await world.time.until("all are answered", () => worker.seen("graph-request").length === 9);
      assert.equal(worker.seen("breaker-opened").length, opened);
    });

  /** One ill answer to contoso; then it and fabrikam wait for the one request slot. */
  test("one failure of a tenant does not put it behind others", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, connectionRefused);
    world.graph.script(tailspin, { ...byItself, delayMs: 5_000 });
    world.emit({ tenant: contoso });
    world.start({ maxInFlight: 1 });
    await world.time.until("it failed", () => world.creates().length === 1);
    world.emit({ tenant: tailspin });
    await world.time.until("the slot is taken", () => world.creates(tailspin).length === 1);
    world.emit({ tenant: contoso, machine: "NEXT" }, { tenant: fabrikam });
    await world.untilRegistered(4);
    assert.deepEqual(
      world.creates().map(({ tenantId }) => tenantId),
      [contoso, tailspin, contoso, fabrikam],
    );
  });
});
