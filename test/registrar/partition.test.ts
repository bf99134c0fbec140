import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Session } from "../../src/ports.ts";
import { createLedger } from "../../src/registrar/ledger.ts";
import { createParking, note } from "../../src/registrar/parking.ts";
import { createPartition, isHeld, mayPublish, taintedThroughOf } from "../../src/registrar/partition.ts";
import { enter } from "../../src/registrar/window.ts";

const heldUntilMs = 10_000;
const requestTimeoutMs = 1_000;

function given({ startAt = 0, suspectsBelow = 0 } = {}) {
  const session = { heldUntilMs: () => heldUntilMs } as Session;
  const plan = { startAt, suspectsBelow, attemptedThrough: suspectsBelow };
  const plans = { enrolled: plan, retry: plan };
  return createPartition(0, "claim", session, 0, plans, createLedger(), createParking(startAt));
}

describe("held", () => {
  test("until the last acknowledged heartbeat is too old", () => {
    const partition = given();
    assert.deepEqual([isHeld(partition, heldUntilMs - 1), isHeld(partition, heldUntilMs)], [true, false]);
  });
  test("not while its session is unconfirmed, and never once it is lost", () => {
    const partition = given();
    partition.confirmed = false;
    assert.equal(isHeld(partition, 0), false);
    partition.confirmed = true;
    partition.lost.abort();
    assert.equal(isHeld(partition, 0), false);
  });
});

describe("an outcome may be published", () => {
  const posted = heldUntilMs;
  const table = [
    ["while held", heldUntilMs - 1, Number.NEGATIVE_INFINITY, false, "yes"],
    [
      "within the request time-out after its POST, held or not",
      posted + requestTimeoutMs,
      posted,
      false,
      "yes",
    ],
    [
      "within the request time-out after its POST, also when lost",
      posted + requestTimeoutMs,
      posted,
      true,
      "yes",
    ],
    ["only after the next session, later than that", posted + requestTimeoutMs + 1, posted, false, "wait"],
    ["never, later than that and lost", posted + requestTimeoutMs + 1, posted, true, "no"],
    ["never, when lost and not posted at all", 0, Number.NEGATIVE_INFINITY, true, "no"],
  ] as const;
  for (const [when, nowMs, postedAtMs, isLost, answer] of table)
    test(when, () => {
      const partition = given();
      if (isLost) partition.lost.abort();
      assert.equal(mayPublish(partition, postedAtMs, requestTimeoutMs, nowMs), answer);
    });
});

describe("a clean shutdown leaves promised", () => {
  test("suspects that were not even read", () => {
    const partition = given({ startAt: 2, suspectsBelow: 9 });
    assert.equal(taintedThroughOf(partition, "enrolled"), 9);
    for (let offset = 2; offset < 9; offset++) enter(partition.window, offset);
    assert.equal(taintedThroughOf(partition, "enrolled"), 2);
  });
  test("suspects that are parked still", () => {
    const partition = given({ suspectsBelow: 3 });
    for (let offset = 0; offset < 5; offset++) note(partition.parking, "tenant", offset);
    assert.equal(taintedThroughOf(partition, "retry"), 3);
  });
});
