/** A record that is never settled must not hold up what stands behind a full window. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, fabrikam, headerNames } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, connectionRefused } from "../../../lab/testkit/scripted-graph.ts";
import { encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

// INV-ISOLATION
test("a machine whose record keeps failing leaves a full window, and the others behind it flow", async (t) => {
  const world = createWorld(t);
  world.graph.always("HOST-0", answers(500));
  const worker = world.start({ windowRecords: 3 });
  world.emit(
    ...[1, 2, 3].map((n) => ({ machine: "HOST-0", event: `event-${n}`, at: `2020-01-0${n}T00:00:00Z` })),
  );
  world.emit(...many(20, fabrikam, 10));
  await world.time.until(
    "the other tenant is served",
    () => (world.graph.objects.get(fabrikam)?.length ?? 0) === 20,
    300_000,
  );
  assert.ok(worker.seen("record-parked").length >= 3);
});

test("suspects that wait for the settle time leave a full window, in doubt, and the others behind it flow", async (t) => {
  const world = createWorld(t);
  world.emit(...many(3, contoso), ...many(5, fabrikam, 10));
  const metadata = encodeMetadata({ attemptedThrough: 3, claim: "theirs", limits: null, known: null });
  world.log.commitBefore({ topic: "enrolled", partition: 0, offset: 0, metadata });
  world.start({ windowRecords: 3 });
  await world.untilRegistered(5, settings.settleMs / 2);
  assert.deepEqual(world.creates(contoso), []);
  assert.deepEqual(
    world.log.records("retry").map((record) => headerNames(record).includes("in-doubt")),
    [true, true, true],
  );
  await world.untilRegistered(8);
});

test("what was in a request when others of its tenant left does not stay permanently: it leaves once it can", async (t) => {
  const world = createWorld(t);
  world.graph.script(contoso, { ...answers(429, { retryAfter: "3600" }), delayMs: 20_000 });
  world.emit({ machine: "IN-A-REQUEST" });
  const worker = world.start({ windowRecords: 3, writesPer20s: 1 });
  await world.time.until("it is under way", () => world.creates().length === 1);
  world.emit(...many(2, contoso, 10));
  world.emit({ tenant: fabrikam });
  const left = () => worker.seen("record-parked").filter(({ tenantId }) => tenantId === contoso).length;
  await world.time.until("the others left", () => left() === 2, 5_000);
  await world.time.pass(30_000);
  world.graph.latencyMs = 600_000;
  world.emit(...many(4, fabrikam, 20));
  await world.time.until("it left too", () => left() === 3, 60_000);
});

test("a record whose every create fails before it leaves is in no doubt, and leaves a full window all the same", async (t) => {
  const world = createWorld(t);
  world.graph.always(contoso, connectionRefused);
  world.emit({ tenant: contoso }, { tenant: fabrikam });
  const worker = world.start({ windowRecords: 1 });
  await world.time.pass(9_000);
  assert.deepEqual(worker.seen("record-parked"), [], "it may be a passing fault");
  await world.time.until("the other is served", () => world.registered().length === 1, 60_000);
  assert.ok(worker.seen("record-parked").length > 0);
});

test("records that only wait for a request slot stay where they are, for any length of time", async (t) => {
  const world = createWorld(t);
  world.graph.script(fabrikam, { reply: "by itself", delayMs: 120_000 });
  world.emit({ tenant: fabrikam }, ...many(5, contoso));
  const worker = world.start({ windowRecords: 3, maxInFlight: 1 });
  await world.time.pass(60_000);
  assert.equal(world.creates().length, 1);
  assert.deepEqual(worker.seen("record-parked"), []);
});

for (const [count, leaves] of [
  [3, false],
  [4, true],
] as const)
  test(`a tenant that may send three records at a time ${leaves ? "is slow with" : "stays in a full window with"} ${count}`, async (t) => {
    const world = createWorld(t);
    world.graph.script(fabrikam, { reply: "by itself", delayMs: 120_000 });
    world.emit({ tenant: fabrikam }, ...many(count, contoso), { tenant: fabrikam, machine: "BEHIND" });
    const worker = world.start({ windowRecords: count + 1, maxInFlight: 1, writesPer20s: 3 });
    await world.time.pass(60_000);
    assert.equal(world.creates().length, 1);
    assert.deepEqual(
      worker.seen("record-parked").map(({ tenantId }) => tenantId),
      leaves ? Array(count).fill(contoso) : [],
    );
  });
