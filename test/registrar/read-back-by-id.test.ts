/** Once Graph has made an object under an id of ours, doubt is resolved by reading that id. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMetadata } from "../../src/registrar/commit-metadata.ts";
import { contoso, keyOf, objectOf } from "./enrollments.ts";
import { createWorld, settings } from "./harness.ts";
import { answers, lost, lostAfterCreating } from "./scripted-graph.ts";

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
  assert.equal(world.lists().length, 0);
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

test("a read that fails proves nothing: the tenant is listed", async (t) => {
  const world = await afterHonouring(t, lostAfterCreating);
  world.graph.getScript.push(lost.reply as Exclude<typeof lost.reply, "by itself">);
  await world.untilRegistered(2, 60_000);
  assert.equal(world.registered()[1]?.data.outcome, "recovered");
  assert.ok(world.lists().length >= 1);
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
