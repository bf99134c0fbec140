/** Records are read as long as there is room, and only under the session that holds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settle } from "../../../src/registrar/intake/window.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { createSession, given, records, rest } from "./reader-given.ts";

describe("a partition that was confirmed", () => {
  test("is read from where it stands, both its inputs, each by one read", async () => {
    const { reader, partition, log, seen, events } = given();
    reader.start(partition);
    await rest();
    assert.deepEqual([log.seeks, log.reads()], [["enrolled/0@5 -1", "retry/0@2 -1"], 2]);
    await log.answer("enrolled", records(5, 6));
    await log.answer("retry", records(2));
    assert.deepEqual(seen, [
      "enrolled 5",
      "enrolled 6",
      "read",
      "room",
      "parked 2",
      "check",
      "refill",
      "read",
    ]);
    assert.deepEqual(events, [
      { kind: "records-read", topic: "enrolled", partition: 0, count: 2 },
      { kind: "records-read", topic: "retry", partition: 0, count: 1 },
    ]);
  });

  test("and is taken over again within its session continues from there by the reads that wait", async () => {
    const { reader, partition, log } = given({ windowRecords: 10 });
    reader.start(partition);
    await rest();
    await log.answer("enrolled", records(5, 6));
    reader.start(partition);
    await rest();
    assert.equal(log.reads(), 3);
    assert.deepEqual(log.seeks.slice(2), ["enrolled/0@7 4", "retry/0@2 -1"]);
  });

  test("is read by another session beside the reads of one that is over", async () => {
    const { reader, partition, log, seen, events } = given();
    reader.start(partition);
    await rest();
    const next = createSession();
    log.ended.abort();
    partition.lease = createLease(next.session);
    reader.start(partition);
    await rest();
    assert.deepEqual([next.reads(), next.seeks], [2, ["enrolled/0@5 -1", "retry/0@2 -1"]]);
    await log.answer("enrolled", records(5));
    assert.deepEqual([seen, events], [[], []], "it is read again under the next session");
    assert.equal(log.reads(), 2);
  });

  test("whose reads have ended is read again when it is confirmed again", async () => {
    const { reader, partition, log } = given();
    reader.start(partition);
    await rest();
    await log.answer("enrolled", { kind: "ended" });
    assert.equal(log.reads(), 2);
    reader.start(partition);
    await rest();
    assert.equal(log.reads(), 3);
  });
});

test("what is read and has room is taken in within one turn, so that it can share requests", async () => {
  const { reader, partition, log, seen, state } = given({ windowRecords: 3 });
  reader.start(partition);
  await rest();
  state.onAccept = () => queueMicrotask(() => void seen.push("next turn"));
  await log.answer("enrolled", records(5, 6, 7));
  assert.deepEqual(seen.slice(0, 4), ["enrolled 5", "enrolled 6", "enrolled 7", "read"]);
});

test("when the session ends with one record, no more is taken in of those that were read with it", async () => {
  const { reader, partition, log, seen, state } = given({ windowRecords: 3 });
  reader.start(partition);
  await rest();
  state.onAccept = () => log.ended.abort();
  await log.answer("enrolled", records(5, 6, 7));
  assert.deepEqual([seen, log.reads()], [["enrolled 5"], 2]);
});

describe("a window that is full", () => {
  test("takes no more than it has room for; room is made, and what is left comes when there is some", async () => {
    const { reader, partition, log, seen, slots } = given();
    reader.start(partition);
    await rest();
    await log.answer("enrolled", records(5, 6, 7));
    assert.deepEqual(seen, ["enrolled 5", "enrolled 6", "room"]);
    assert.deepEqual(partition.leaderEpochs.enrolled.changes.at(-1), { fromOffset: 5, epoch: 4 });
    reader.wake(partition);
    await rest();
    assert.deepEqual(seen.slice(3), ["room"], "nothing has left");
    settle(partition.window, slots[0]!);
    reader.wake(partition);
    await rest();
    assert.deepEqual(seen.slice(4), ["enrolled 7", "read", "room"]);
  });

  test("is looked at again after a while, and nothing is read meanwhile", async () => {
    const { reader, partition, log, clock, slots, seen } = given();
    reader.start(partition);
    await rest();
    await log.answer("enrolled", records(5, 6));
    settle(partition.window, slots[0]!);
    assert.equal(log.reads(), 2);
    clock.advance(250);
    await rest();
    assert.equal(log.reads(), 3);
    assert.equal(seen.filter((what) => what === "room").length, 1);
  });

  for (const [when, change] of [
    ["its session ended", ({ log }) => log.ended.abort()],
    ["its partition was lost", ({ partition }) => partition.lost.abort()],
    ["it is no longer confirmed", ({ partition }) => Object.assign(partition, { confirmed: false })],
    [
      "another session holds it",
      ({ partition }) => Object.assign(partition, { lease: createLease(createSession().session) }),
    ],
    ["the worker stops", ({ state }) => Object.assign(state, { isStopping: true })],
  ] as const satisfies readonly (readonly [string, (at: ReturnType<typeof given>) => unknown])[])
    test(`takes in nothing of what waits once ${when}, though there is room`, async () => {
      const at = given();
      const { reader, partition, log, seen, slots } = at;
      reader.start(partition);
      await rest();
      await log.answer("enrolled", records(5, 6, 7));
      const before = seen.length;
      settle(partition.window, slots[0]!);
      change(at);
      reader.wake(partition);
      await rest();
      assert.deepEqual([seen.length, log.reads()], [before, 2]);
    });
});

test("a worker that stops reads nothing more", async () => {
  const { reader, partition, log, state, seen } = given();
  reader.start(partition);
  await rest();
  state.isStopping = true;
  await log.answer("enrolled", records(5));
  assert.deepEqual([seen, log.reads()], [[], 2]);
});
