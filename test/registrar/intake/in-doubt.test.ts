/** The header by which a parked record says that it is in doubt: who is believed, and what is written. INV-DOUBT. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { headerNames, parkedBefore } from "../../../lab/testkit/enrollments.ts";
import { isInDoubt, parkedRecord } from "../../../src/registrar/intake/in-doubt.ts";

const parked = (inDoubt: boolean) => ({
  ...parkedBefore({}, { inDoubt }),
  ...{ offset: 0, timestampMs: 0, leaderEpoch: -1 },
});

test("a record is in doubt where it says so in the retry topic; where producers write it says nothing", () => {
  assert.equal(isInDoubt(parked(true)), true);
  assert.equal(isInDoubt(parked(false)), false);
  assert.equal(isInDoubt({ ...parked(true), topic: "enrolled" }), false);
  const others = [...parked(true).headers, ["other", null] as const];
  assert.equal(isInDoubt({ ...parked(true), headers: others }), true);
});

test("a parked record says what is known now, once, whatever it said before", () => {
  for (const before of [true, false])
    for (const now of [true, false]) {
      const record = { ...parked(before), headers: [["other", null] as const, ...parked(before).headers] };
      const again = { ...record, ...parkedRecord(record, now) };
      assert.deepEqual(headerNames(again), now ? ["other", "in-doubt"] : ["other"]);
      assert.equal(isInDoubt(again), now);
    }
});
