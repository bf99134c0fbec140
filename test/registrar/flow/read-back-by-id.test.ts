/** Once Graph has made an object under an id of ours, doubt is resolved by reading that id. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost, lostAfterCreating, silence } from "../../../lab/testkit/scripted-graph.ts";
import { encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

/** One enrollment has shown that ids are honoured; the next one's reply is lost. */
async function afterHonouring(t: Parameters<typeof createWorld>[0], step: typeof lost) {
  const world = createWorld(t);
  world.graph.ids = "honoured";
  world.start();
  world.emit({ machine: "HOST-1" });
  await world.untilRegistered(1, 5_000);
  world.graph.script(contoso, step);
  world.emit({ machine: "HOST-2" });
  return world;
}

const gets = (world: ReturnType<typeof createWorld>) =>
  world.graph.asked.filter(({ operation }) => operation === "get");

test("it is there: adopted after one read, and the tenant is never listed", async (t) => {
  const world = await afterHonouring(t, lostAfterCreating);
  await world.untilRegistered(2, 5_000);
  assert.equal(world.registered()[1]?.data.outcome, "recovered");
  assert.deepEqual([gets(world).length, world.lists().length], [1, 0]);
  assert.equal(world.graph.objects.get(contoso)?.length, 2);
});

test("it is not there: posted again only after a read that began when its request could no longer run", async (t) => {
  const world = await afterHonouring(t, lost);
  await world.untilRegistered(2);
  const [, first, second] = world.creates();
  const reads = gets(world).map(({ atMs }) => atMs);
  assert.deepEqual([world.lists().length, reads.length], [0, 2]);
  assert.ok(reads.at(-1)! >= first!.atMs + settings.settleMs && second!.atMs >= reads.at(-1)!, `${reads}`);
  assert.equal(world.graph.objects.get(contoso)?.length, 2);
});

test("a read that began while the request could still run proves nothing, whenever it ends", async (t) => {
  const world = await afterHonouring(t, lost);
  const get = world.graph.get;
  let slow = true;
  world.graph.get = async (...call) => {
    const reply = await get(...call);
    if (slow) await new Promise<void>((resolve) => world.time.after(settings.settleMs + 5_000, resolve));
    slow = false;
    return reply;
  };
  await world.time.pass(40_000);
  world.graph.objects.get(contoso)!.push(objectOf({ machine: "HOST-2" }, keyOf({ machine: "HOST-2" })));
  await world.untilRegistered(2);
  assert.equal(world.creates().length, 2);
});

for (const [given, reply] of [
  ["is lost", silence("reset", true)],
  ["is answered 503", answers(503).reply],
  ["finds no route", answers(404, { message: "No OData route exists that match template" }).reply],
  ["shows another object", { ...answers(200).reply, object: objectOf({}, "another-id") }],
] as const)
  test(`a read that ${given} proves nothing: the tenant is listed`, async (t) => {
    const world = await afterHonouring(t, lostAfterCreating);
    await world.time.until("it is posted", () => world.creates().length === 2);
    world.graph.getScript.push(reply);
    await world.untilRegistered(2, 60_000);
    assert.equal(world.registered()[1]?.data.outcome, "recovered");
    assert.deepEqual([world.creates().length, gets(world).length, world.lists().length], [2, 1, 1]);
  });

test("an object under our id is ours, in whatever case the id comes back", async (t) => {
  const world = await afterHonouring(t, lost);
  const enrolling = { machine: "HOST-2" };
  const object = objectOf(enrolling, keyOf(enrolling).toUpperCase());
  world.graph.getScript.push({ ...answers(200).reply, object });
  await world.untilRegistered(2, 5_000);
  assert.deepEqual([world.registered()[1]?.data.id, world.lists()], [object.id, []]);
});

