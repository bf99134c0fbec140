/** What becomes of a record after Graph answered, or did not. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { readDeadLetter } from "../../src/domain/dead-letter.ts";
import { contoso, fabrikam, keyOf, objectOf } from "./enrollments.ts";
import { createWorld, many, settings } from "./harness.ts";
import { answers, byItself, lost, lostAfterCreating, type Step, silence } from "./scripted-graph.ts";

describe("an answer that was lost", () => {
  test("the object is found: it is adopted at once, and nothing is posted again", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lostAfterCreating);
    world.emit({});
    const worker = world.start();
    await world.untilRegistered(1, 1_000);
    await world.time.pass(300_000);
    assert.equal(world.creates().length, 1);
    const [record] = world.registered();
    assert.deepEqual(
      [record?.data.id, record?.data.outcome, record?.data.attempts],
      ["object-1", "recovered", 1],
    );
    assert.deepEqual(
      worker.seen("attempt-failed").map(({ verdict }) => verdict),
      ["unknown"],
    );
  });

  test("nothing is found: posted again only after three spaced lists, all begun when the request can no longer run", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    const [first, second] = world.creates().map(({ atMs }) => atMs);
    const lists = world.lists().map(({ atMs }) => atMs);
    const evidence = lists.filter((at) => at >= first! + settings.settleMs && at <= second!);
    assert.equal(
      evidence.length,
      settings.rereadCount,
      `lists at ${lists.map((at) => at - first!).join(", ")}`,
    );
    assert.ok(lists.every((at, n) => n === 0 || at - lists[n - 1]! >= settings.rereadDelayMs));
    assert.equal(world.registered()[0]?.data.outcome, "created");
  });

  test("created only after the connection broke, within the settle time: still found", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    world.emit({});
    world.start();
    await world.time.pass(40_000);
    world.graph.objects.set(contoso, [objectOf({})]);
    await world.untilRegistered(1);
    assert.equal(world.creates().length, 1);
    assert.equal(world.registered()[0]?.data.id, "object-of-before");
  });

  test("500: it answered for itself, so lists count from then on", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(500));
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    const [first, second] = world.creates().map(({ atMs }) => atMs);
    assert.ok(second! - first! < settings.settleMs);
    assert.ok(world.lists().length >= settings.rereadCount);
  });

  for (const status of [408, 502, 504])
    test(`${status}: a gateway answered; the request may still run until the settle time`, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, answers(status));
      world.emit({});
      world.start();
      await world.untilRegistered(1);
      const [first, second] = world.creates().map(({ atMs }) => atMs);
      assert.ok(second! - first! >= settings.settleMs);
    });
});

test("a clean stop with a registered record that the log did not take yet keeps it suspect", async (t) => {
  const world = createWorld(t);
  world.log.hold("append");
  world.emit({});
  const worker = world.start();
  await world.time.until("posted", () => world.creates().length === 1, 5_000);
  await world.time.pass(1_000);
  await worker.stop();
  assert.equal(world.attemptedThrough(), 1);
});

describe("400", () => {
  test("of a server that takes ids: the record is dead-lettered, and the worker goes on", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, byItself, answers(400, { code: "BadRequest", message: "Invalid version." }));
    world.emit(
      { machine: "A", connector: "1" },
      { machine: "A", connector: "2" },
      { machine: "A", connector: "3" },
    );
    world.start();
    await world.untilRegistered(2);
    await world.time.pass(5_000);
    assert.deepEqual(world.deadLetters(), ["graph-400 enrolled/0/1"]);
    assert.equal(world.creates().length, 3);
    assert.equal(world.log.committed("enrolled")?.offset, 3);
  });

  test("of a server that refuses ids: once more without id, registered, then a fault that says what to set", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "refused";
    world.emit({ machine: "A", connector: "1" }, { machine: "A", connector: "2" });
    const worker = world.start();
    await world.time.until("it stops", () => worker.fault() !== undefined);
    assert.equal(worker.fault()?.code, "graph-ids-refused");
    assert.match(worker.fault()!.fix, /GRAPH_SEND_ID=omit/);
    assert.deepEqual(world.deadLetters(), []);
    assert.deepEqual(
      world.creates().map(({ items }) => items[0]?.id),
      [keyOf({ machine: "A", connector: "1" }), null],
    );
    assert.equal(world.registered().length, 1);

    world.start({ sendId: false });
    await world.untilRegistered(2);
    assert.equal(world.graph.objects.get(contoso)?.length, 2);
  });

  test("also without id: it is the record, and only the record", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(400), answers(400));
    world.emit({ machine: "A", connector: "1" }, { machine: "A", connector: "2" });
    const worker = world.start();
    await world.untilRegistered(1);
    assert.deepEqual(world.deadLetters(), ["graph-400 enrolled/0/0"]);
    assert.equal(worker.fault(), undefined);
  });
});

describe("400 without a reason", () => {
  const vague = answers(400, { code: "", message: "" });
  const generic = answers(400, { message: "An error has occurred - Operation ID (for customer support): 0" });

  for (const [name, step] of [
    ["no code", vague],
    ["Intune's text for anything", generic],
  ] as const)
    test(`${name}: tried three times, read back in between, then final`, async (t) => {
      const world = createWorld(t);
      world.graph.always("BAD", step);
      world.emit({ machine: "BAD" }, { machine: "GOOD" });
      world.start();
      await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
      assert.deepEqual(world.deadLetters(), ["graph-400 enrolled/0/0"]);
      assert.equal(world.createdMachines().filter((machine) => machine === "BAD").length, 3);
      assert.ok(world.lists().length >= 3 * settings.rereadCount);
      assert.equal(world.registered().length, 1);
    });

  test("that passes: it is registered, once, also where Graph made the object all the same", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, vague, { ...generic, creates: true });
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    assert.equal(world.graph.objects.get(contoso)?.length, 1);
    assert.deepEqual(world.deadLetters(), []);
  });

  test("of a server that refuses ids so: without one it is accepted, and the worker says what to set", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, vague);
    world.emit({});
    const worker = world.start();
    await world.time.until("it stops", () => worker.fault() !== undefined);
    assert.equal(worker.fault()?.code, "graph-ids-refused");
    assert.equal(world.registered().length, 1);
  });
});

describe("no such route", () => {
  const missing = answers(404, { message: "No OData route exists that match template" });

  test("given no tenant where it was there: the worker stops and dead-letters nothing", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, missing);
    world.emit(...many(3, contoso));
    const worker = world.start();
    await world.time.until("it stops", () => worker.fault() !== undefined);
    assert.equal(worker.fault()?.code, "graph-route-missing");
    assert.match(worker.fault()!.fix, /GRAPH_BASE_URL/);
    assert.equal(worker.seen("attempt-failed")[0]?.verdict, "no-route");
    assert.deepEqual([world.deadLetters(), world.registered()], [[], []]);
    assert.equal(world.log.committed("enrolled")?.offset, 0);
  });

  test("given others succeeded: that tenant is blocked", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, missing);
    const worker = world.start();
    world.emit({ tenant: fabrikam });
    await world.untilRegistered(1);
    world.emit({ tenant: contoso });
    await world.time.pass(60_000);
    assert.equal(worker.fault(), undefined);
    assert.deepEqual(worker.registrar.status().blockedTenants, [contoso]);
    world.graph.always(contoso, null);
    await world.untilRegistered(2);
  });
});

describe("a secret that is refused", () => {
  const wrongSecret = silence("secret", false);

  for (const where of ["create", "list"] as const)
    test(`on a ${where}: the worker stops, says which setting to look at, and dead-letters nothing`, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, where === "list" ? lost : { reply: wrongSecret });
      if (where === "list") world.graph.listScript.push(wrongSecret);
      world.emit(...many(3, contoso));
      const worker = world.start({ maxInFlight: 1, batchMax: 1 });
      await world.time.until("it stops", () => worker.fault() !== undefined);
      assert.equal(worker.fault()?.code, "credential-refused");
      assert.match(worker.fault()!.fix, /AZURE_CLIENT_SECRET/);
      assert.deepEqual(world.deadLetters(), []);
      // What may have been posted stays promised.
      assert.equal(world.attemptedThrough(), where === "list" ? 1 : 0);
    });
});

describe("a record that fails again and again", () => {
  test("is dead-lettered after maxAttempts, when others of its tenant succeed meanwhile", async (t) => {
    const world = createWorld(t);
    world.graph.always("BAD", answers(500));
    world.emit({ machine: "BAD" });
    world.start({ maxAttempts: 3 });
    const posts = () => world.createdMachines().filter((machine) => machine === "BAD").length;
    for (let n = 0; n < 3; n++) {
      assert.deepEqual(world.deadLetters(), []);
      // Failures with no success in between are not held against it.
      const before = posts();
      await world.time.until("it failed three times", () => posts() === before + 3);
      world.emit({ machine: `GOOD-${n}` });
      await world.untilRegistered(n + 1);
    }
    await world.time.until("dead-lettered", () => world.deadLetters().length > 0);
    assert.deepEqual(world.deadLetters(), ["attempts-exhausted enrolled/0/0"]);
    assert.ok(posts() >= 10 && posts() <= 12, `${posts()} posts`);
  });

  test("waits for as long as it takes, when nothing of its tenant succeeds", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, ...Array.from({ length: 30 }, () => answers(500)));
    world.emit({});
    world.start({ maxAttempts: 2 });
    await world.untilRegistered(1, 86_400_000);
    assert.equal(world.registered()[0]?.data.attempts, 31);
    assert.deepEqual(world.deadLetters(), []);
  });
});

describe("each failure is said once, with what it was:", () => {
  const missing = answers(404, { message: "No OData route exists that match template" });
  for (const [verdict, step] of [
    ["throttled", answers(429, { retryAfter: "600" })],
    ["tenant-blocked", answers(403)],
    ["no-route", missing],
    ["unavailable", { reply: silence("connect", false) }],
    ["unknown", lost],
    ["conflict", answers(409)],
    ["secret-refused", { reply: silence("secret", false) }],
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
