import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { areEqual, leastTarget } from "../../src/domain/partition-counts.ts";

const counts = (enrolled: number, retry: number, registered: number, dlq = 99) => ({
  enrolled,
  retry,
  registered,
  dlq,
});

suite("partition counts", () => {
  test("workers start on equal ones, with at least as many for dead letters", () => {
    assert.ok(areEqual(counts(6, 6, 6, 6)));
    for (const unequal of [counts(9, 6, 6), counts(6, 9, 6), counts(6, 6, 9), counts(6, 6, 6, 5)])
      assert.ok(!areEqual(unequal));
  });

  for (const [given, target, why] of [
    [counts(6, 6, 6), 6, "they are equal"],
    [counts(9, 6, 6), 9, "retry is raised last"],
    [counts(6, 9, 6), 9, "enrolled is raised last"],
    [counts(6, 6, 9), 9, "both are raised last"],
    [counts(9, 9, 6), 10, "9 would let workers start before anything was moved"],
    [counts(9, 9, 6, 6), 9, "the dead letters are raised last"],
    [counts(9, 6, 12), 12, "none can be lowered"],
  ] as const) {
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
            const given = counts(enrolled, retry, registered, dlq);
            const moving = { ...given, registered: leastTarget(given) };
            const wrong = `${enrolled} ${retry} ${registered} ${dlq}: workers start while the ledger moves`;
            assert.ok(areEqual(given) || registered === moving.registered || !areEqual(moving), wrong);
          }
        }
      }
    }
  });
});
