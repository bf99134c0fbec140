/** Reading back what may have been created: how often a tenant is listed, and what counts as evidence. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, detailsOf, keyOf, objectOf } from "./enrollments.ts";
import { createWorld, many, settings } from "./harness.ts";
import { answers, byItself, lost, lostAfterCreating } from "./scripted-graph.ts";

test("one list serves all records of a tenant that are in doubt", async (t) => {
  const world = createWorld(t);
  world.graph.always(contoso, lostAfterCreating);
  world.emit(...many(40, contoso));
  world.start();
  await world.untilRegistered(40, 10_000);
  assert.ok(world.lists().length <= 6, `${world.lists().length} lists`);
  assert.equal(world.graph.objects.get(contoso)?.length, 40);
  assert.ok(world.registered().every(({ data }) => data.outcome === "recovered"));
});

test("a tenant is listed at most listsPer20s times in 20 s, however many of its records are in doubt", async (t) => {
  const world = createWorld(t);
  world.start({ listsPer20s: 4, batchMax: 1 });
  for (let n = 0; n < 100; n++) {
    world.graph.script(contoso, lostAfterCreating, byItself);
    world.emit(...many(2, contoso, 2 * n));
    await world.time.pass(200);
  }
  await world.untilRegistered(200);
  const times = world.lists().map(({ atMs }) => atMs);
  const within20s = times.map((from) => times.filter((at) => at >= from && at < from + 20_000).length);
  assert.equal(Math.max(...within20s), 4);
});

test("an object is recognised by identity: machine in another case, the instant in another time zone", async (t) => {
  const world = createWorld(t);
  const texts = { machine: "host-1", at: "2017-01-01T07:57:59.3726057Z" };
  world.graph.script(contoso, lost);
  world.graph.objects.set(contoso, [{ id: "theirs", ...detailsOf(texts) }]);
  world.emit({ machine: "HOST-1" });
  world.start();
  await world.untilRegistered(1, 5_000);
  const { data } = world.registered()[0]!;
  assert.deepEqual([data.id, data.machineName, data.enrollmentDateTime], ["theirs", texts.machine, texts.at]);
});

test("another machine's object is not taken for it", async (t) => {
  const world = createWorld(t);
  world.graph.script(contoso, lost);
  world.graph.objects.set(contoso, [objectOf({ machine: "HOST-2" })]);
  world.emit({ machine: "HOST-1" });
  world.start();
  await world.untilRegistered(1);
  assert.equal(world.creates().length, 2);
});

describe("several objects of one identity", () => {
  for (const [given, ids, chosen] of [
    ["the one with our id", ["0-is-less", keyOf({})], keyOf({})],
    ["wherever it stands, the one with our id", [keyOf({}), "0-is-less"], keyOf({})],
    ["without ours, the least id", ["c", "a", "b"], "a"],
  ] as const)
    test(`${given} is registered, and all are reported`, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, lost);
      world.graph.objects.set(
        contoso,
        ids.map((id) => objectOf({}, id)),
      );
      world.emit({});
      const worker = world.start();
      await world.untilRegistered(1, 5_000);
      assert.equal(world.registered()[0]?.data.id, chosen);
      assert.deepEqual(
        worker.seen("duplicate-objects").map((event) => event.ids),
        [[...ids]],
      );
    });
});

describe("a list that fails", () => {
  test("says nothing: it is asked again with back-off, after Retry-After if it is given, and nothing is posted", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lostAfterCreating);
    world.graph.listScript.push(answers(503).reply, answers(429, { retryAfter: "90" }).reply);
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    const lists = world.lists().map(({ atMs }) => atMs);
    assert.ok(lists[2]! - lists[1]! >= 90_000);
    assert.equal(world.creates().length, 1);
  });

  test("404 is the answer of a tenant that never had a connector: nothing is there", async (t) => {
    const world = createWorld(t);
    const none = answers(404).reply;
    world.graph.script(contoso, lost);
    for (let n = 0; n < 100; n++) world.graph.listScript.push(none);
    world.emit({});
    world.start();
    await world.untilRegistered(1, settings.settleMs + 60_000);
    assert.equal(world.creates().length, 2);
  });

  test("a list that lags: seen only in the last of the re-reads, and still adopted", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { ...answers(500), creates: true });
    const nothing = { kind: "listed", objects: [], incomplete: null } as const;
    for (let n = 1; n < settings.rereadCount; n++) world.graph.listScript.push(nothing);
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    assert.equal(world.creates().length, 1);
    assert.equal(world.registered()[0]?.data.outcome, "recovered");
  });
});
