/** Once Graph has made an object under an id of ours, doubt is resolved by reading that id. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso } from "./enrollments.ts";
import { createWorld, settings } from "./harness.ts";
import { lost, lostAfterCreating } from "./scripted-graph.ts";

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

test("a read that fails proves nothing: the tenant is listed", async (t) => {
  const world = await afterHonouring(t, lostAfterCreating);
  world.graph.getScript.push(lost.reply as Exclude<typeof lost.reply, "by itself">);
  await world.untilRegistered(2, 60_000);
  assert.equal(world.registered()[1]?.data.outcome, "recovered");
  assert.ok(world.lists().length >= 1);
});
