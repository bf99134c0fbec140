/** Reading back what may have been created: how often a tenant is listed, and what counts as evidence. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, detailsOf, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, byItself, lost, lostAfterCreating } from "../../../lab/testkit/scripted-graph.ts";
import { specify } from "../../../lab/testkit/specification.ts";

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

test("a list that says by a date when to come back: read against its own Date, however wrong our clock is", async (t) => {
  const world = createWorld(t);
  const retryAfter = "Thu, 01 Jan 2015 00:00:40 GMT";
  const { reply } = answers(503, { retryAfter });
  world.graph.listScript.push({ ...reply, date: "Thu, 01 Jan 2015 00:00:00 GMT" });
  world.graph.script(contoso, lostAfterCreating);
  world.emit({});
  world.start();
  await world.untilRegistered(1);
  const [first, second] = world.lists().map(({ atMs }) => atMs);
  const waitedMs = second! - first!;
  assert.ok(waitedMs >= 40_000 && waitedMs < 45_000, `${waitedMs} ms`);
});

test("a tenant is listed at most listsPer20s times in 20 s, with any number of its records in doubt", async (t) => {
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

test("what is lost with its partition is listed no more", async (t) => {
  const world = createWorld(t);
  world.graph.script(contoso, lost);
  world.emit({});
  const worker = world.start();
  await world.time.until("it is listed", () => world.lists().length === 1);
  worker.member.rebalance([]);
  await world.time.pass(600_000);
  assert.equal(world.lists().length, 1);
  assert.equal(worker.registrar.status().waiting, 0);
});

test("an object is recognised by identity: machine in another case, the instant in another time zone", async (t) => {
  const world = createWorld(t);
  const texts = { machine: "host-1", at: "2017-01-01T07:57:59.3726057Z" };
  world.graph.script(contoso, lost);
  world.graph.objects.set(contoso, [{ id: "theirs", ...detailsOf(texts) }]);
  world.emit({ machine: "HOST-1" });
  const worker = world.start();
  await world.untilRegistered(1, 5_000);
  const { data } = world.registered()[0]!;
  assert.deepEqual([data.id, data.machineName, data.enrollmentDateTime], ["theirs", texts.machine, texts.at]);
  assert.deepEqual(worker.seen("duplicate-objects"), []);
  assert.deepEqual(
    worker
      .seen("graph-request")
      .filter(({ operation }) => operation === "list")
      .map(({ durationMs, results }) => [durationMs, results]),
    [[world.graph.latencyMs, [200]]],
  );
});

test("another machine's object is not taken for it", (t) =>
  specify(t, {
    given: { enrolled: [{ machine: "HOST-1" }], objects: [{ machine: "HOST-2" }], graph: [lost] },
    async when(world) {
      world.start();
      await world.untilRegistered(1);
    },
    expect: { objects: ["HOST-1", "HOST-2"], registered: ["HOST-1 created"], creates: 2 },
  }));

const nothing = { kind: "listed", objects: [], incomplete: null } as const;

describe("several objects of one identity", () => {
  for (const [given, ids, chosen] of [
    ["the one with our id", ["0-is-less", keyOf({})], keyOf({})],
    ["wherever it stands, the one with our id", [keyOf({}), "0-is-less"], keyOf({})],
    ["without ours, the least id", ["c", "a", "b"], "a"],
  ] as const)
    test(`${given} is registered, and all are reported`, (t) =>
      specify(t, {
        given: { enrolled: [{}], graph: [lost], objects: ids.map((id) => ({ id })) },
        async when(world) {
          const worker = world.start();
          await world.untilRegistered(1, 5_000);
          assert.equal(world.registered()[0]?.data.id, chosen);
          assert.deepEqual(
            worker.seen("duplicate-objects").map((event) => event.ids.toSorted()),
            [ids.toSorted()],
          );
        },
        expect: { objects: ids.map(() => "HOST-1"), registered: ["HOST-1 recovered"], creates: 1 },
      }));
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

  test("is not asked again sooner because another record falls in doubt", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lostAfterCreating, lostAfterCreating);
    world.graph.listScript.push(answers(429, { retryAfter: "90" }).reply);
    world.emit({ machine: "A" });
    world.start();
    await world.time.until("it is listed", () => world.lists().length === 1);
    await world.time.pass(1_000);
    world.emit({ machine: "B" });
    await world.untilRegistered(2);
    const [first, second] = world.lists().map(({ atMs }) => atMs);
    assert.ok(second! - first! >= 90_000);
  });

  test("404 is the answer of a tenant that never had a connector: nothing is there", async (t) => {
    const world = createWorld(t);
    const { list } = world.graph;
    world.graph.list = async (tenantId) => {
      const reply = await list(tenantId);
      return reply.kind === "listed" && reply.objects.length === 0 ? answers(404).reply : reply;
    };
    world.graph.script(contoso, lost);
    world.emit({});
    world.start();
    await world.untilRegistered(1, settings.settleMs + 60_000);
    assert.equal(world.creates().length, 2);
  });

  // INV-READ-BACK
  test("a list that lags: seen only in the last of the re-reads, and still adopted", (t) =>
    specify(t, {
      given: {
        enrolled: [{}],
        graph: [{ ...answers(500), creates: true }],
        lists: Array.from({ length: settings.rereadCount - 1 }, () => nothing),
      },
      async when(world) {
        world.start();
        await world.untilRegistered(1);
      },
      expect: {
        objects: ["HOST-1"],
        registered: ["HOST-1 recovered"],
        creates: 1,
        lists: settings.rereadCount,
      },
    }));
});

describe("a list is as old as its beginning", () => {
  /** Lists show what was there when they began, and take so long. */
  function slowLists(world: ReturnType<typeof createWorld>, durationsMs: readonly number[]) {
    const rest = [...durationsMs];
    const list = world.graph.list;
    world.graph.list = async (tenantId) => {
      const objects = [...(world.graph.objects.get(tenantId) ?? [])];
      const reply = await list(tenantId);
      await new Promise<void>((resolve) => world.time.after(rest.shift() ?? 0, resolve));
      return reply.kind === "listed" ? { ...reply, objects } : reply;
    };
  }

  test("one that began while the request could still run proves nothing, whenever it ends", async (t) => {
    const world = createWorld(t);
    slowLists(world, [settings.settleMs + 5_000]);
    world.graph.script(contoso, lost);
    world.emit({});
    world.start({ rereadCount: 1 });
    await world.time.pass(40_000);
    world.graph.objects.set(contoso, [objectOf({})]);
    await world.untilRegistered(1);
    assert.equal(world.creates().length, 1);
  });

  test("one that another record asked for does not count as a re-read of this one before its time", async (t) => {
    const world = createWorld(t);
    slowLists(world, [0, 4_000]);
    world.graph.script(contoso, answers(500));
    world.emit({ machine: "A" });
    world.start({ rereadCount: 2 });
    await world.time.until("listed", () => world.lists().length === 1, 5_000);
    await world.time.pass(3_000);
    world.graph.script(contoso, answers(500));
    world.emit({ machine: "B" });
    await world.time.until("listed again", () => world.lists().length === 2, 5_000);
    await world.time.pass(1_500);
    world.graph.objects.set(contoso, [objectOf({ machine: "A" })]);
    await world.untilRegistered(2);
    assert.equal(world.createdMachines().filter((machine) => machine === "A").length, 1);
  });
});

