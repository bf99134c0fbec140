/** What a worker says when it stops by itself: the place, how it differs, and what to type. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ledgerMisplaced, parkedCopyLost, partitionsChanged } from "../../src/registrar/fault.ts";

test("misplaced records are counted, the first is named, and one partition more is advised", () => {
  const first = { offset: 7, home: 1 };
  const one = ledgerMisplaced(0, { misplaced: 1, first, partitionCount: 2 });
  assert.match(one.message, /^registered partition 0: 1 record belongs into another .*at offset 7, into 1/);
  const two = ledgerMisplaced(3, { misplaced: 2, first, partitionCount: 8 });
  assert.match(two.message, /^registered partition 3: 2 records belong into another/);
  assert.deepEqual(
    [one, two].map(({ fix }) => /--partitions \d+$/.exec(fix)?.[0]),
    ["--partitions 3", "--partitions 9"],
  );
});

test("of another number of partitions both are said, and all topics are to get the greater one", () => {
  for (const [was, is] of [
    [2, 4],
    [4, 2],
  ] as const) {
    const { message, fix } = partitionsChanged({ topic: "retry", was, is });
    assert.match(message, new RegExp(`^connector\\.retry has ${is} partitions, and had ${was} `));
    assert.match(fix, /--partitions 4$/);
  }
});

test("a copy that is lost is named by both of its places", () => {
  const { message } = parkedCopyLost(2, { enrolledOffset: 5, retryOffset: 9 });
  assert.match(message, /^retry partition 2: .* offset 9, a copy of enrolled\/2@5 /);
});
