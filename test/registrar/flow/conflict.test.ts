/** Graph says that the object exists already: 409. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, silence } from "../../../lab/testkit/scripted-graph.ts";
import { specify } from "../../../lab/testkit/specification.ts";

describe("409", () => {
  test("the object is read by id and adopted", (t) =>
    specify(t, {
      given: { enrolled: [{}], objects: [{ id: keyOf({}) }], ids: "honoured" },
      async when(world) {
        world.start();
        await world.untilRegistered(1);
        assert.equal(world.registered()[0]!.data.id, keyOf({}));
      },
      expect: { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 1, lists: 0 },
    }));

  test("under our id it is ours, whatever Graph made of its properties and of the id's case", async (t) => {
    const world = createWorld(t);
    const made = objectOf({ machine: "OTHER", at: "2017-01-01T07:57:59Z" }, keyOf({}).toUpperCase());
    world.graph.script(contoso, answers(409));
    world.graph.getScript.push({ ...answers(200).reply, object: made });
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    assert.equal(world.registered()[0]?.data.id, made.id);
    assert.equal(world.creates().length, 1);
  });

  test("the read by id counts as a request like any other", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.graph.objects.set(contoso, [objectOf({}, keyOf({}))]);
    world.emit({});
    const worker = world.start();
    await world.untilRegistered(1);
    assert.deepEqual(
      worker.seen("graph-request").map(({ operation, results }) => [operation, results]),
      [
        ["create", [409]],
        ["get", [200]],
      ],
    );
  });

  test("nothing stands under the id, twice, and no list shows it: dead-lettered", (t) =>
    specify(t, {
      given: { enrolled: [{}], always: answers(409) },
      async when(world) {
        world.start();
        await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
        assert.ok(world.lists().length >= settings.rereadCount);
      },
      expect: { objects: [], registered: [], deadLetters: ["graph-409 enrolled/0/0"], creates: 2 },
    }));

  test("an outage between the two reads is not a second result", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(409), answers(409), answers(409));
    world.graph.getScript.push(answers(503).reply, silence("timeout", true), answers(404).reply);
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    assert.deepEqual(world.deadLetters(), []);
    assert.equal(world.creates().length, 4);
  });
});

describe("409, and what is read by id", () => {
  test("is another object: not adopted, and after the second time dead-lettered", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(409));
    const other = { ...answers(200).reply, object: objectOf({ machine: "OTHER" }, "another-id") };
    world.graph.getScript.push(other, other);
    world.emit({});
    world.start();
    await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
    assert.deepEqual([world.registered(), world.creates().length], [[], 2]);
  });

  test("is not there, twice, with an outage between: dead-lettered", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(409));
    world.graph.getScript.push(answers(404).reply, answers(503).reply, answers(404).reply);
    world.emit({});
    world.start();
    await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
    assert.equal(world.creates().length, 3);
  });

  test("is ours: that shows the route, that ids are taken, and what Graph makes of a date-time", async (t) => {
    const world = createWorld(t);
    const object = objectOf({ at: "2017-01-01T07:57:59Z" }, keyOf({}));
    world.graph.script(contoso, answers(409), answers(400));
    world.graph.getScript.push({ ...answers(200).reply, object });
    const missing = answers(404, { message: "No OData route exists that match template" });
    world.graph.always(fabrikam, missing);
    world.emit({});
    const worker = world.start();
    await world.untilRegistered(1);
    assert.equal(worker.seen("graph-normalises").length, 1);
    world.emit({ machine: "REFUSED" }, { tenant: fabrikam });
    await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
    assert.equal(world.creates(contoso).length, 2, "it is not posted once more without its id");
    await world.time.pass(5_000);
    assert.deepEqual([worker.fault(), worker.registrar.status().blockedTenants], [undefined, [fabrikam]]);
  });

  test("is not there: the record is in doubt, and may be parked so", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(409));
    world.graph.getScript.push(answers(404).reply);
    for (let n = 0; n < 100; n++) world.graph.listScript.push(answers(403).reply);
    world.emit({});
    const worker = world.start({ windowRecords: 5 });
    await world.time.until("it is in doubt", () => worker.seen("attempt-failed").length === 1);
    world.emit(...many(20, contoso));
    const parked = () => worker.seen("record-parked").some(({ at }) => at.offset === 0);
    await world.time.until("it is parked", parked, 60_000);
  });

  test("comes after the partition was lost: nothing more is said of the record", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(409));
    world.emit({});
    const worker = world.start();
    const asksById = () => world.graph.asked.some(({ operation }) => operation === "get");
    await world.time.until("it is read by id", asksById);
    worker.member.rebalance([]);
    await world.time.pass(60_000);
    assert.deepEqual([worker.seen("attempt-failed"), world.creates().length], [[], 1]);
  });
});

describe("while a 409 is looked into", () => {
  const held = (world: ReturnType<typeof createWorld>) => {
    world.graph.ids = "honoured";
    world.graph.objects.set(contoso, [objectOf({}, keyOf({}))]);
    const answered = Promise.withResolvers<void>();
    const get = world.graph.get;
    world.graph.get = async (...call) => {
      await answered.promise;
      return get(...call);
    };
    return answered.resolve;
  };

  test("the object may be there: a clean stop keeps the record suspect", async (t) => {
    const world = createWorld(t);
    held(world);
    world.emit({});
    const worker = world.start();
    await world.time.until("posted", () => world.creates().length === 1, 5_000);
    await world.time.pass(1_000);
    await worker.stop();
    assert.equal(world.attemptedThrough(), 1);
  });

  test("the record is in work: it is not parked", async (t) => {
    const world = createWorld(t);
    const answer = held(world);
    world.emit({});
    const worker = world.start({ windowRecords: 5 });
    await world.time.until("posted", () => world.creates().length === 1, 5_000);
    await world.time.pass(1_000);
    world.graph.always(contoso, answers(403));
    world.emit(...many(20, contoso));
    await world.time.until("others are parked", () => worker.seen("record-parked").length > 5, 60_000);
    const parked = worker.seen("record-parked").map(({ at }) => at.offset);
    assert.ok(!parked.includes(0), `parked: ${parked.join(", ")}`);
    answer();
    await world.untilRegistered(1, 5_000);
    assert.equal(world.registered()[0]?.data.sourceEvent.offset, 0);
  });

  test("nothing there at first, then an outage: that is not a second result either", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, answers(409), answers(409), answers(409));
    world.graph.getScript.push(answers(404).reply, answers(503).reply, silence("timeout", true));
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    assert.deepEqual(world.deadLetters(), []);
    assert.equal(world.creates().length, 4);
  });
});

test("where reads by id lag behind creates, a 409 is asked about again later, and the object is found", async (t) => {
  const world = createWorld(t);
  world.graph.ids = "honoured";
  world.emit({ machine: "FIRST" });
  world.start();
  await world.untilRegistered(1);
  const { get, list } = world.graph;
  const shownFromMs = world.time.nowMs() + 8_000;
  const isShown = () => world.time.nowMs() >= shownFromMs;
  world.graph.get = async (...call) => (isShown() ? get(...call) : answers(404).reply);
  world.graph.list = async (tenantId) => (isShown() ? list(tenantId) : answers(404).reply);
  world.graph.script(contoso, { ...answers(500), creates: true });
  world.emit({});
  await world.time.until(
    "it has an outcome",
    () => world.registered().length + world.deadLetters().length === 2,
  );
  assert.deepEqual(world.deadLetters(), []);
  assert.equal(world.registered()[1]!.data.id, keyOf({}));
});
