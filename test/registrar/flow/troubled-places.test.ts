/** A record, or a partition, that the log does not take holds up nothing that is for another one. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { EventLog, NewRecord, Topic } from "../../../src/ports.ts";
import { createAppender } from "../../../src/registrar/flow/appender.ts";
import { placeOf } from "../../../src/registrar/flow/troubled-places.ts";
import { sleep } from "../../../src/sleep.ts";

const utf8 = new TextEncoder();
const textOf = (bytes: Uint8Array | null) => new TextDecoder().decode(bytes ?? undefined);

/** As Kafka's adapter does: records for other partitions are stored, and reported; those behind a refused one are not. */
function fussy(
  world: World,
  refuses: (record: NewRecord) => boolean,
  calls: string[][] = [],
): EventLog["append"] {
  return async (records, onStored) => {
    calls.push([...new Set(records.map(placeOf))]);
    await sleep(world.time, 1);
    const shut = new Set<string>();
    for (const [index, record] of records.entries()) {
      if (refuses(record)) shut.add(placeOf(record));
      if (!shut.has(placeOf(record))) onStored?.(index, world.log.store(record).offset);
    }
    return shut.size === 0 ? { ok: true } : { ok: false, reason: `refused for ${[...shut].join(", ")}` };
  };
}

function given(t: TestContext, refuses: (record: NewRecord) => boolean) {
  const world = createWorld(t, { partitions: 2 });
  const calls: string[][] = [];
  const events: RegistrarEvent[] = [];
  const done: string[] = [];
  const { log } = world.log.connect(world.time, () => false);
  const appender = createAppender({
    log: { ...log, append: fussy(world, refuses, calls) },
    clock: world.time,
    random: () => 0.5,
    observe: (event) => void events.push(event),
  });
  const append = (name: string, topic: Topic = "registered", { partition = 0, key = name } = {}) =>
    appender.append({
      record: { topic, partition, key: utf8.encode(key), value: utf8.encode(name), headers: [] },
      mayPublish: () => "yes",
      done: (durable) => void done.push(`${name} ${durable}`),
    });
  const stored = (topic: Topic, partition = 0) =>
    world.log.records(topic, partition).map(({ value }) => textOf(value));
  return { world, appender, append, calls, events, done, stored };
}

// INV-ISOLATION
describe("given a partition that takes nothing for now", () => {
  test("what is for others is stored, once, and continues; what is for it waits, in order", async (t) => {
    let isShut = true;
    const { world, appender, append, done, stored, events } = given(
      t,
      (record) => isShut && placeOf(record) === "dlq/1",
    );
    append("a");
    append("b", "dlq", { partition: 1 });
    append("c");
    await world.time.pass(30_000);
    append("d", "dlq", { partition: 1 });
    append("e");
    await world.time.pass(20);
    assert.deepEqual(stored("registered"), ["a", "c", "e"]);
    assert.deepEqual(done, ["a true", "c true", "e true"]);
    assert.equal(appender.pending(), 2);
    assert.ok(events.length > 3, "each failure is said");
    isShut = false;
    await world.time.pass(10_000);
    assert.deepEqual(stored("dlq", 1), ["b", "d"]);
    append("f", "dlq", { partition: 1 });
    append("g");
    await world.time.pass(20);
    assert.deepEqual(
      [stored("dlq", 1).at(-1), stored("registered").at(-1), appender.pending()],
      ["f", "g", 0],
    );
  });

  test("two that take nothing are asked for apart: one that is well again does not wait for the other", async (t) => {
    const shut = new Set(["dlq/0", "dlq/1"]);
    const { world, append, stored, calls } = given(t, (record) => shut.has(placeOf(record)));
    append("a", "dlq");
    append("b", "dlq", { partition: 1 });
    await world.time.pass(30_000);
    shut.delete("dlq/1");
    await world.time.pass(15_000);
    assert.deepEqual([stored("dlq", 0), stored("dlq", 1)], [[], ["b"]]);
    assert.ok(calls.slice(1).every((places) => places.length === 1));
  });
});

// INV-ISOLATION
test("what gathers behind many that were not taken does not wait for more to gather", async (t) => {
  const { world, append, stored } = given(t, (record) => placeOf(record) === "dlq/1");
  for (let n = 0; n < 20; n++) append(`${n}`, "dlq", { partition: 1 });
  await world.time.rest();
  append("other");
  await world.time.pass(2);
  assert.deepEqual(stored("registered"), ["other"]);
});

// INV-ISOLATION
describe("given a record that the log refuses for good", () => {
  test("others of its partition pass it, but those with its key, and it is tried again and again", async (t) => {
    let isLarge = true;
    const { world, append, stored, calls } = given(t, ({ value }) => isLarge && textOf(value) === "large");
    append("large", "retry", { key: "tenant" });
    append("behind it", "retry", { key: "tenant" });
    append("a", "retry");
    append("b", "retry");
    await world.time.pass(30_000);
    append("c", "retry");
    await world.time.pass(15_000);
    assert.deepEqual(stored("retry"), ["a", "b", "c"]);
    const tries = calls.length;
    await world.time.pass(60_000);
    assert.ok(calls.length > tries + 5 && calls.length < tries + 60, `${calls.length - tries} in a minute`);
    isLarge = false;
    await world.time.pass(10_000);
    assert.deepEqual(stored("retry"), ["a", "b", "c", "large", "behind it"]);
  });

  test("the worker continues with all tenants, and dead-letters other records", async (t) => {
    const world = createWorld(t);
    const { connect } = world.log;
    world.log.connect = (...to) => {
      const { log, member } = connect(...to);
      const append = fussy(world, ({ topic, value }) => topic === "dlq" && (value?.length ?? 0) > 10_000);
      return { member, log: { ...log, append } };
    };
    const notAnEvent = (value: string): NewRecord => ({
      ...{ topic: "enrolled", partition: 0, key: null, headers: [] },
      value: utf8.encode(value),
    });
    world.log.store(notAnEvent("x".repeat(20_000)));
    world.log.store(notAnEvent("small"));
    world.emit(...many(3, contoso), ...many(3, fabrikam));
    const worker = world.start();
    await world.untilRegistered(6, 60_000);
    await world.time.until("the small one is dead-lettered", () => world.deadLetters().length === 1, 60_000);
    world.emit(...many(3, contoso, 10));
    await world.untilRegistered(9, 60_000);
    assert.equal(world.log.committed("enrolled")?.offset, 0, "what has no outcome is not passed");
    assert.match(worker.seen("log-failed").at(-1)!.reason, /refused for dlq\/0/);
    assert.equal(world.createdMachines().length, 9);
  });
});
