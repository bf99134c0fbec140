/** The way of a record through a worker when nothing fails: one event, one object, one registered record. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  contoso,
  detailsOf,
  eventRecord,
  fabrikam,
  headerNames,
  keyOf,
} from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import { createServed, listOf } from "../../../src/tenants/served.ts";

describe("one event", () => {
  test("is posted once, exactly as it came, registered, and committed", async (t) => {
    const world = createWorld(t);
    world.emit({ machine: "Host-1", event: "event-7" });
    const worker = world.start();
    await world.untilRegistered(1);
    await world.time.pass(5_000);

    const [post, ...more] = world.creates();
    assert.deepEqual(more, []);
    assert.equal(post?.tenantId, contoso);
    const key = keyOf({ machine: "Host-1" });
    const [item] = post?.items ?? [];
    assert.deepEqual(item?.details, detailsOf({ machine: "Host-1" }));
    assert.deepEqual([item?.id, item?.idempotencyKey], [key, key]);

    const [record, ...others] = world.registered();
    assert.deepEqual(others, []);
    const { data } = record!;
    assert.deepEqual([record?.id, data.id, data.outcome, data.attempts], [key, "object-1", "created", 1]);
    assert.deepEqual([data.graph.status, data.graph.requestId], [201, "request-201"]);
    assert.deepEqual([data.sourceEvent.id, data.sourceEvent.offset], ["event-7", 0]);
    assert.equal(world.log.committed("enrolled")?.offset, 1);
    assert.equal(worker.registrar.status().lagRecords, 0);
  });

  test("sent without an id when ids are not to be sent", async (t) => {
    const world = createWorld(t);
    world.emit({});
    world.start({ sendId: false });
    await world.untilRegistered(1);
    assert.equal(world.creates()[0]?.items[0]?.id, null);
    assert.equal(world.creates()[0]?.items[0]?.idempotencyKey, keyOf({}));
  });

  // INV-DURABLE-OUTCOME
  test("is not committed before its registered record is acknowledged", async (t) => {
    const world = createWorld(t);
    const release = world.log.hold("append");
    world.emit({});
    world.start();
    await world.time.pass(20_000);
    assert.equal(world.creates().length, 1);
    assert.equal(world.log.committed("enrolled")?.offset, 0);
    release();
    await world.time.pass(5_000);
    assert.equal(world.log.committed("enrolled")?.offset, 1);
  });
});

// INV-ONE-CREATE-PER-KEY
describe("the same enrollment again", () => {
  const again = { event: "another-event", at: "2017-01-01T07:57:59.3726057Z", machine: "host-1" };

  for (const [when, wait] of [
    ["while the first is in flight", 0],
    ["after the first is registered", 10_000],
  ] as const) {
    test(`${when}, under another event id and another spelling: nothing is posted`, async (t) => {
      const world = createWorld(t);
      const worker = world.start();
      world.emit({ machine: "HOST-1" });
      await world.time.pass(wait);
      world.emit(again);
      await world.time.pass(10_000);
      assert.equal(world.creates().length, 1);
      assert.equal(world.registered().length, 1);
      assert.deepEqual(
        worker.seen("record-duplicate").map(({ at }) => at.offset),
        [1],
      );
      assert.equal(world.log.committed("enrolled")?.offset, 2);
    });
  }

  test("ten thousand copies behind the one that is in flight are ignored, for as long as that takes", async (t) => {
    const world = createWorld(t);
    const copies = 10_000;
    world.emit(...Array.from({ length: copies + 1 }, () => ({})));
    const worker = world.start({ windowRecords: 2 * copies });
    await world.time.until("all are duplicates", () => worker.seen("record-duplicate").length === copies);
    await world.time.pass(5_000);
    assert.deepEqual([world.creates().length, world.log.committed("enrolled")?.offset], [1, copies + 1]);
  });

  test("another connector of the machine, or a later enrollment of it, is an enrollment of its own", async (t) => {
    const world = createWorld(t);
    world.emit({}, { connector: "other" }, { at: "2016-12-31T23:57:59.3726058-08:00" });
    world.start();
    await world.untilRegistered(3);
  });
});

// INV-ORDER
describe("order", () => {
  test("one machine's events are posted one after the other, as they stand in the topic; other machines go beside them", async (t) => {
    const world = createWorld(t);
    world.emit(
      { machine: "A", connector: "1" },
      { machine: "A", connector: "2" },
      { machine: "B", connector: "1" },
      { machine: "a", connector: "3" },
    );
    world.start({ batchMax: 1 });
    await world.untilRegistered(4);
    const posts = world.creates().map(({ atMs, items }) => ({ atMs, ...items[0]!.details }));
    const ofA = posts.filter(({ machineName }) => machineName !== "B");
    assert.deepEqual(
      ofA.map(({ connectorName }) => connectorName),
      ["1", "2", "3"],
    );
    // Each begins only after the one before it was answered and published.
    for (const [n, post] of ofA.entries())
      if (n > 0) assert.ok(post.atMs > ofA[n - 1]!.atMs + world.graph.latencyMs);
    assert.equal(posts.find(({ machineName }) => machineName === "B")?.atMs, ofA[0]?.atMs);
  });
});

describe("a record that is not an enrollment", () => {
  test("goes to the dead-letter topic, byte for byte, and the worker continues", async (t) => {
    const world = createWorld(t);
    const value = new TextEncoder().encode("connector-1 enrolled");
    const headers = [["x", value]] as const;
    world.log.store({ topic: "enrolled", partition: 0, key: null, value, headers });
    world.emit({});
    const worker = world.start();
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    assert.deepEqual(world.deadLetters(), ["value-not-json enrolled/0/0"]);
    const [dead] = world.log.records("dlq");
    assert.deepEqual([dead?.value, headerNames(dead!)], [value, ["x", "dead-letter"]]);
    assert.deepEqual(
      worker.seen("record-refused").map(({ at, code }) => [at.offset, code]),
      [[0, "value-not-json"]],
    );
    assert.equal(world.log.committed("enrolled")?.offset, 2);
  });

  test("so does one of a tenant that is not allowed", async (t) => {
    const world = createWorld(t);
    world.emit({ tenant: fabrikam }, { tenant: contoso });
    world.start({ tenants: createServed(listOf([contoso]), "global") });
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    assert.deepEqual(world.deadLetters(), ["tenant-not-allowed enrolled/0/0"]);
    assert.deepEqual(world.creates(fabrikam), []);
  });
});

// INV-SINGLE-OWNER
describe("a record outside its tenant's home partition", () => {
  test("is moved there, with the place where it was for people to see, and registered from there", async (t) => {
    const world = createWorld(t, { partitions: 4 });
    const home = homePartition(contoso, 4);
    const elsewhere = (home + 1) % 4;
    world.emit({ partition: elsewhere });
    const worker = world.start();
    const registered = () => world.registered(home);
    await world.time.until("registered at home", () => registered().length === 1);
    await world.time.pass(5_000);
    assert.equal(world.creates().length, 1);
    const { partition, offset } = registered()[0]!.data.sourceEvent;
    assert.deepEqual([partition, offset], [home, 0]);
    const [moved] = world.log.records("enrolled", home);
    assert.deepEqual(
      moved?.headers.map(([name, value]) => `${name} ${new TextDecoder().decode(value!)}`),
      [`origin enrolled/${elsewhere}/0`],
    );
    assert.deepEqual(
      worker.seen("record-rehomed").map(({ toPartition }) => toPartition),
      [home],
    );
    assert.equal(world.log.committed("enrolled", elsewhere)?.offset, 1);
    assert.equal(world.log.committed("enrolled", home)?.offset, 1);
  });
});

describe("headers that a producer wrote", () => {
  const header = (name: string, value: string) => [name, new TextEncoder().encode(value)] as const;
  const forged = [header("origin", "enrolled/0/77"), header("in-doubt", "1")];

  test("have no effect: posted immediately, registered and dead-lettered under its own position", async (t) => {
    const world = createWorld(t);
    world.log.store({ ...eventRecord({ machine: "GOOD" }, 0), headers: forged });
    world.log.store({ ...eventRecord({ machine: "BAD" }, 0), headers: forged });
    world.graph.always("BAD", answers(422));
    world.start();
    await world.untilRegistered(1, 5_000);
    await world.time.until("dead-lettered", () => world.deadLetters().length === 1, 5_000);
    assert.deepEqual(world.lists(), []);
    assert.equal(world.registered()[0]?.data.sourceEvent.offset, 0);
    assert.deepEqual(world.deadLetters(), ["graph-422 enrolled/0/1"]);
  });

  test("are not taken into the retry topic for the worker's own", async (t) => {
    const world = createWorld(t);
    world.graph.always(contoso, answers(403));
    const worker = world.start({ windowRecords: 5 });
    for (let n = 0; n < 20; n++)
      world.log.store({ ...eventRecord({ machine: `HOST-${n}` }, 0), headers: forged });
    await world.time.until("some are parked", () => worker.seen("record-parked").length > 5, 60_000);
    for (const record of world.log.records("retry")) {
      assert.deepEqual(headerNames(record), ["origin", "origin"]);
      assert.notEqual(new TextDecoder().decode(record.headers[1]![1]!), "enrolled/0/77");
    }
    world.graph.always(contoso, null);
    await world.untilRegistered(20);
    const offsets = world.registered().map(({ data }) => data.sourceEvent.offset);
    assert.deepEqual(
      offsets.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n),
    );
    assert.deepEqual(world.lists(), []);
  });
});

test("a thousand events of one tenant: a thousand objects, in few round trips of the log", async (t) => {
  const world = createWorld(t);
  world.emit(...many(1_000, contoso));
  world.start({ windowRecords: 2_000 });
  await world.untilRegistered(1_000);
  await world.time.pass(5_000);
  assert.equal(world.graph.objects.get(contoso)?.length, 1_000);
  assert.equal(world.creates().length, 1_000 / 20);
  assert.ok(world.log.appends.length <= 50, `${world.log.appends.length} appends`);
  assert.ok(world.log.commits.length <= 5, `${world.log.commits.length} commits`);
  assert.equal(world.log.committed("enrolled")?.offset, 1_000);
});
