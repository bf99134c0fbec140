/** How creates share requests, and what a tenant's or Graph's answers do to those that wait. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import { answers, byItself } from "../../../lab/testkit/scripted-graph.ts";

const sizes = (posts: readonly { readonly items: readonly unknown[] }[]) =>
  posts.map(({ items }) => items.length);

describe("batches form by themselves", () => {
  test("given one event that waits, it is a plain POST immediately", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    await world.time.pass(1_000);
    const emittedAtMs = world.time.nowMs();
    world.emit({});
    await world.time.pass(1_000);
    assert.deepEqual(
      world.creates().map(({ atMs, items }) => [atMs, items.length]),
      [[emittedAtMs, 1]],
    );
    assert.deepEqual(
      worker.seen("graph-request").map(({ operation }) => operation),
      ["create"],
    );
  });

  test("all that waits goes in batches of twenty at most", async (t) => {
    const world = createWorld(t);
    world.emit(...many(46, contoso));
    const worker = world.start({ maxInFlight: 1 });
    await world.untilRegistered(46);
    assert.deepEqual(sizes(world.creates()), [20, 20, 6]);
    assert.deepEqual(
      worker
        .seen("graph-request")
        .map(({ operation, items }) => [operation, items])
        .slice(0, 2),
      [
        ["batch", 20],
        ["batch", 20],
      ],
    );
    assert.deepEqual(
      world.createdMachines(),
      many(46, contoso).map(({ machine }) => machine),
    );
  });

  test("a batch holds records of one tenant only, and tenants take turns", async (t) => {
    const world = createWorld(t);
    world.emit(...many(30, contoso), ...many(3, fabrikam));
    world.start({ maxInFlight: 1 });
    await world.untilRegistered(33);
    assert.deepEqual(
      world.creates().map(({ tenantId, items }) => [tenantId, items.length]),
      [
        [contoso, 20],
        [fabrikam, 3],
        [contoso, 10],
      ],
    );
  });

  test("GRAPH_BATCH_MAX=1 turns them off", async (t) => {
    const world = createWorld(t);
    world.emit(...many(30, contoso));
    world.start({ maxInFlight: 1, batchMax: 1 });
    await world.untilRegistered(30);
    assert.deepEqual(new Set(sizes(world.creates())), new Set([1]));
  });

  for (const status of [400, 404, 405, 413, 422])
    test(`a batch refused with ${status} as a whole: each item is sent by itself, and judged by its own answer`, async (t) => {
      const world = createWorld(t);
      const refused = answers(status, { code: "BadRequest", message: "The batch." });
      const batch = { reply: { ...refused.reply, ofBatch: true } };
      world.graph.script(contoso, ...Array.from({ length: 20 }, () => batch));
      world.graph.always("HOST-7", answers(422, { code: "Invalid" }));
      world.emit(...many(20, contoso));
      world.start({ maxInFlight: 1 });
      await world.time.until("all settled", () => world.log.committed("enrolled")?.offset === 20);
      assert.deepEqual(sizes(world.creates()).slice(0, 3), [20, 1, 1]);
      assert.equal(world.registered().length, 19);
      assert.deepEqual(world.deadLetters(), ["graph-422 enrolled/0/7"]);
      assert.deepEqual(world.lists(), []);
    });

  test("those that follow a refused batch share requests again", async (t) => {
    const world = createWorld(t);
    const batch = { reply: { ...answers(413).reply, ofBatch: true } };
    world.graph.script(contoso, batch, batch, batch);
    world.emit(...many(3, contoso));
    const worker = world.start({ maxInFlight: 1 });
    await world.time.until("refused", () => world.creates().length === 1);
    world.emit(...many(5, contoso, 10));
    await world.untilRegistered(8);
    assert.deepEqual(sizes(world.creates()), [3, 1, 1, 1, 5]);
    assert.deepEqual(
      worker.seen("attempt-failed").map(({ at, verdict }) => `${at.offset} ${verdict}`),
      ["0 batch-refused", "1 batch-refused", "2 batch-refused"],
    );
  });

  test("a tenant that is well has several requests under way at a time", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 10_000;
    world.emit(...many(45, contoso));
    const worker = world.start();
    await world.time.pass(2_000);
    assert.deepEqual(sizes(world.creates()), [20, 20, 5]);
    await world.untilRegistered(45, 10_000);
    assert.deepEqual(
      worker.seen("graph-request").map(({ durationMs }) => durationMs),
      [10_000, 10_000, 10_000],
    );
  });

  test("an item without an answer may have been created: it is read back", async (t) => {
    const world = createWorld(t);
    const { create } = world.graph;
    world.graph.create = async (tenantId, items) => {
      const replies = await create(tenantId, items);
      return items.length === 3 ? replies.slice(0, 2) : replies;
    };
    world.emit(...many(3, contoso));
    world.start();
    await world.untilRegistered(3);
    assert.deepEqual(sizes(world.creates()), [3]);
    assert.deepEqual(
      world.registered().map(({ data }) => data.outcome),
      ["created", "created", "recovered"],
    );
  });

  test("a batch's items are judged one by one", async (t) => {
    const world = createWorld(t);
    const gone = { reply: { kind: "silence", sent: true, reason: "malformed", detail: "missing" } } as const;
    world.graph.script(
      contoso,
      byItself,
      byItself,
      answers(409),
      answers(429, { retryAfter: "1" }),
      answers(400),
      gone,
    );
    world.emit(...many(7, contoso));
    const worker = world.start({ maxInFlight: 1 });
    await world.time.until("all settled", () => world.log.committed("enrolled")?.offset === 7);
    assert.deepEqual(sizes(world.creates()).slice(0, 2), [7, 1]);
    const verdicts = worker
      .seen("attempt-failed")
      .slice(0, 3)
      .map(({ at, verdict }) => `${at.offset} ${verdict}`);
    assert.deepEqual(verdicts.sort(), ["2 conflict", "3 throttled", "5 unknown"].sort());
    assert.deepEqual(world.deadLetters(), ["graph-400 enrolled/0/4"]);
    const outcomes = world.registered().map(({ data }) => `${data.sourceEvent.offset} ${data.outcome}`);
    assert.deepEqual(
      outcomes.sort(),
      ["0", "1", "2", "3", "5", "6"].map((offset) => `${offset} created`),
    );
  });
});

describe("a tenant that is throttled", () => {
  test("waits exactly as long as Retry-After says, and others continue", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(429, { retryAfter: "7" }));
    world.emit({ tenant: contoso });
    const worker = world.start();
    await world.time.until("the first POST", () => world.creates(contoso).length === 1);
    const refusedAtMs = world.time.nowMs() + world.graph.latencyMs;
    await world.time.pass(1_000);
    world.emit(...many(3, contoso, 10), ...many(5, fabrikam));
    await world.untilRegistered(5, 1_000);
    await world.untilRegistered(9);
    const [, second, ...rest] = world.creates(contoso);
    assert.equal(second?.atMs, refusedAtMs + 7_000);
    assert.deepEqual(
      worker.seen("attempt-failed").map(({ retryInMs }) => retryInMs),
      [7_000],
    );
    // The one that was refused is the first again, alone; then all go.
    assert.equal(second?.items[0]?.details.machineName, "HOST-1");
    assert.deepEqual(sizes([second!, ...rest]), [1, 3]);
    assert.equal(world.deadLetters().length, 0);
  });

  test("tries the record that was refused before those that waited behind it", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(429, { retryAfter: "1" }));
    world.emit(...many(3, contoso));
    world.start({ maxInFlight: 1, batchMax: 1 });
    await world.untilRegistered(3);
    assert.deepEqual(world.createdMachines(), ["HOST-0", "HOST-0", "HOST-1", "HOST-2"]);
  });

  test("without Retry-After backs off, longer each time, and spends no attempt", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, ...Array.from({ length: 12 }, () => answers(429)));
    world.emit({ tenant: contoso });
    world.start({ maxAttempts: 3 });
    await world.untilRegistered(1, 3_600_000);
    const times = world.creates(contoso).map(({ atMs }) => atMs);
    const waits = times.slice(1).map((at, n) => at - times[n]!);
    assert.equal(times.length, 13);
    const early = Math.max(...waits.slice(0, 3));
    const late = Math.max(...waits.slice(-6));
    assert.ok(early <= 4_100 && late > early && late <= 60_100, `waits: ${waits.join(", ")}`);
  });

  test("what was sent counts as of its answer: the server may have counted it that late", async (t) => {
    const world = createWorld(t);
    world.graph.latencyMs = 10_000;
    world.emit(...many(40, contoso));
    world.start({ writesPer20s: 20 });
    await world.untilRegistered(40);
    const [first, second] = world.creates().map(({ atMs }) => atMs);
    assert.ok(second! - first! >= 30_000, `${second! - first!} ms`);
  });

  test("a second tenant's limit is its own: what Graph allows in 20 s is never exceeded", async (t) => {
    const world = createWorld(t);
    world.emit(...many(45, contoso), ...many(5, fabrikam));
    world.start({ writesPer20s: 20 });
    await world.time.pass(19_000);
    assert.deepEqual(
      [world.createdMachines(contoso).length, world.createdMachines(fabrikam).length],
      [20, 5],
    );
    await world.untilRegistered(50);
    assert.ok(world.time.nowMs() - world.creates()[0]!.atMs >= 40_000);
  });
});

// INV-LEASE
describe("a partition that is not held", () => {
  test("no POST begins once its last acknowledged commit is too old; it continues after the next one", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    await world.time.pass(1_000);
    worker.member.leaseMs = 0;
    world.emit({});
    await world.time.pass(60_000);
    assert.deepEqual(world.creates(), []);
    worker.member.leaseMs = Number.POSITIVE_INFINITY;
    await world.untilRegistered(1, 1_000);
  });
});
