import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  assignPartitions,
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeClaim,
} from "../../../../src/log/kafka/group/assigner.ts";

const claims = fc.uniqueArray(
  fc.record({
    memberId: fc.string({ minLength: 1, maxLength: 4 }),
    generation: fc.integer({ min: -1, max: 3 }),
    partitions: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 20 }),
  }),
  { selector: (claim) => claim.memberId, minLength: 1, maxLength: 8 },
);

test("each partition has one owner, and shares differ by one at the most", () => {
  fc.assert(
    fc.property(claims, fc.integer({ min: 0, max: 20 }), (members, count) => {
      const assigned = assignPartitions(members, count);
      assert.deepEqual(new Set(assigned.keys()), new Set(members.map(({ memberId }) => memberId)));
      const all = [...assigned.values()].flat().sort((a, b) => a - b);
      assert.deepEqual(
        all,
        Array.from({ length: count }, (_, partition) => partition),
      );
      const sizes = [...assigned.values()].map((partitions) => partitions.length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

test("what was assigned is assigned again when no member came or went, in any order of members", () => {
  fc.assert(
    fc.property(claims, fc.integer({ min: 0, max: 20 }), (members, count) => {
      const first = assignPartitions(members, count);
      const again = [...first].map(([memberId, partitions]) => ({ memberId, generation: 5, partitions }));
      assert.deepEqual(new Map(assignPartitions(again.reverse(), count)), first);
    }),
  );
});

test("a newcomer takes its share only; the others keep theirs", () => {
  const assigned = assignPartitions(
    [
      { memberId: "b", generation: 4, partitions: [0, 2, 4] },
      { memberId: "a", generation: -1, partitions: [] },
      { memberId: "c", generation: 4, partitions: [1, 3, 5] },
    ],
    6,
  );
  assert.deepEqual(Object.fromEntries(assigned), { a: [4, 5], b: [0, 2], c: [1, 3] });
});

// INV-SINGLE-OWNER
test("of two claims the newer generation is right", () => {
  const assigned = assignPartitions(
    [
      { memberId: "slept", generation: 3, partitions: [0, 1] },
      { memberId: "worked", generation: 4, partitions: [0] },
    ],
    2,
  );
  assert.deepEqual(Object.fromEntries(assigned), { slept: [1], worked: [0] });
});

test("claims and assignments survive encoding; what is not understood claims nothing", () => {
  const claim = encodeClaim(["x", "y"], 7, [1, 4]);
  assert.deepEqual(decodeClaim("m", claim), { memberId: "m", generation: 7, partitions: [1, 4] });
  for (const foreign of [Buffer.of(), Buffer.from("nonsense"), encodeClaim(["x"], 7, ["1"] as never)]) {
    assert.deepEqual(decodeClaim("m", foreign), { memberId: "m", generation: -1, partitions: [] });
  }
  assert.deepEqual(decodeAssignment(["x", "y"], encodeAssignment(["x", "y"], [2, 0])), [0, 2]);
  assert.deepEqual(decodeAssignment(["x", "y"], encodeAssignment(["x"], [0])), []);
  assert.deepEqual(decodeAssignment(["x", "y"], Buffer.of()), []);
});
