import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { areEqual, leastTarget, type PartitionCounts } from "../../src/domain/partition-counts.ts";

/** Six of each, and more for dead letters, but for `changes`. */
const counts = (changes: Partial<PartitionCounts>): PartitionCounts => ({
  enrolled: 6,
  retry: 6,
  registered: 6,
  dlq: 99,
  ...changes,
});

suite("partition counts", () => {
  test("workers start on equal ones, with at least as many for dead letters", () => {
    assert.ok(areEqual(counts({ dlq: 6 })));
    for (const unequal of [{ enrolled: 9 }, { retry: 9 }, { registered: 9 }, { dlq: 5 }])
      assert.ok(!areEqual(counts(unequal)));
  });

  for (const [changes, target, why] of [
    [{}, 6, "they are equal"],
    [{ enrolled: 9 }, 9, "retry is raised last"],
    [{ retry: 9 }, 9, "enrolled is raised last"],
    [{ registered: 9 }, 9, "both are raised last"],
    [{ enrolled: 9, retry: 9 }, 10, "9 would let workers start before anything was moved"],
    [{ enrolled: 9, retry: 9, dlq: 6 }, 9, "the dead letters are raised last"],
    [{ enrolled: 9, registered: 12 }, 12, "none can be lowered"],
  ] as const) {
    const given = counts(changes);
    const { enrolled, retry, registered, dlq } = given;
    test(`${enrolled}, ${retry}, ${registered}, ${dlq} become ${target}: ${why}`, () => {
      assert.equal(leastTarget(given), target);
    });
  }

  test("at no step on the way do workers start before the last", () => {
    for (let enrolled = 1; enrolled <= 4; enrolled++) {
      for (let retry = 1; retry <= 4; retry++) {
        for (let registered = 1; registered <= 4; registered++) {
          for (let dlq = 1; dlq <= 4; dlq++) {
            const given = { enrolled, retry, registered, dlq };
            const moving = { ...given, registered: leastTarget(given) };
            const wrong = `${enrolled} ${retry} ${registered} ${dlq}: workers start while the ledger moves`;
            assert.ok(areEqual(given) || registered === moving.registered || !areEqual(moving), wrong);
          }
        }
      }
    }
  });
});
