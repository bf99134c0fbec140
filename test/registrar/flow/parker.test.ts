/** A slow tenant must not hold up the others: its records step aside into the retry topic, in order, and come back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  contoso,
  detailsOf,
  fabrikam,
  headerNames,
  objectOf,
  parkedBefore,
} from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost } from "../../../lab/testkit/scripted-graph.ts";
import { specify } from "../../../lab/testkit/specification.ts";

const windowRecords = 10;

/** Three machines of one tenant take turns, so that order shows. */
const inTurns = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({
    machine: `HOST-${(from + n) % 3}`,
    connector: `${from + n}`,
    event: `event-${from + n}`,
  }));

/** Connectors of each machine, in the order in which Graph got them. */
function orderByMachine(world: World, tenantId: string): Map<string, number[]> {
  const orders = new Map<string, number[]>();
  for (const { machineName, connectorName } of world.graph.objects.get(tenantId) ?? [])
    orders.set(machineName, [...(orders.get(machineName) ?? []), Number(connectorName)]);
  return orders;
}
function assertInOrder(world: World, tenantId: string): void {
  for (const [machine, order] of orderByMachine(world, tenantId))
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
      machine,
    );
}
const allCommitted = (world: World) =>
  (["enrolled", "retry"] as const).every(
    (topic) => world.log.committed(topic)?.offset === world.log.records(topic).length,
  );

describe("given a window full of a blocked tenant's records", () => {
  test("they step aside, another tenant's flow, and when the tenant is served again they are taken up in order", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(403));
    const worker = world.start({ windowRecords });
    world.emit(...inTurns(40), ...many(5, fabrikam));
    await world.untilRegistered(5, 10_000);
    assert.ok(worker.seen("record-parked").length > 20);
    assert.ok(worker.registrar.status().parked > 20);
    const parked = world.log.records("retry")[0]!;
    assert.deepEqual(headerNames(parked), ["origin"]);
    assert.equal(new TextDecoder().decode(parked.key!), contoso);

    await world.time.pass(1_200_000);
    assert.equal(worker.registrar.status().waiting, 1, "one of them probes");
    const copies = world.log.records("retry").length;
    world.emit(...inTurns(6, 40));
    await world.time.pass(600_000);
    assert.ok(world.log.records("retry").length <= copies + 6, "a parked record is not written again");

    world.graph.always(contoso, null);
    await world.untilRegistered(51);
    await world.time.until("all is committed", () => allCommitted(world));
    assert.equal(world.graph.objects.get(contoso)?.length, 46);
    assertInOrder(world, contoso);
    assert.equal(worker.registrar.status().parked, 0);
    assert.deepEqual(world.deadLetters(), []);
    // Each record still names the place where it first was.
    const origins = world
      .registered()
      .map(({ data }) => `${data.sourceEvent.topic} ${data.sourceEvent.offset}`);
    assert.equal(new Set(origins).size, 51);
    assert.ok(origins.every((origin) => /^connector\.enrolled \d+$/.test(origin)));
  });

  // INV-ORDER
  test("a crash anywhere on the way keeps order, and loses and doubles nothing", async (t) => {
    for (let afterMs = 5; afterMs < 2_000; afterMs = Math.ceil(afterMs * 1.7)) {
      const world = createWorld(t);
      world.graph.always(contoso, answers(403));
      world.emit(...inTurns(40));
      const worker = world.start({ windowRecords });
      await world.time.pass(afterMs);
      worker.crash();
      world.graph.always(contoso, null);
      const next = world.start({ windowRecords });
      await world.time.pass(30_000 + afterMs);
      next.crash();
      world.start({ windowRecords });
      await world.time.until("all is committed", () => allCommitted(world));
      assert.equal(world.graph.objects.get(contoso)?.length, 40, `crash after ${afterMs} ms`);
      assert.equal(new Set(world.registered().map(({ id }) => id)).size, 40);
      assertInOrder(world, contoso);
    }
  });
});

test("given a tenant over its write limit, its records step aside for others and stay in order", async (t) => {
  const world = createWorld(t);
  const worker = world.start({ windowRecords, writesPer20s: 10 });
  world.emit(...inTurns(60), ...many(5, fabrikam));
  await world.time.until("fabrikam is through", () => world.graph.objects.get(fabrikam)?.length === 5, 5_000);
  await world.time.until("all is committed", () => allCommitted(world));
  assert.ok(worker.seen("record-parked").length > 0);
  assert.equal(world.graph.objects.get(contoso)?.length, 60);
  assertInOrder(world, contoso);
});

test("a tenant alone in its partition that makes progress is never parked, however full the window", async (t) => {
  const world = createWorld(t);
  const worker = world.start({ windowRecords });
  world.emit(...inTurns(200));
  await world.untilRegistered(200);
  assert.deepEqual(worker.seen("record-parked"), []);
  assertInOrder(world, contoso);
});

test("given a record in doubt when it is parked, it is read back before it is posted again", async (t) => {
  const world = createWorld(t);
  world.graph.script(contoso, { ...lost, creates: true });
  world.graph.always(contoso, answers(403));
  for (let n = 0; n < 100; n++) world.graph.listScript.push(answers(403).reply);
  world.emit({ machine: "DOUBT" });
  const worker = world.start({ windowRecords });
  await world.time.until("it is in doubt", () => worker.seen("attempt-failed").length > 0);
  world.emit(...many(20, contoso));
  const isDoubtful = () =>
    world.log.records("retry").some((record) => headerNames(record).includes("in-doubt"));
  await world.time.until("it is parked in doubt", isDoubtful);
  world.graph.listScript.length = 0;
  world.graph.always(contoso, null);
  await world.untilRegistered(21);
  assert.equal(world.createdMachines().filter((machine) => machine === "DOUBT").length, 1);
});

