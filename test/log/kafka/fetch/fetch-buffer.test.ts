import assert from "node:assert/strict";
import { test } from "node:test";
import { createFetchBuffer } from "../../../../src/log/kafka/fetch/fetch-buffer.ts";
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
  const buffer = createFetchBuffer([{ topic: "enrolled", name: "n", topicId: null, partition: 0 }], () => {
    wanted += 1;
  });
  return { buffer, input: buffer.inputs[0]!, wanted: () => wanted };
}

test("a partition is wanted from its first seek on, not while it is fetched or holds a fetch", async () => {
  const { buffer, input, wanted } = open();
  assert.deepEqual(buffer.wanting(), []);
  buffer.seek("enrolled", 0, 5, -1);
  assert.deepEqual(buffer.wanting(), [input]);
  input.fetching = true;
  assert.deepEqual(buffer.wanting(), []);
  input.fetching = false;
  buffer.deliver(input, { offset: 5, records: one(5), nextOffset: 6, lastEpoch: -1 });
  assert.deepEqual(buffer.wanting(), []);
  const before = wanted();
  assert.deepEqual(await buffer.read("enrolled", 0), { kind: "records", records: one(5) });
  assert.deepEqual(buffer.wanting(), [input]);
  assert.equal(wanted(), before + 1);
  assert.equal(input.position, 6);
});

test("a second fetch never takes the place of one that was not read", async () => {
  const { buffer, input } = open();
  buffer.seek("enrolled", 0, 0, -1);
  buffer.deliver(input, { offset: 0, records: one(0), nextOffset: 1, lastEpoch: -1 });
  buffer.deliver(input, { offset: 1, records: one(1), nextOffset: 2, lastEpoch: -1 });
  buffer.gap(input, { offset: 1, why: "deleted", bounds: { start: 9, end: 9 } });
  assert.deepEqual(await buffer.read("enrolled", 0), { kind: "records", records: one(0) });
  assert.equal(input.position, 1, "what was not delivered is fetched again");
});

test("a fetch that began elsewhere than where the partition stands is dropped", async () => {
  const { buffer, input } = open();
  buffer.seek("enrolled", 0, 0, -1);
  buffer.seek("enrolled", 0, 7, -1);
  buffer.deliver(input, { offset: 0, records: one(0), nextOffset: 1, lastEpoch: -1 });
  buffer.gap(input, { offset: 0, why: "deleted", bounds: { start: 3, end: 8 } });
  buffer.deliver(input, { offset: 7, records: one(7), nextOffset: 8, lastEpoch: -1 });
  assert.deepEqual(await buffer.read("enrolled", 0), { kind: "records", records: one(7) });
});

test("a gap is reported to every reader until a seek", async () => {
  const { buffer, input } = open();
  buffer.seek("enrolled", 0, 1, -1);
  const waiting = buffer.read("enrolled", 0);
  buffer.gap(input, { offset: 1, why: "deleted", bounds: { start: 4, end: 5 } });
  const gap = { kind: "gap", why: "deleted", expected: 1, logStart: 4, logEnd: 5 };
  assert.deepEqual(await waiting, gap);
  assert.deepEqual(await buffer.read("enrolled", 0), gap);
  assert.deepEqual(buffer.wanting(), []);
  buffer.seek("enrolled", 0, 4, -1);
  buffer.deliver(input, { offset: 4, records: one(4), nextOffset: 5, lastEpoch: -1 });
  assert.deepEqual(await buffer.read("enrolled", 0), { kind: "records", records: one(4) });
});

test("batches without records to hand over move the position and settle no read", async () => {
  const { buffer, input } = open();
  buffer.seek("enrolled", 0, 0, -1);
  const waiting = buffer.read("enrolled", 0);
  buffer.deliver(input, { offset: 0, records: [], nextOffset: 3, lastEpoch: -1 });
  assert.equal(input.position, 3);
  buffer.deliver(input, { offset: 3, records: one(3), nextOffset: 4, lastEpoch: -1 });
  assert.deepEqual(await waiting, { kind: "records", records: one(3) });
});

test("the end settles the waiting read, drops what was held, and stays", async () => {
  const { buffer, input } = open();
  buffer.seek("enrolled", 0, 0, -1);
  const waiting = buffer.read("enrolled", 0);
  buffer.end();
  assert.deepEqual(await waiting, { kind: "ended" });
  buffer.deliver(input, { offset: 0, records: one(0), nextOffset: 1, lastEpoch: -1 });
  buffer.seek("enrolled", 0, 0, -1);
  assert.deepEqual(await buffer.read("enrolled", 0), { kind: "ended" });
  assert.deepEqual(buffer.wanting(), []);
});
