/** INV-SERVED: the list of tenants changes while records are on their way. */
import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { contoso, fabrikam, tailspin } from "../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../lab/testkit/registrar-world.ts";
import {
  connectionRefused,
  lost,
  lostAfterCreating,
  type Step,
  silence,
} from "../../lab/testkit/scripted-graph.ts";
import { decodeMetadata } from "../../src/registrar/ownership/commit-metadata.ts";
import { tenantsOf } from "./tenants-list.ts";

/** A create of a listed tenant that Graph was asked for, and `step` is the result. */
async function createInDoubt(t: TestContext, step: Step) {
  const world = createWorld(t);
  const { served, set } = tenantsOf(contoso);
  world.graph.script(contoso, step);
  world.emit({ tenant: contoso });
  world.start({ tenants: served });
  await world.time.until("it was posted", () => world.creates().length === 1);
  return { world, set };
}

const pausedContoso = { tenantId: contoso, paused: true };

suite("a tenant that is removed", () => {
  test("has its waiting records refused, each once, and nothing more posted", async (t) => {
    const world = createWorld(t);
    const { served, set } = tenantsOf(contoso, fabrikam);
    world.emit(...many(30, contoso));
    const worker = world.start({ tenants: served, writesPer20s: 10 });
    await world.untilRegistered(10);
    set(fabrikam);
    await world.time.until("the others are refused", () => world.deadLetters().length === 20);
    await world.time.pass(60_000);
    assert.equal(world.createdMachines(contoso).length, 10);
    assert.deepEqual(
      new Set(world.deadLetters().map((letter) => letter.split(" ")[0])),
      new Set(["tenant-not-allowed"]),
    );
    assert.equal(world.log.committed("enrolled")?.offset, 30);
    assert.equal(worker.registrar.status().waiting, 0);
  });

  test("has a create in doubt looked up: what was created is registered", async (t) => {
    const { world, set } = await createInDoubt(t, lostAfterCreating);
    set(fabrikam);
    await world.untilRegistered(1);
    assert.equal(world.registered()[0]?.data.outcome, "recovered");
    assert.deepEqual(world.deadLetters(), []);
  });

  test("has a create in doubt looked up: what was not created is refused, and not posted again", async (t) => {
    const { world, set } = await createInDoubt(t, lost);
    set(fabrikam);
    await world.time.until("it is refused", () => world.deadLetters().length === 1, 600_000);
    assert(world.lists().length >= 3, "refused before it was surely absent");
    assert.equal(world.creates().length, 1);
  });

  test("has what the last worker may have begun looked up by a worker that never served it", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { reply: silence("timeout", true), creates: true, delayMs: 10_000 });
    world.emit({ tenant: contoso, machine: "A" }, { tenant: contoso, machine: "B" });
    const first = world.start({ tenants: tenantsOf(contoso).served, batchMax: 1, maxInFlight: 1 });
    await world.time.until("the first was created", () => world.graph.objects.get(contoso)?.length === 1);
    first.crash();
    world.start({ tenants: tenantsOf(fabrikam).served });
    await world.untilRegistered(1, 600_000);
    await world.time.until("the other is refused", () => world.deadLetters().length === 1, 600_000);
    assert.equal(world.registered()[0]?.data.machineName, "A");
    assert.deepEqual(world.deadLetters(), ["tenant-not-allowed enrolled/0/1"]);
    assert.deepEqual(world.createdMachines(), ["A"]);
  });

  test("is not refused what stands in the ledger, nor what an earlier owner refused", async (t) => {
    const world = createWorld(t);
    world.emit({ tenant: contoso, machine: "A" }, { tenant: fabrikam, machine: "B" });
    const first = world.start({ tenants: tenantsOf(contoso).served });
    await world.untilRegistered(1);
    await world.time.until("B is refused", () => world.deadLetters().length === 1);
    first.crash();
    // The other way round: what was registered and what was refused stays so.
    world.start({ tenants: tenantsOf(fabrikam).served });
    await world.time.pass(300_000);
    assert.equal(world.registered().length, 1);
    assert.equal(world.deadLetters().length, 1);
    assert.deepEqual(world.createdMachines(), ["A"]);
    assert.equal(world.log.committed("enrolled")?.offset, 2);
  });
});

