/** Outcomes on their way to the log: together, in order, again after a failure, never once they may not be. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createWorld, type World } from "../../../lab/testkit/registrar-world.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { createAppender } from "../../../src/registrar/flow/appender.ts";
import type { Entry } from "../../../src/registrar/flow/troubled-places.ts";

function given(t: TestContext) {
  const world = createWorld(t);
  const events: RegistrarEvent[] = [];
  const done: string[] = [];
  const { log } = world.log.connect(world.time, () => false);
  const observe = (event: RegistrarEvent) => void events.push(event);
  const appender = createAppender({ log, clock: world.time, random: () => 0.5, observe });
  const append = (name: string, mayPublish: Entry["mayPublish"] = () => "yes") =>
    appender.append({
      record: {
        topic: "registered",
        partition: 0,
        key: new TextEncoder().encode(name),
        value: null,
        headers: [],
      },
      mayPublish,
      done: (durable) => void done.push(`${name} ${durable}`),
    });
  return { world, appender, append, done, events };
}
const stored = (world: World) =>
  world.log.records("registered").map(({ key }) => new TextDecoder().decode(key!));

test("a lone entry is sent immediately; what gathers meanwhile goes together, in order, with the next", async (t) => {
  const { world, append, done } = given(t);
  append("a");
  await world.time.rest();
  append("b");
  append("c");
  await world.time.pass(10);
  assert.deepEqual(
    world.log.appends.map((records) => records.length),
    [1, 2],
  );
  assert.deepEqual(stored(world), ["a", "b", "c"]);
  assert.deepEqual(done, ["a true", "b true", "c true"]);
});

test("more than 500 go in several appends, in order", async (t) => {
  const { world, append } = given(t);
  const names = Array.from({ length: 1_100 }, (_, n) => `${n}`);
  for (const name of names) append(name);
  await world.time.pass(20);
  assert.deepEqual(
    world.log.appends.map((records) => records.length),
    [500, 500, 100],
  );
  assert.deepEqual(stored(world), names);
});

test("behind many the next append gathers for a while; behind few, or later, a lone entry is sent immediately", async (t) => {
  const { world, append, done } = given(t);
  const sizes = () => world.log.appends.map((records) => records.length);
  for (let n = 0; n < 20; n++) append(`first ${n}`);
  await world.time.pass(2);
  assert.equal(done.length, 20);
  append("a");
  await world.time.pass(4);
  append("b");
  await world.time.pass(2);
  assert.deepEqual(sizes(), [20]);
  await world.time.pass(4);
  assert.deepEqual(sizes(), [20, 2]);
  append("c");
  await world.time.pass(1);
  assert.deepEqual(sizes(), [20, 2, 1]);
  await world.time.pass(100);
  for (let n = 0; n < 20; n++) append(`last ${n}`);
  await world.time.pass(100);
  append("d");
  await world.time.pass(1);
  assert.deepEqual(sizes(), [20, 2, 1, 20, 1]);
});

test("behind eight the next append gathers, behind seven it does not, and five hundred wait for no more", async (t) => {
  for (const [behind, gathered, appendsAtOnce] of [
    [7, 2, 2],
    [8, 2, 1],
    [8, 499, 1],
    [8, 500, 2],
  ] as const) {
    const { world, append } = given(t);
    for (let n = 0; n < behind; n++) append(`first ${n}`);
    await world.time.rest();
    for (let n = 0; n < gathered; n++) append(`then ${n}`);
    await world.time.pass(3);
    assert.equal(world.log.appends.length, appendsAtOnce, `${gathered} behind ${behind}`);
    await world.time.pass(20);
    assert.equal(stored(world).length, behind + gathered);
  }
});

test("a failure after a success waits no longer than the first one did", async (t) => {
  const { world, append, events } = given(t);
  for (let n = 0; n < 6; n++) {
    world.log.appendScript.push("lost");
    append(`${n}`);
    await world.time.pass(10_000);
  }
  const waits = events.map((event) => (event.kind === "log-failed" ? event.retryInMs : null));
  assert.deepEqual(waits, Array(6).fill(waits[0]));
});

// INV-DURABLE-OUTCOME
for (const [failure, expected] of [
  ["lost", ["a", "b"]],
  ["unacknowledged", ["a", "a", "b"]],
] as const)
  test(`an append that is ${failure} is sent again after a back-off, before anything newer`, async (t) => {
    const { world, append, done, events } = given(t);
    world.log.appendScript.push(failure);
    append("a");
    await world.time.rest();
    append("b");
    await world.time.pass(1);
    assert.deepEqual(done, []);
    await world.time.pass(5_000);
    assert.deepEqual(stored(world), expected);
    assert.deepEqual(done, ["a true", "b true"]);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["log-failed"],
    );
  });

test("new entries do not shorten the back-off", async (t) => {
  const { world, append } = given(t);
  for (let n = 0; n < 100; n++) world.log.appendScript.push("lost");
  for (let n = 0; n < 100; n++) {
    append(`${n}`);
    await world.time.pass(100);
  }
  assert.ok(world.log.appends.length <= 10, `${world.log.appends.length} tries in 10 s`);
});

// INV-DURABLE-OUTCOME
test("what the log says it has stored is durable, with its offset where the log says that too", async (t) => {
  const world = createWorld(t);
  const done: string[] = [];
  const { log } = world.log.connect(world.time, () => false);
  for (const says of ["where", "nothing"]) {
    const append: typeof log.append = (records, onStored) => {
      if (says === "where") for (const index of records.keys()) onStored?.(index, 40 + index);
      return Promise.resolve({ ok: true });
    };
    const appender = createAppender({
      ...{ log: { ...log, append }, clock: world.time, random: () => 0.5 },
      observe: () => assert.fail("it failed"),
    });
    for (const partition of [0, 1])
      appender.append({
        record: { topic: "registered", partition, key: null, value: null, headers: [] },
        mayPublish: () => "yes",
        done: (durable, offset) => void done.push(`${durable} ${offset}`),
      });
    await world.time.pass(10);
  }
  assert.deepEqual(done, ["true 40", "true 41", "true null", "true null"]);
});

// INV-SETTLE-TIME
test("an entry that has to wait holds up no other, and goes when it may", async (t) => {
  const { world, appender, append, done } = given(t);
  let mayPublish: "wait" | "yes" = "wait";
  append("waits", () => mayPublish);
  append("other");
  await world.time.pass(1_100);
  assert.deepEqual(done, ["other true"]);
  mayPublish = "yes";
  appender.wake();
  await world.time.pass(10);
  assert.deepEqual(done, ["other true", "waits true"]);
});

test("an entry that has to wait after a failure goes immediately when it may and is called", async (t) => {
  const { world, appender, append, done } = given(t);
  let mayPublish: "wait" | "yes" = "yes";
  world.log.appendScript.push("lost");
  append("waits", () => mayPublish);
  await world.time.until("it failed", () => world.log.appends.length === 1);
  mayPublish = "wait";
  await world.time.pass(1_000);
  mayPublish = "yes";
  appender.wake();
  await world.time.pass(3);
  assert.deepEqual(done, ["waits true"]);
});

test("an entry that has to wait is looked at again though nothing wakes it", async (t) => {
  const { world, append, done } = given(t);
  let mayPublish: "wait" | "yes" = "wait";
  append("waits", () => mayPublish);
  await world.time.pass(1_000);
  mayPublish = "yes";
  await world.time.pass(1_000);
  assert.deepEqual(done, ["waits true"]);
});

test("an entry of a lost partition is dropped and never stored, also while the log is down", async (t) => {
  const { world, append, done } = given(t);
  let answer: "yes" | "no" = "yes";
  world.log.appendScript.push("lost");
  append("gone", () => answer);
  await world.time.pass(10);
  answer = "no";
  await world.time.pass(5_000);
  assert.deepEqual(stored(world), []);
  assert.deepEqual(done, ["gone false"]);
});

for (const isDown of [false, true])
  test(`what is appended since an entry was dropped is not dropped with it${isDown ? ", while the log is down too" : ""}`, async (t) => {
    const { world, appender, append, done } = given(t);
    let answer: "yes" | "wait" | "no" = isDown ? "yes" : "wait";
    if (isDown) world.log.appendScript.push("lost");
    appender.append({
      record: { topic: "registered", partition: 0, key: null, value: null, headers: [] },
      mayPublish: () => answer,
      done: () => append("next"),
    });
    await world.time.pass(10);
    answer = "no";
    await world.time.pass(5_000);
    assert.deepEqual(done, ["next true"]);
    assert.deepEqual(stored(world), ["next"]);
    assert.equal(appender.pending(), 0);
  });

test("pending counts what waits and what is under way, until it is done", async (t) => {
  const { world, appender, append } = given(t);
  append("a");
  await world.time.rest();
  append("b");
  assert.equal(appender.pending(), 2);
  await world.time.pass(10);
  assert.equal(appender.pending(), 0);
});
