/** The file of the index: gone on with, made again, or left alone. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { keyOf } from "../../lab/testkit/enrollments.ts";
import { systemClock } from "../../src/clock.ts";
import type { Enrollment } from "../../src/index/enrollment-index.ts";
import { openEnrollmentIndex } from "../../src/index/open-index.ts";
import { event, indexPath, MemoryTopics, type Opened, openOn, refused, registered } from "./topics.ts";

const machines = ["A", "B", "C", "D", "E"];
const states = ({ index }: Opened) =>
  machines.map((machine) => index.find(keyOf({ machine }))?.state ?? null);

/** A and B registered, C refused, D waiting. */
function filled(): MemoryTopics {
  const topics = new MemoryTopics();
  for (const machine of ["A", "B", "C", "D"]) topics.append(event({ machine }));
  for (const [offset, machine] of ["A", "B"].entries()) topics.append(registered({ machine, offset }));
  topics.append(refused({ ...topics.append(event({ machine: "C" })) }));
  return topics;
}
const asFilled = ["registered", "registered", "refused", "waiting", null];

async function opened(topics: MemoryTopics, path: string): Promise<Opened> {
  const open = openOn(topics.log, path);
  await open.read();
  return open;
}

test("an index that is opened again reads on from where it was", async (t) => {
  const topics = filled();
  const path = indexPath(t);
  const first = await opened(topics, path);
  const counts = first.index.counts();
  first.index.close();
  topics.append(event({ machine: "E" }));
  topics.scans.length = 0;
  const second = await opened(topics, path);
  assert.deepEqual(states(second), ["registered", "registered", "refused", "waiting", "waiting"]);
  assert.deepEqual(second.index.counts(), { ...counts, waiting: counts.waiting + 1 });
  // From the last record that was read, to know it again.
  assert.deepEqual(topics.scans, ["registered/0@1", "dlq/0@0", "enrolled/0@4"]);
  assert.deepEqual(second.notes, []);
  topics.scans.length = 0;
  await second.read();
  assert.deepEqual(topics.scans, []);
  second.index.close();
});

for (const [what, change] of [
  ["has another id", (topics: MemoryTopics) => topics.make("registered", "registered-2")],
  ["was made again and has no id", (topics: MemoryTopics) => topics.make("registered", null)],
  [
    "ends before what was read",
    (topics: MemoryTopics) => topics.keep("registered", ({ offset }) => offset < 1, 1),
  ],
] as const) {
  test(`a topic that ${what} is read from its beginning, also while the index is open, and that is said`, async (t) => {
    for (const isOpen of [true, false]) {
      const topics = filled();
      const path = indexPath(t);
      const first = await opened(topics, path);
      if (!isOpen) first.index.close();
      change(topics);
      // Of as many records as there were, the last one is only looked at once there are more.
      for (let n = 0; n < 2; n++) topics.append(registered({ machine: "E" }));
      const second = isOpen ? first : openOn(topics.log, path);
      await second.read();
      assert.deepEqual(
        second.notes.map(({ kind }) => kind),
        ["rebuilt"],
      );
      assert.match(
        second.notes[0]!.message,
        /^The index .*index\.db is built again from the topics: .*registered/,
      );
      assert.equal(second.index.find(keyOf({ machine: "B" }))?.state, "waiting");
      assert.equal(second.index.find(keyOf({ machine: "E" }))?.state, "registered");
      second.index.close();
    }
  });
}

test("another log of the same length, without ids, is noticed by the last record that was read", async (t) => {
  const path = indexPath(t);
  const topics = filled();
  for (const topic of ["enrolled", "retry", "registered", "dlq"] as const) {
    if (topic !== "registered") continue;
    topics.make(topic, null);
    topics.append(registered({ machine: "A" }));
  }
  const first = await opened(topics, path);
  first.index.close();
  topics.make("registered", null);
  topics.append(registered({ machine: "B" }));
  const second = await opened(topics, path);
  assert.match(second.notes[0]?.message ?? "", /registered\/0 holds another record at 0 than was read there/);
  assert.deepEqual(states(second), ["waiting", "registered", "refused", "waiting", null]);
  second.index.close();
});

test("compaction and retention are no other log", async (t) => {
  const path = indexPath(t);
  const topics = filled();
  const first = await opened(topics, path);
  first.index.close();
  topics.append(registered({ machine: "B", outcome: "recovered" }));
  topics.keep("registered", ({ offset }) => offset !== 1);
  topics.keep("enrolled", ({ offset }) => offset > 2);
  const second = await opened(topics, path);
  assert.deepEqual(second.notes, []);
  assert.deepEqual(states(second), asFilled);
  assert.equal(second.index.find(keyOf({ machine: "B" }))?.registered?.outcome, "created");
  second.index.close();
});