describe("many reads by id", () => {
  test("are sixteen at a time, each with its time and its answer in the events", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    const worker = world.start();
    world.emit({ machine: "SHOWS-IT" });
    await world.untilRegistered(1);
    const { get } = world.graph;
    const begun: number[] = [];
    world.graph.get = async (...call) => {
      begun.push(world.time.nowMs());
      await new Promise<void>((resolve) => world.time.after(10_000, resolve));
      return get(...call);
    };
    world.graph.script(fabrikam, ...Array.from({ length: 20 }, () => ({ ...answers(500), creates: true })));
    world.emit(...many(20, fabrikam));
    await world.time.pass(5_000);
    assert.deepEqual([begun.length, worker.registrar.status().waiting], [16, 20]);
    await world.untilRegistered(21);
    assert.equal(begun.length, 20);
    const events = worker.seen("graph-request").filter(({ operation }) => operation === "get");
    assert.equal(events.length, 20);
    for (const { durationMs, results } of events)
      assert.deepEqual([durationMs, results], [10_000 + world.graph.latencyMs, [200]]);
  });

  test("wait in an outage, and then one of them probes", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    const worker = world.start();
    world.emit({ machine: "SHOWS-IT" });
    await world.untilRegistered(1);
    const tenants = Array.from(
      { length: 12 },
      (_, n) => `${String(n).padStart(8, "0")}-1111-4111-8111-111111111111`,
    );
    for (const tenant of tenants) {
      world.graph.script(tenant, lostAfterCreating);
      world.emit({ tenant });
    }
    await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1);
    const openedAtMs = world.time.nowMs();
    await world.untilRegistered(13);
    const [first, second] = gets(world).map(({ atMs }) => atMs);
    assert.ok(
      first! >= openedAtMs + 500 && second! >= first! + world.graph.latencyMs,
      `${openedAtMs} ${first} ${second}`,
    );
    assert.equal(gets(world).length, 12);
    assert.deepEqual(world.lists(), []);
  });
});

test("what another owner began may lack our id: the tenant is listed, and the object adopted whatever its id", async (t) => {
  const world = createWorld(t);
  world.graph.ids = "honoured";
  const metadata = encodeMetadata({ attemptedThrough: 1, claim: "theirs", limits: null, known: null });
  world.log.commitBefore({ topic: "enrolled", partition: 0, offset: 0, metadata });
  world.emit({});
  world.graph.objects.set(contoso, [objectOf({})]);
  world.start();
  world.emit({ machine: "HOST-2" });
  await world.untilRegistered(2);
  const outcomes = world.registered().map(({ data }) => `${data.id.slice(0, 16)} ${data.outcome}`);
  assert.deepEqual([outcomes[1], world.creates().length], ["object-of-before recovered", 1]);
  assert.equal(world.graph.objects.get(contoso)?.length, 2);
});

test("what was posted without id is looked up in lists, also where Graph honours ids", async (t) => {
  const world = createWorld(t);
  world.graph.ids = "honoured";
  // Refused with our id, it is posted once more without; meanwhile another record shows that ids are honoured.
  world.graph.script(contoso, answers(400), { ...lostAfterCreating, delayMs: 2_000 });
  world.emit({ machine: "HOST-1" });
  world.start();
  await world.time.until("it is posted again", () => world.creates().length === 2, 10_000);
  world.emit({ machine: "HOST-2" });
  await world.untilRegistered(2);
  assert.deepEqual(
    world.creates().map(({ items }) => items[0]?.id === null),
    [false, true, false],
  );
  assert.equal(world.graph.objects.get(contoso)?.length, 2);
});

test("a read by id does not wait for a list of its tenant that is under way", async (t) => {
  const world = createWorld(t);
  world.graph.ids = "honoured";
  world.graph.script(contoso, answers(400), lostAfterCreating);
  const { list } = world.graph;
  world.graph.list = async (tenantId) => {
    await new Promise<void>((resolve) => world.time.after(60_000, resolve));
    return list(tenantId);
  };
  world.emit({ machine: "WITHOUT-ID" });
  world.start();
  await world.time.until("it is in doubt", () => world.graph.objects.get(contoso)?.length === 1);
  world.emit({ machine: "SHOWS-IT" });
  await world.untilRegistered(1);
  world.graph.script(contoso, lostAfterCreating);
  world.emit({ machine: "HOST-2" });
  await world.untilRegistered(2, 10_000);
  await world.untilRegistered(3);
});

test("doubt from before ids were seen to be honoured moves from lists to reads by id", async (t) => {
  const world = createWorld(t);
  world.graph.ids = "honoured";
  world.graph.script(contoso, lost);
  world.emit({ machine: "HOST-1" });
  world.start();
  await world.time.until("it is listed", () => world.lists().length === 1, 30_000);
  world.emit({ machine: "HOST-2" });
  await world.untilRegistered(2);
  assert.deepEqual([world.lists().length, gets(world).length > 0], [1, true]);
  assert.equal(world.graph.objects.get(contoso)?.length, 2);
});