test("given a record in doubt when it is parked, lists count only once its request can no longer run", async (t) => {
  const world = createWorld(t);
  const worker = world.start({ windowRecords });
  await world.time.pass(120_000);
  world.graph.script(contoso, lost, answers(429, { retryAfter: "5" }));
  world.graph.listScript.push(answers(503, { retryAfter: "2" }).reply);
  world.emit({ machine: "DOUBT" });
  await world.time.until("it is in doubt", () => worker.seen("attempt-failed").length > 0);
  world.emit(...many(20, contoso));
  await world.time.until("it is parked", () => world.log.records("retry").length > 0);
  await world.time.pass(40_000);
  // The request that was given up took effect only now.
  world.graph.objects.get(contoso)!.push(objectOf({ machine: "DOUBT" }));
  await world.untilRegistered(21);
  assert.equal(world.createdMachines().filter((machine) => machine === "DOUBT").length, 1);
});

test("given an earlier record of its machine in the window, a new one stays behind it there, so that a crash can't turn them round", async (t) => {
  const world = createWorld(t);
  const worker = world.start({ windowRecords, writesPer20s: 1 });
  world.graph.script(contoso, { ...lost, delayMs: 20_000 });
  world.emit({ machine: "A", connector: "1" });
  await world.time.until("its POST is under way", () => world.creates().length === 1);
  world.emit(...many(20, contoso));
  await world.time.until("others are parked", () => worker.seen("record-parked").length > 0);
  world.emit({ machine: "A", connector: "2" });
  await world.time.pass(5_000);
  worker.crash();
  world.start({ windowRecords });
  await world.untilRegistered(22);
  assert.deepEqual(orderByMachine(world, contoso).get("A"), [1, 2]);
});

describe("given records parked by the worker before", () => {
  // INV-ORDER
  test("new records of that tenant queue up behind them; another tenant's don't", async (t) => {
    const world = createWorld(t);
    const [first, second, third] = inTurns(3).map((one) => ({ ...one, machine: "HOST" }));
    world.log.store(parkedBefore(first!));
    world.log.store(parkedBefore(second!));
    world.emit(third!, { tenant: fabrikam });
    world.graph.script(contoso, answers(429, { retryAfter: "30" }));
    world.start();
    await world.untilRegistered(1, 1_000);
    assert.equal(world.registered()[0]?.data.tenantId, fabrikam);
    await world.untilRegistered(4);
    assertInOrder(world, contoso);
    await world.time.until("all is committed", () => allCommitted(world));
  });

  test("what is in the retry topic and no enrollment is dead-lettered, with the place where it first was", async (t) => {
    const world = createWorld(t);
    const bytes = new TextEncoder().encode("nonsense");
    world.log.store({ topic: "retry", partition: 0, key: null, value: bytes, headers: [] });
    const origin = [["origin", new TextEncoder().encode("enrolled/0/77")]] as const;
    world.log.store({ topic: "retry", partition: 0, key: null, value: bytes, headers: origin });
    world.start();
    await world.time.until("all is committed", () => world.log.committed("retry")?.offset === 2);
    assert.deepEqual(world.deadLetters(), ["value-not-json retry/0/0", "value-not-json enrolled/0/77"]);
  });

  // INV-ONE-CREATE-PER-KEY
  test("a new event that is registered already does not join them: it is settled immediately", (t) =>
    specify(t, {
      given: {
        registered: [{ machine: "B" }],
        parked: [{ machine: "A" }],
        enrolled: [{ machine: "B" }],
        always: answers(403),
      },
      async when(world) {
        world.start();
        await world.time.pass(5_000);
        assert.equal(world.log.records("retry").length, 1);
      },
      // A is suspect, since no commit is stored: it waits for the settle time.
      expect: { objects: [], registered: [], creates: 0, duplicates: 1, settledThrough: 1 },
    }));

  // INV-ONE-CREATE-PER-KEY
  test("one that is registered already is a duplicate", (t) =>
    specify(t, {
      given: { enrolled: [{}], objects: [{}], settings: { sendId: false } },
      async when(world) {
        const worker = world.start();
        await world.untilRegistered(1);
        world.log.store(parkedBefore({ event: "moved twice" }));
        await world.time.until("it is settled", () => world.log.committed("retry")?.offset === 1);
        assert.equal(worker.seen("record-duplicate")[0]?.at.topic, "retry");
      },
      expect: {
        objects: ["HOST-1", "HOST-1"],
        registered: ["HOST-1 created"],
        creates: 1,
        duplicates: 1,
        parkedThrough: 1,
      },
    }));

  test("parked records that retention took: the worker stops and says so", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(403));
    for (let n = 0; n < 20; n++) world.log.store(parkedBefore({ machine: `HOST-${n}` }));
    const worker = world.start({ windowRecords });
    await world.time.pass(5_000);
    world.log.truncate("retry", 0, 20);
    world.graph.always(contoso, null);
    await world.time.until("it stops", () => worker.fault() !== undefined);
    assert.equal(worker.fault()?.code, "parked-records-gone");
    assert.match(worker.fault()!.fix, /ON_RETENTION_GAP=continue/);
    assert.deepEqual(world.deadLetters(), []);
  });

  test("a tenant's details come back from the retry topic as they went", async (t) => {
    const world = createWorld(t);
    const exact = {
      machine: "Straße-ẞ",
      connector: 'quotes " and \\',
      at: "2016-12-31T23:57:59.3726050-08:00",
    };
    world.log.store(parkedBefore(exact));
    world.start();
    await world.untilRegistered(1);
    assert.deepEqual(world.creates()[0]?.items[0]?.details, detailsOf(exact));
  });
});