test("a file of another version is made again, and that is said", async (t) => {
  const path = indexPath(t);
  const topics = filled();
  (await opened(topics, path)).index.close();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 99");
  db.close();
  const second = await opened(topics, path);
  assert.match(second.notes[0]?.message ?? "", /it had format 99, this version keeps format \d/);
  assert.deepEqual(states(second), asFilled);
  second.index.close();
});

test("a file that is not an SQLite file is put aside, one that is damaged inside is made again", async (t) => {
  const topics = filled();
  const garbled = indexPath(t);
  writeFileSync(garbled, "these are somebody's notes, ".repeat(50));
  const first = await opened(topics, garbled);
  assert.match(first.notes[0]?.message ?? "", /it was damaged \(it is not an SQLite file\)/);
  assert.deepEqual(states(first), asFilled);
  assert.match(readFileSync(`${garbled}.damaged`, "utf8"), /^these are somebody's notes/);
  first.index.close();

  for (const damage of [
    (path: string) => truncateSync(path, 4096 * 3),
    (path: string) => {
      const bytes = readFileSync(path);
      bytes.fill(0xa5, 4096);
      writeFileSync(path, bytes);
    },
  ]) {
    const path = indexPath(t);
    (await opened(topics, path)).index.close();
    damage(path);
    const again = await opened(topics, path);
    assert.deepEqual(states(again), asFilled);
    assert.match(again.notes[0]?.message ?? "", /it was damaged \(/);
    assert.equal(existsSync(`${path}.damaged`), false);
    again.index.close();
  }
});

test("a SQLite file of another program is left unchanged, and so is one that is in use", async (t) => {
  const path = indexPath(t);
  const theirs = new DatabaseSync(path);
  theirs.exec("CREATE TABLE theirs (a)");
  theirs.close();
  const parts = { path, log: filled().log, clock: systemClock };
  const foreign = openEnrollmentIndex(parts);
  assert.equal(!foreign.ok && foreign.problem.code, "index-foreign");

  const used = indexPath(t);
  const first = await opened(filled(), used);
  const second = openEnrollmentIndex({ ...parts, path: used });
  assert.equal(!second.ok && second.problem.code, "index-busy");
  assert.match(second.ok ? "" : second.problem.fix, /DATA_DIR/);
  assert.deepEqual(states(first), asFilled);
  first.index.close();
});

test("topics that can't be read are trouble that passes, reported once", async (t) => {
  const topics = filled();
  const open = await opened(topics, indexPath(t));
  topics.trouble = "no broker answers";
  const { signal } = new AbortController();
  assert.equal(await open.index.catchUp(signal), false);
  assert.equal(await open.index.catchUp(signal), false);
  assert.equal(open.index.progress().trouble, "no broker answers");
  assert.deepEqual(states(open), asFilled);
  topics.trouble = null;
  await open.read();
  assert.equal(open.index.progress().trouble, null);
  assert.deepEqual(
    open.notes.map(({ kind }) => kind),
    ["unreadable", "readable"],
  );
  open.index.close();
});

test("a request that waits for an outcome gets it once; the number of those that wait is limited", async (t) => {
  const topics = new MemoryTopics();
  topics.append(event({ machine: "A" }));
  const { index, read } = openOn(topics.log, indexPath(t), { waitersMax: 2 });
  await read();
  const told: string[] = [];
  const wait = (machine: string) =>
    index.whenSettled(keyOf({ machine }), ({ state }) => told.push(`${machine} ${state}`));
  const cancel = wait("A");
  assert.notEqual(cancel, null);
  assert.notEqual(wait("A"), null);
  assert.equal(wait("B"), null);
  cancel!();
  cancel!();
  assert.notEqual(wait("B"), null);
  const refusedRecord = topics.append(event({ machine: "B" }));
  topics.append(refused(refusedRecord));
  topics.append(registered({ machine: "A" }));
  await read();
  topics.append(registered({ machine: "A", registeredAt: 1 }));
  await read();
  assert.deepEqual(told.sort(), ["A registered", "B refused"]);
  assert.notEqual(wait("C"), null);
  index.close();
});

test("follow reads new records until it is aborted; outcomes of the first load are reported too", async (t) => {
  const topics = new MemoryTopics();
  const { index } = openOn(topics.log, indexPath(t));
  const settled = (machine: string) =>
    new Promise((resolve) => index.whenSettled(keyOf({ machine }), resolve)) as Promise<Enrollment>;
  const first = settled("A");
  topics.append(registered({ machine: "A" }));
  const stop = new AbortController();
  const following = index.follow(stop.signal);
  assert.equal((await first).state, "registered");
  const second = settled("B");
  topics.append(refused(topics.append(event({ machine: "B" }))));
  assert.equal((await second).state, "refused");
  const third = settled("C");
  topics.append(registered({ machine: "C" }));
  assert.equal((await third).state, "registered");
  assert.deepEqual([index.progress().caughtUp, index.progress().trouble], [true, null]);
  stop.abort();
  await following;
  index.close();
  assert.equal(index.find(keyOf({ machine: "A" })), null);
});