test("of one that is not served that is said, and nothing else that is wrong with its record", async (t) => {
  const world = createWorld(t);
  const { served } = tenantsOf(contoso);
  world.emit({ tenant: tailspin, at: "yesterday" }, { at: "yesterday" });
  world.start({ tenants: served });
  await world.time.until("both are refused", () => world.deadLetters().length === 2);
  const [code, ...others] = world.deadLetters().map((letter) => letter.split(" ")[0]);
  assert.equal(code, "tenant-not-allowed");
  assert.notEqual(others[0], code);
});

suite("a tenant that is added", () => {
  test("is served immediately, also its records that waited in the retry topic", async (t) => {
    const world = createWorld(t);
    const { served, set } = tenantsOf(pausedContoso, fabrikam);
    world.emit(...many(5, contoso), { tenant: tailspin });
    world.start({ tenants: served });
    await world.time.until("tailspin's is refused", () => world.deadLetters().length === 1);
    await world.time.until("contoso's are parked", () => world.log.records("retry").length === 5);
    set(contoso, fabrikam, tailspin);
    world.emit({ tenant: tailspin, machine: "later" });
    await world.untilRegistered(6);
    assert.deepEqual(world.createdMachines(tailspin), ["later"]);
  });
});

suite("a tenant that is paused", () => {
  test("has what the last worker may have begun looked up immediately, and not parked", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { reply: silence("timeout", true), creates: true, delayMs: 10_000 });
    world.emit({ tenant: contoso });
    const first = world.start({ tenants: tenantsOf(contoso).served });
    await world.time.until("it was created", () => world.graph.objects.get(contoso)?.length === 1);
    first.crash();
    world.start({ tenants: tenantsOf(pausedContoso).served });
    await world.untilRegistered(1, 600_000);
    assert.equal(world.registered()[0]?.data.outcome, "recovered");
    assert.deepEqual(world.log.records("retry"), []);
  });

  test("is parked, delays no other tenant, and continues in the order of each machine", async (t) => {
    const world = createWorld(t);
    const { served, set } = tenantsOf(contoso, fabrikam);
    const connectors = Array.from({ length: 12 }, (_, n) => ({
      tenant: contoso,
      machine: `M-${n % 2}`,
      connector: `c${n}`,
    }));
    world.emit(...connectors);
    world.start({ tenants: served, writesPer20s: 4 });
    await world.untilRegistered(4);
    set(pausedContoso, fabrikam);
    await world.time.until("all of it is parked", () => world.log.records("retry").length === 8, 60_000);
    world.emit({ tenant: contoso, machine: "M-0", connector: "c12" }, { tenant: fabrikam, machine: "other" });
    await world.untilRegistered(5);
    await world.time.pass(3_600_000);
    assert.equal(world.createdMachines(contoso).length, 4, "posted while it is paused");
    assert.equal(world.log.committed("enrolled")?.offset, 14, "its records hold up the committed offset");
    set(contoso, fabrikam);
    await world.untilRegistered(14, 600_000);
    for (const machine of ["M-0", "M-1"]) {
      const made = world.registered().filter(({ data }) => data.machineName === machine);
      const numbers = made.map(({ data }) => Number(data.connectorName.slice(1)));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
  });

  test("has what was begun finished: it is looked up, and registered", async (t) => {
    const { world, set } = await createInDoubt(t, lostAfterCreating);
    set(pausedContoso);
    await world.untilRegistered(1);
    assert.equal(world.registered()[0]?.data.outcome, "recovered");
  });

  test("keeps what was taken up from the retry topic where it stands, and that continues once it is served again", async (t) => {
    const world = createWorld(t);
    const { served, set } = tenantsOf(pausedContoso, fabrikam);
    world.emit(...many(6, contoso));
    world.start({ tenants: served, writesPer20s: 2 });
    await world.time.until("all are parked", () => world.log.records("retry").length === 6);
    set(contoso, fabrikam);
    await world.untilRegistered(2);
    set(pausedContoso, fabrikam);
    await world.time.pass(3_600_000);
    assert.equal(world.registered().length, 2, "posted while it is paused");
    assert.equal(world.log.records("retry").length, 6, "parked once more");
    set(contoso, fabrikam);
    await world.untilRegistered(6, 600_000);
    assert.equal(world.createdMachines(contoso).length, 6);
  });

  test("and is removed then, has all that was parked refused", async (t) => {
    const world = createWorld(t);
    const { served, set } = tenantsOf(pausedContoso, fabrikam);
    world.emit(...many(7, contoso));
    world.start({ tenants: served });
    await world.time.until("all are parked", () => world.log.records("retry").length === 7);
    set(fabrikam);
    await world.time.until("all are refused", () => world.deadLetters().length === 7);
    assert.deepEqual(world.creates(), []);
  });
});

