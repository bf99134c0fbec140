import assert from "node:assert/strict";
import { test } from "node:test";
import { createLeaderEpochs, epochBefore, noteEpoch } from "../../../src/registrar/intake/leader-epochs.ts";

test("the epoch before an offset is that of the last record before it, known from the take-over or read since", () => {
  const epochs = createLeaderEpochs(10, 4);
  for (const [offset, epoch] of [
    [10, 4],
    [11, 5],
    [12, 5],
    [20, 7],
  ] as const)
    noteEpoch(epochs, offset, epoch);
  const table = [
    [9, -1, "before what was taken over"],
    [10, 4, "the stored commit said so"],
    [11, 4, "of record 10"],
    [12, 5, "of record 11"],
    [13, 5, "of record 12"],
    [20, 5, "of record 12: none stands between"],
    [21, 7, "of record 20"],
    [1_000, 7, "of the last one"],
  ] as const;
  for (const [offset, epoch, why] of table)
    assert.equal(epochBefore(epochs, offset), epoch, `${offset}: ${why}`);
});

test("an epoch that comes again under a later leader is a change too", () => {
  const epochs = createLeaderEpochs(0, -1);
  noteEpoch(epochs, 0, 3);
  noteEpoch(epochs, 1, 4);
  noteEpoch(epochs, 2, 3);
  assert.deepEqual(
    [1, 2, 3].map((offset) => epochBefore(epochs, offset)),
    [3, 4, 3],
  );
});

test("records of one epoch cost one entry, and of many changes the latest are kept", () => {
  const steady = createLeaderEpochs(0, 1);
  for (let offset = 0; offset < 1_000; offset++) noteEpoch(steady, offset, 1);
  assert.equal(steady.changes.length, 1);
  const changing = createLeaderEpochs(0, -1);
  for (let offset = 0; offset < 1_000; offset++) noteEpoch(changing, offset, offset);
  assert.equal(changing.changes.length, 64);
  assert.deepEqual(
    [937, 936, 1_000].map((offset) => epochBefore(changing, offset)),
    [936, -1, 999],
  );
});
