import assert from "node:assert/strict";
import { test } from "node:test";
import { createInbox } from "../../../../src/log/kafka/fetch/inbox.ts";
import type { LogRecord } from "../../../../src/ports.ts";

function one(offset: number): LogRecord[] {
  return [
    {
      topic: "enrolled",
      partition: 0,
      offset,
      key: null,
      value: null,
      headers: [],
      timestampMs: 0,
      leaderEpoch: -1,
    },
  ];
}

function open() {
  let wanted = 0;
  const inbox = createInbox([{ topic: "enrolled", name: "n", topicId: null, partition: 0 }], () => {
    wanted += 1;
  });
  return { inbox, slot: inbox.slots[0]!, wanted: () => wanted };
}

test("a partition is wanted from its first seek on, not while it is fetched or holds a fetch", async () => {
  const { inbox, slot, wanted } = open();
  assert.deepEqual(inbox.wanting(), []);
  inbox.seek("enrolled", 0, 5, -1);
  assert.deepEqual(inbox.wanting(), [slot]);
  slot.fetching = true;
  assert.deepEqual(inbox.wanting(), []);
  slot.fetching = false;
  inbox.deliver(slot, 5, one(5), 6, -1);
  assert.deepEqual(inbox.wanting(), []);
  const before = wanted();
  assert.deepEqual(await inbox.read("enrolled", 0), { kind: "records", records: one(5) });
  assert.deepEqual(inbox.wanting(), [slot]);
  assert.equal(wanted(), before + 1);
  assert.equal(slot.position, 6);
});

test("a second fetch never takes the place of one that was not read", async () => {
  const { inbox, slot } = open();
  inbox.seek("enrolled", 0, 0, -1);
  inbox.deliver(slot, 0, one(0), 1, -1);
  inbox.deliver(slot, 1, one(1), 2, -1);
  inbox.gap(slot, 1, "deleted", { start: 9, end: 9 });
  assert.deepEqual(await inbox.read("enrolled", 0), { kind: "records", records: one(0) });
  assert.equal(slot.position, 1, "what was not delivered is fetched again");
});

test("a fetch that began elsewhere than where the partition stands is dropped", async () => {
  const { inbox, slot } = open();
  inbox.seek("enrolled", 0, 0, -1);
  inbox.seek("enrolled", 0, 7, -1);
  inbox.deliver(slot, 0, one(0), 1, -1);
  inbox.gap(slot, 0, "deleted", { start: 3, end: 8 });
  inbox.deliver(slot, 7, one(7), 8, -1);
  assert.deepEqual(await inbox.read("enrolled", 0), { kind: "records", records: one(7) });
});

test("a gap is told to every reader until a seek", async () => {
  const { inbox, slot } = open();
  inbox.seek("enrolled", 0, 1, -1);
  const waiting = inbox.read("enrolled", 0);
  inbox.gap(slot, 1, "deleted", { start: 4, end: 5 });
  const gap = { kind: "gap", why: "deleted", expected: 1, logStart: 4, logEnd: 5 };
  assert.deepEqual(await waiting, gap);
  assert.deepEqual(await inbox.read("enrolled", 0), gap);
  assert.deepEqual(inbox.wanting(), []);
  inbox.seek("enrolled", 0, 4, -1);
  inbox.deliver(slot, 4, one(4), 5, -1);
  assert.deepEqual(await inbox.read("enrolled", 0), { kind: "records", records: one(4) });
});

test("batches without records to hand over move the position and settle no read", async () => {
  const { inbox, slot } = open();
  inbox.seek("enrolled", 0, 0, -1);
  const waiting = inbox.read("enrolled", 0);
  inbox.deliver(slot, 0, [], 3, -1);
  assert.equal(slot.position, 3);
  inbox.deliver(slot, 3, one(3), 4, -1);
  assert.deepEqual(await waiting, { kind: "records", records: one(3) });
});

test("the end settles the waiting read, drops what was held, and stays", async () => {
  const { inbox, slot } = open();
  inbox.seek("enrolled", 0, 0, -1);
  const waiting = inbox.read("enrolled", 0);
  inbox.end();
  assert.deepEqual(await waiting, { kind: "ended" });
  inbox.deliver(slot, 0, one(0), 1, -1);
  inbox.seek("enrolled", 0, 0, -1);
  assert.deepEqual(await inbox.read("enrolled", 0), { kind: "ended" });
  assert.deepEqual(inbox.wanting(), []);
});
