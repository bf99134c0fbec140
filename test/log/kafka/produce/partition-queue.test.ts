/** What goes into one batch of a partition. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeBatches } from "../../../../src/log/kafka/fetch/record-batch.ts";
import {
  createPartitionQueue,
  hasRecords,
  isUnsent,
  nextBatch,
  type PartitionQueue,
  type QueuedRecord,
} from "../../../../src/log/kafka/produce/partition-queue.ts";

const producerId = { id: 5, epoch: 2 };

const queueOf = (limitBytes: number, sizes: readonly number[]) => {
  const items = sizes.map((bytes, n): QueuedRecord => {
    const body = { key: null, value: Buffer.from(`${n}`), headers: [] };
    const call = { pending: 1, settle: () => {}, onStored: () => {} };
    return { call, index: 0, bytes, record: { topic: "enrolled", partition: 0, ...body } };
  });
  return Object.assign(createPartitionQueue("enrolled", 0), {
    waiting: items,
    batchBytesMax: limitBytes,
    producerId,
    sequence: 7,
  });
};

describe("a batch takes what waits, in order, up to its limit", () => {
  const table: [what: string, limitBytes: number, sizes: number[], taken: number][] = [
    ["one record", 100, [40], 1],
    ["all that fit", 100, [40, 40], 2],
    ["up to the last byte", 100, [60, 40, 1], 2],
    ["not a byte more", 100, [60, 41], 1],
    ["nothing past one that does not fit", 100, [60, 50, 1], 1],
    ["one that is larger than the limit, alone", 100, [101, 1], 1],
    ["not one larger than the limit behind another", 100, [1, 101], 1],
  ];
  for (const [what, limitBytes, sizes, taken] of table)
    test(what, () => {
      const queue = queueOf(limitBytes, sizes);
      const { items, encoded, mayBeStored } = nextBatch(queue, {
        producerId,
        timestampMs: 1_000,
        bytesMax: 1_000,
      });
      const values = decodeBatches(encoded, 0, []).records.map(({ value }) => String(value));
      assert.deepEqual(
        values,
        sizes.slice(0, taken).map((_, n) => `${n}`),
      );
      assert.deepEqual([items.length, queue.waiting.length], [taken, sizes.length - taken]);
      assert.equal(mayBeStored, false);
      assert.deepEqual(
        [encoded.readBigInt64BE(43), encoded.readInt16BE(51), encoded.readInt32BE(53)],
        [5n, 2, 7],
      );
    });
});

test("the first batch under a producer id has sequence 0", () => {
  const queue = queueOf(100, [40]);
  const other = { id: 5, epoch: 3 };
  const { encoded } = nextBatch(queue, { producerId: other, timestampMs: 1_000, bytesMax: 1_000 });
  assert.deepEqual([encoded.readInt16BE(51), encoded.readInt32BE(53)], [3, 0]);
  assert.deepEqual([queue.producerId, queue.sequence], [other, 0]);
});

describe("a batch", () => {
  const holding = (mayBeStored: boolean, state: PartitionQueue["state"]) => {
    const queue = queueOf(100, [40]);
    queue.batch = { ...nextBatch(queue, { producerId, timestampMs: 1_000, bytesMax: 1_000 }), mayBeStored };
    return Object.assign(queue, { state });
  };
  const table: [mayBeStored: boolean, state: PartitionQueue["state"], unsent: boolean][] = [
    [false, "idle", true],
    [false, "preparing", true],
    [false, "backing-off", true],
    [false, "sending", false],
    [true, "idle", false],
    [true, "backing-off", false],
    [true, "sending", false],
  ];
  for (const [mayBeStored, state, unsent] of table)
    test(`${mayBeStored ? "that may be stored" : "that was never taken"}, ${state}: ${unsent ? "certainly unsent" : "may be sent"}`, () =>
      assert.equal(isUnsent(holding(mayBeStored, state)), unsent));

  test("or what waits makes a queue one that has records", () => {
    assert.equal(hasRecords(queueOf(100, [])), false);
    assert.equal(hasRecords(queueOf(100, [40])), true);
    assert.equal(hasRecords(holding(false, "idle")), true);
  });
});