test("a limit of its own applies immediately", async (t) => {
  const world = createWorld(t);
  const { served, set } = tenantsOf({ tenantId: contoso, writesPer20s: 2 });
  world.emit(...many(40, contoso));
  world.start({ tenants: served, writesPer20s: 100 });
  await world.untilRegistered(2);
  await world.time.pass(10_000);
  assert.equal(world.registered().length, 2);
  set({ tenantId: contoso, writesPer20s: 30 });
  await world.time.pass(21_000);
  assert(world.registered().length >= 30);
});

suite("two clouds", () => {
  test("an outage of one holds up no tenant of the other, and is said with its name", async (t) => {
    const world = createWorld(t);
    const others = ["4", "5", "6"].map((n) => contoso.replaceAll("1", n));
    const inOther = others.map((tenantId) => ({ tenantId, cloud: "us-gov" as const }));
    const { served } = tenantsOf(contoso, fabrikam, ...inOther);
    for (const tenant of others) {
      world.graph.always(tenant, connectionRefused);
      world.emit(...many(20, tenant));
    }
    const worker = world.start({ tenants: served });
    await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1, 60_000);
    assert.match(worker.seen("breaker-opened")[0]!.detail, /^cloud us-gov: /);
    const startedMs = world.time.nowMs();
    world.emit(...many(20, contoso), ...many(20, fabrikam));
    await world.untilRegistered(40);
    assert(world.time.nowMs() - startedMs < 2_000, "they waited for the other cloud");
    for (const tenant of others) world.graph.always(tenant, null);
    await world.untilRegistered(100, 120_000);
    assert.deepEqual(world.deadLetters(), []);
  });

  test("ids that one honours are not believed of the other, nor by the next owner", async (t) => {
    const world = createWorld(t);
    const { served } = tenantsOf(contoso, { tenantId: fabrikam, cloud: "us-gov" });
    world.graph.ids = "honoured";
    world.emit({ tenant: contoso });
    const worker = world.start({ tenants: served });
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    assert.equal(JSON.parse(world.log.committed("enrolled")!.metadata).h, 0, "said to be honoured, for both");
    world.graph.ids = "ignored";
    world.graph.script(fabrikam, lostAfterCreating);
    world.emit({ tenant: fabrikam });
    await world.untilRegistered(2);
    assert.equal(
      world.graph.asked.filter(({ operation }) => operation === "get").length,
      0,
      "read by an id that says nothing",
    );
    assert.equal(worker.seen("record-registered").at(-1)?.outcome, "recovered");
  });
});

suite("a tenant of a cloud without tenants before", () => {
  const isHonoured = (world: World) =>
    decodeMetadata(world.log.committed("enrolled")?.metadata ?? "")?.limits?.isHonoured;

  // INV-DOUBT
  test("is posted once a commit is stored that no longer says that ids are honoured, though its offset was promised before", async (t) => {
    const world = createWorld(t);
    const { served, set } = tenantsOf(contoso);
    world.graph.ids = "honoured";
    world.emit({ tenant: contoso });
    world.start({ tenants: served });
    await world.time.until("the stored commit says so", () => isHonoured(world) === true);
    const storedAtPost: unknown[] = [];
    const { create } = world.graph;
    world.graph.create = (tenantId, items) => {
      storedAtPost.push(isHonoured(world));
      return create(tenantId, items);
    };
    set(contoso, { tenantId: fabrikam, cloud: "us-gov" });
    const release = world.log.hold("commit");
    world.emit({ tenant: contoso, machine: "CT-2" }, { tenant: fabrikam });
    await world.time.until("the other cloud's goes on", () => world.creates(contoso).length === 2);
    await world.time.pass(5_000);
    assert.deepEqual([world.creates(fabrikam), storedAtPost], [[], [true]]);
    release();
    await world.untilRegistered(3);
    assert.deepEqual(storedAtPost, [true, false]);
    await world.time.until("it has shown it too", () => isHonoured(world) === true);
  });
});
