/** What becomes of a record after Graph answered, or did not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, byItself, lost, lostAfterCreating, silence } from "../../../lab/testkit/scripted-graph.ts";
import { specify } from "../../../lab/testkit/specification.ts";

describe("an answer that was lost", () => {
  test("the object is found: it is adopted immediately, and nothing is posted again", async (t) => {
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

  // INV-READ-BACK
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

  test("created only after the connection broke, within the settle time: still found", (t) =>
    specify(t, {
      given: { enrolled: [{}], graph: [lost] },
      async when(world) {
        world.start();
        await world.time.pass(40_000);
        world.graph.objects.set(contoso, [objectOf({})]);
        await world.untilRegistered(1);
      },
      expect: { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 1 },
    }));

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
  test("of a server that takes ids: the record is dead-lettered, and the worker continues", async (t) => {
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

  // INV-GLOBAL-FAULT
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

  // INV-GLOBAL-FAULT
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

// INV-ATTEMPTS
describe("an application's credential that is refused", () => {
  const refused = silence("application", false);

  for (const where of ["create", "list"] as const)
    test(`on a ${where}: no tenant is blocked for it, nothing is dead-lettered, and all continues once it is accepted`, async (t) => {
      const world = createWorld(t);
      if (where === "list") world.graph.listScript.push(refused, refused);
      world.graph.script(contoso, ...(where === "list" ? [lost] : [{ reply: refused }, { reply: refused }]));
      world.emit(...many(3, contoso));
      const worker = world.start({ maxInFlight: 1, batchMax: 1, maxAttempts: 1 });
      await world.untilRegistered(3);
      assert.equal(worker.fault(), undefined);
      assert.deepEqual([world.deadLetters(), worker.seen("tenant-blocked")], [[], []]);
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
