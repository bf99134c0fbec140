/** What becomes of a record after an answer, rule by rule: what is said, how long it waits, and what shows that ids are taken. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, fabrikam, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import {
  answers,
  byItself,
  lost,
  lostAfterCreating,
  type Step,
  silence,
} from "../../../lab/testkit/scripted-graph.ts";
import { readDeadLetter } from "../../../src/domain/dead-letter.ts";

describe("each failure is reported once, with what it was:", () => {
  const missing = answers(404, { message: "No OData route exists that match template" });
  for (const [verdict, step] of [
    ["throttled", answers(429, { retryAfter: "600" })],
    ["tenant-blocked", answers(403)],
    ["no-route", missing],
    ["unavailable", { reply: silence("connect", false) }],
    ["unknown", lost],
    ["conflict", answers(409)],
  ] as const)
    test(verdict, async (t) => {
      const world = createWorld(t);
      const worker = world.start();
      // The route is there, and ids are taken.
      world.emit({ tenant: fabrikam });
      await world.untilRegistered(1);
      world.graph.script(contoso, step);
      world.emit({ tenant: contoso });
      await world.time.until("it is answered", () => worker.seen("attempt-failed").length > 0);
      assert.deepEqual(
        worker.seen("attempt-failed").map((event) => [event.verdict, event.tenantId]),
        [[verdict, contoso]],
      );
    });

  test("refused, where it may be the id", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(400));
    world.emit({});
    const worker = world.start();
    await world.untilRegistered(1);
    assert.deepEqual(
      worker.seen("attempt-failed").map(({ verdict }) => verdict),
      ["refused"],
    );
  });
});

describe("when a create in doubt counts as ended", () => {
  test("its time runs from when it was posted, not from when it was given up", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, { ...lost, delayMs: 30_000 });
    world.emit({});
    world.start({ rereadCount: 1 });
    await world.untilRegistered(1);
    const [first, second] = world.creates().map(({ atMs }) => atMs);
    const waitedMs = second! - first!;
    assert.ok(waitedMs >= settings.settleMs && waitedMs < settings.settleMs + 10_000, `${waitedMs} ms`);
  });

  test("500 with Retry-After: it is neither read back nor posted before", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(500, { retryAfter: "60" }));
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    const [first, ...later] = world.graph.asked.map(({ atMs }) => atMs);
    assert.ok(Math.min(...later) >= first! + 60_000);
  });

  test("once it was read back as absent, a clean stop keeps nothing suspect", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(400, { code: "" }));
    world.emit({});
    const worker = world.start({ rereadCount: 1 });
    await world.time.until("it was listed", () => worker.seen("graph-request").length === 2);
    await worker.stop();
    assert.equal(world.creates().length, 1);
    assert.deepEqual([world.log.committed("enrolled")?.offset, world.attemptedThrough()], [0, 0]);
  });
});

describe("after it was read back as absent", () => {
  /** From the end of the last list to the next create. */
  async function pauseMs(t: TestContext, step: Step) {
    const world = createWorld(t);
    world.graph.script(contoso, step);
    world.emit({});
    world.start({ rereadCount: 1 });
    await world.time.until("it is posted again", () => world.creates().length === 2);
    return world.creates()[1]!.atMs - world.lists().at(-1)!.atMs - world.graph.latencyMs;
  }

  test("a failure is tried again soon", async (t) => {
    assert.ok((await pauseMs(t, answers(500))) <= 500);
  });

  test("a refusal without a reason gets time to pass", async (t) => {
    assert.ok((await pauseMs(t, answers(400, { code: "" }))) > 500);
  });
});

describe("ids", () => {
  const vague = answers(400, { code: "", message: "" });

  test("where none are sent, a refusal is the record's", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(400));
    world.emit({});
    world.start({ sendId: false });
    await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
    assert.equal(world.creates().length, 1);
  });

  test("where none are sent, a refusal without a reason that passes says nothing of ids", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, vague);
    world.emit({});
    const worker = world.start({ sendId: false });
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    assert.equal(worker.fault(), undefined);
  });

  test("that Graph took before are sent again after a refusal without a reason", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    world.emit({ tenant: fabrikam });
    await world.untilRegistered(1);
    world.graph.script(contoso, vague);
    world.emit({ tenant: contoso });
    await world.untilRegistered(2);
    await world.time.pass(5_000);
    const ids = world.creates(contoso).map(({ items }) => items[0]?.id);
    assert.deepEqual(ids, [keyOf({}), keyOf({})]);
    assert.equal(worker.fault(), undefined);
  });

  test("that Graph honours are honoured still when it keeps one object that was posted without", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.graph.script(contoso, answers(400), { ...byItself, delayMs: 2_000 });
    world.emit({ machine: "A" });
    const worker = world.start();
    await world.time.until("it is posted without", () => world.creates().length === 2);
    world.emit({ machine: "B" });
    await world.untilRegistered(2);
    world.graph.script(contoso, lostAfterCreating);
    world.emit({ machine: "C" });
    await world.untilRegistered(3, 10_000);
    assert.deepEqual([world.lists(), worker.fault()], [[], undefined]);
  });

  test("that Graph honours may come back in another case", async (t) => {
    const world = createWorld(t);
    const object = objectOf({ machine: "A" }, keyOf({ machine: "A" }).toUpperCase());
    world.graph.script(contoso, { reply: { ...answers(201).reply, object } });
    world.emit({ machine: "A" });
    world.start();
    await world.untilRegistered(1);
    world.graph.ids = "honoured";
    world.graph.script(contoso, lostAfterCreating);
    world.emit({ machine: "B" });
    await world.untilRegistered(2, 10_000);
    assert.deepEqual(world.lists(), []);
  });
});

test("a refusal without a reason is dead-lettered with what was said last", async (t) => {
  const world = createWorld(t);
  const said = ["first", "second", "third"].map((message) => answers(400, { code: "", message }));
  world.graph.script(contoso, ...said);
  world.emit({});
  world.start();
  await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
  assert.match(readDeadLetter(world.log.records("dlq")[0]!)!.refusal.message, /3 times.*third/);
});

test("what Graph made of a date-time is said, once", async (t) => {
  const world = createWorld(t);
  for (const machine of ["A", "B"]) {
    const object = objectOf({ machine, at: "2017-01-01T07:57:59Z" }, `object-${machine}`);
    world.graph.script(contoso, { reply: { ...answers(201).reply, object } });
    world.emit({ machine });
  }
  const worker = world.start();
  await world.untilRegistered(2);
  assert.equal(worker.seen("graph-normalises").length, 1);
});
