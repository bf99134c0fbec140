/** The log may lose the copy of a parked record before a worker reads it: until it was read, the record is not settled. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { contoso, parkedBefore } from "../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../lab/testkit/registrar-world.ts";
import { answers } from "../../lab/testkit/scripted-graph.ts";

const windowRecords = 10;
const count = 25;

/** A blocked tenant with more records than a window holds. Of what is parked, the log loses the first `lose` copies. */
function given(t: TestContext, lose: number): World {
  const world = createWorld(t);
  world.graph.always(contoso, answers(403));
  world.emit(...many(count, contoso));
  const { store } = world.log;
  let left = lose;
  world.log.store = (record) => {
    const stored = store(record);
    if (record.topic === "retry" && left-- > 0) world.log.cutEnd("retry", 0, stored.offset);
    return stored;
  };
  return world;
}

/** The tenant is served again; everything must be registered, once. */
async function assertAllRegistered(world: World): Promise<void> {
  world.graph.always(contoso, null);
  await world.untilRegistered(count, 3_600_000);
  assert.equal(world.graph.objects.get(contoso)?.length, count);
  assert.equal(new Set(world.registered().map(({ id }) => id)).size, count);
}

// INV-DURABLE-OUTCOME, INV-KNOWN-LOG
test("a copy that is lost before it is read, with others behind it: the worker stops, and the next one parks it again", async (t) => {
  const world = given(t, 1);
  const worker = world.start({ windowRecords });
  await world.time.until("it stops", () => worker.fault() !== undefined, 9_000);
  assert.equal(worker.fault()?.code, "parked-copy-lost");
  assert.match(worker.fault()!.message, /^retry partition 0: .* offset 0, a copy of enrolled\/0@\d+ /);
  assert.match(worker.fault()!.fix, /start again/);
  world.start({ windowRecords });
  await assertAllRegistered(world);
});

test("a lost copy with nothing behind it is missed at the next look at the log", async (t) => {
  const world = given(t, Number.POSITIVE_INFINITY);
  const worker = world.start({ windowRecords });
  await world.time.until("it stops", () => worker.fault() !== undefined, 15_000);
  assert.equal(worker.fault()?.code, "parked-copy-lost");
  assert.equal(world.log.committed("enrolled")?.offset, 0, "nothing was settled by it");
});

test("allowed to continue over what is lost, it sends another copy instead of stopping", async (t) => {
  const world = given(t, 3);
  const worker = world.start({ windowRecords, onRetentionGap: "continue" });
  await world.time.pass(30_000);
  assert.equal(worker.fault(), undefined);
  await assertAllRegistered(world);
  assert.equal(worker.fault(), undefined);
});

test("a crash while a copy is lost, which was not noticed yet: the next worker takes the record up from its first place", async (t) => {
  const world = given(t, Number.POSITIVE_INFINITY);
  const worker = world.start({ windowRecords });
  await world.time.until("it has parked some", () => worker.seen("record-parked").length > 0);
  await world.time.pass(2_000);
  worker.crash();
  assert.equal(world.log.records("retry").length, 0);
  world.graph.always(contoso, null);
  world.start({ windowRecords: 1_000 });
  await assertAllRegistered(world);
});

test("a retry topic that lost its unsettled end while no worker ran is noticed at the next start", async (t) => {
  const world = createWorld(t);
  world.graph.always(contoso, answers(403));
  for (const parked of many(6, contoso)) world.log.store(parkedBefore(parked));
  const first = world.start();
  await world.time.pass(5_000);
  first.crash();
  world.log.cutEnd("retry", 0, 4);
  const second = world.start();
  await world.time.until("it stops", () => second.fault() !== undefined);
  assert.equal(second.fault()?.code, "retention-gap");
  assert.match(second.fault()!.message, /^retry partition 0: the position 6 is beyond the log's end 4/);
  // Allowed to continue once, it does, and so do later workers.
  const third = world.start({ onRetentionGap: "continue" });
  await world.time.pass(5_000);
  third.crash();
  const fourth = world.start();
  await world.time.pass(60_000);
  assert.equal(fourth.fault(), undefined);
});

test("a claim that was committed and nothing more keeps what the worker before had read", async (t) => {
  const world = createWorld(t);
  world.graph.always(contoso, answers(403));
  for (const parked of many(6, contoso)) world.log.store(parkedBefore(parked));
  const first = world.start();
  await world.time.pass(5_000);
  first.crash();
  const second = world.start();
  const claims = world.log.commits.length;
  await world.time.until("it has claimed", () => world.log.commits.length > claims, 60_000);
  second.crash();
  world.log.cutEnd("retry", 0, 4);
  const third = world.start();
  await world.time.until("it stops", () => third.fault() !== undefined);
  assert.match(third.fault()!.message, /^retry partition 0: the position 6 is beyond/);
});