describe("a list that is not whole", () => {
  const partOf = (...objects: Parameters<typeof objectOf>) => ({
    kind: "listed" as const,
    objects: [objectOf(...objects)],
    incomplete: "page 2 can't be read",
  });

  test("what it shows is found", (t) =>
    specify(t, {
      given: { enrolled: [{}], graph: [lost], lists: [partOf({})] },
      async when(world) {
        world.start();
        await world.untilRegistered(1, 5_000);
      },
      expect: { objects: [], registered: ["HOST-1 recovered"], creates: 1, lists: 1 },
    }));

  test("what it does not show may be there all the same: never absent, said with its reason, backed off", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lostAfterCreating);
    for (let n = 0; n < 1_000; n++) world.graph.listScript.push(partOf({ machine: "OTHER" }));
    world.emit({});
    const worker = world.start();
    await world.time.pass(3_600_000);
    assert.equal(world.creates().length, 1);
    const failed = worker.seen("read-back-failed");
    assert.ok(failed.length > 30 && failed.length < 300, `${failed.length} lists in an hour`);
    assert.match(failed[0]!.detail, /page 2 can't be read/);
    assert.equal(failed.at(-1)!.failures, failed.length);
    assert.ok(Math.max(...failed.map(({ retryInMs }) => retryInMs)) <= 60_500);
    world.graph.listScript.length = 0;
    await world.untilRegistered(1);
    assert.equal(world.registered()[0]?.data.outcome, "recovered");
  });

  // INV-ATTEMPTS
  test("for longer than TENANT_BLOCKED_MAX: its record is dead-lettered", (t) =>
    specify(t, {
      given: {
        enrolled: [{}],
        graph: [lost],
        lists: Array.from({ length: 1_000 }, () => partOf({ machine: "OTHER" })),
        settings: { tenantBlockedMaxMs: 3_600_000 },
      },
      async when(world) {
        world.start();
        await world.time.pass(3_800_000);
      },
      expect: { objects: [], registered: [], deadLetters: ["tenant-blocked enrolled/0/0"], creates: 1 },
    }));
});
