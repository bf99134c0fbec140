/** The rules of pacing one by one; what they come to together is in waits.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  available,
  availableWithin,
  closeUntil,
  countAsOf,
  createPacing,
  learn,
  opensAtMs,
  setLimit,
  take,
} from "../../src/policy/pacing.ts";

const windowMs = 1_000;

describe("what was taken", () => {
  test("counts until windowMs after its answer came, not after it was sent", () => {
    const pacing = createPacing(2, windowMs);
    const taken = take(pacing, 2, 0);
    countAsOf(taken, 400);
    countAsOf(taken, 300);
    assert.equal(available(pacing, 1_399), 0);
    assert.equal(available(pacing, 1_400), 2);
  });

  test("at about one time is one entry, so that a fast tenant costs a bounded number of them", () => {
    const pacing = createPacing(0, windowMs);
    for (let nowMs = 0; nowMs < 10_000; nowMs++) {
      take(pacing, 1, nowMs);
      assert.ok(pacing.taken.length <= 2 * (windowMs / 20) + 2, `${pacing.taken.length} entries`);
    }
    assert.ok(pacing.takenCount >= windowMs && pacing.takenCount <= windowMs + 20, `${pacing.takenCount}`);
    assert.equal(
      pacing.taken.reduce((sum, { count }) => sum + count, 0),
      pacing.takenCount,
    );
  });

  test("20 ms apart is two entries, though the one in between was merged", () => {
    const pacing = createPacing(0, windowMs);
    for (const nowMs of [0, 100, 119, 120]) take(pacing, 1, nowMs);
    assert.deepEqual(
      pacing.taken.map(({ atMs, count }) => [atMs, count]),
      [
        [0, 1],
        [100, 1],
        [119, 1],
        [120, 1],
      ],
    );
    const merged = createPacing(0, windowMs);
    for (const nowMs of [0, 10, 19, 20]) take(merged, 1, nowMs);
    assert.deepEqual(
      merged.taken.map(({ atMs, count }) => [atMs, count]),
      [
        [0, 1],
        [19, 2],
        [20, 1],
      ],
    );
  });
});

describe("how many could be sent within a time", () => {
  test("those that leave the window by its end free their place", () => {
    const pacing = createPacing(10, windowMs);
    take(pacing, 4, 0);
    take(pacing, 3, 500);
    const within = (ms: number) => availableWithin(pacing, ms, 600);
    assert.deepEqual([within(0), within(399), within(400), within(899), within(900)], [3, 3, 7, 7, 10]);
  });

  test("none while closed for longer; without a limit, any number", () => {
    const pacing = createPacing(0, windowMs);
    closeUntil(pacing, 500);
    assert.deepEqual(
      [availableWithin(pacing, 399, 100), availableWithin(pacing, 400, 100)],
      [0, Number.POSITIVE_INFINITY],
    );
  });
});

describe("when it opens next", () => {
  test("now, where something is left or there is no limit", () => {
    const pacing = createPacing(2, windowMs);
    take(pacing, 1, 0);
    assert.equal(opensAtMs(pacing, 10), 10);
    const unlimited = createPacing(0, windowMs);
    take(unlimited, 100, 0);
    assert.equal(opensAtMs(unlimited, 10), 10);
  });

  test("when so many have left the window that one more fits", () => {
    const pacing = createPacing(5, windowMs);
    for (const [count, atMs] of [
      [2, 0],
      [2, 100],
      [1, 200],
    ] as const)
      take(pacing, count, atMs);
    assert.equal(opensAtMs(pacing, 300), 1_000);
    pacing.limit = 3;
    assert.equal(opensAtMs(pacing, 300), 1_100);
    closeUntil(pacing, 1_500);
    assert.equal(opensAtMs(pacing, 300), 1_500);
  });
});

describe("another limit that is configured", () => {
  /** A limit of 30 was learned where `configured` is the limit. */
  const learned = (configured: number) => {
    const pacing = createPacing(configured, windowMs);
    take(pacing, 35, 0).refused = 5;
    learn(pacing, true, 0);
    assert.deepEqual([pacing.limit, pacing.learned !== null], [30, true]);
    return pacing;
  };

  test("applies immediately where none was learned", () => {
    const pacing = createPacing(10, windowMs);
    for (const limit of [5, 20, 0, 7]) {
      setLimit(pacing, limit);
      assert.deepEqual([pacing.limit, pacing.limitMax, pacing.learned], [limit, limit, null]);
    }
    take(pacing, 3, 0);
    assert.equal(available(pacing, 0), 4);
  });

  test("leaves a lower one that was learned as it is, and bounds what that grows to", () => {
    for (const configured of [31, 1_000, 0]) {
      const pacing = learned(100);
      setLimit(pacing, configured);
      assert.deepEqual([pacing.limit, pacing.limitMax], [30, configured], `${configured}`);
      assert.notEqual(pacing.learned, null, `${configured}`);
      available(pacing, 2 * windowMs);
      assert.equal(pacing.limit, configured === 31 ? 31 : 32, `${configured}`);
    }
  });

  test("replaces one that was learned and is not lower", () => {
    for (const [before, configured] of [
      [100, 30],
      [100, 29],
      [0, 10],
    ] as const) {
      const pacing = learned(before);
      setLimit(pacing, configured);
      assert.deepEqual([pacing.limit, pacing.limitMax, pacing.learned], [configured, configured, null]);
    }
  });

  test("as it was already changes nothing", () => {
    const pacing = learned(100);
    setLimit(pacing, 100);
    assert.deepEqual([pacing.limit, pacing.limitMax, pacing.learned !== null], [30, 100, true]);
  });
});

describe("an unknown limit", () => {
  const refusedAfter = (accepted: number, limit = 0) => {
    const pacing = createPacing(limit, windowMs);
    take(pacing, accepted + 5, 0).refused = 5;
    return pacing;
  };

  test("is what was accepted within the window before refusals that persist, if that was at least twenty", () => {
    const table = [
      [19, 0, 0],
      [20, 0, 20],
      [20, 30, 20],
      [30, 30, 30],
      [31, 30, 30],
    ] as const;
    for (const [accepted, limit, expected] of table) {
      const pacing = refusedAfter(accepted, limit);
      learn(pacing, true, 0);
      assert.equal(pacing.limit, expected, `${accepted} accepted of ${limit}`);
      assert.equal(pacing.learned !== null, expected !== limit, `${accepted} accepted of ${limit}`);
    }
  });

  test("counts what the window holds still, no more", () => {
    const pacing = refusedAfter(50);
    take(pacing, 30, 900);
    learn(pacing, true, 1_000);
    assert.equal(pacing.limit, 30);
  });

  test("a single refusal lowers it once it is known", () => {
    const pacing = refusedAfter(40);
    learn(pacing, true, 0);
    take(pacing, 30, 1_000);
    learn(pacing, false, 1_000);
    assert.equal(pacing.limit, 30);
  });

  test("grows by a twentieth, rounded up, first after two windows, then rarer each time that it was too much", () => {
    const pacing = refusedAfter(30);
    learn(pacing, true, 0);
    const limitAt = (nowMs: number) => {
      available(pacing, nowMs);
      return pacing.limit;
    };
    assert.deepEqual([limitAt(1_999), limitAt(2_000), limitAt(3_999), limitAt(4_000)], [30, 32, 32, 34]);
    take(pacing, 33, 4_000);
    learn(pacing, false, 4_000);
    assert.deepEqual([limitAt(7_999), limitAt(8_000)], [33, 35]);
  });

  test("is tried again after 32 windows at the latest", () => {
    const pacing = createPacing(0, windowMs);
    let nowMs = 0;
    for (let accepted = 60; accepted > 40; accepted -= 2) {
      take(pacing, accepted, nowMs);
      learn(pacing, true, nowMs);
      nowMs += windowMs;
    }
    assert.deepEqual(pacing.learned, { grownAtMs: 9_000, windowsPerStep: 32 });
  });

  test("is replaced by the configured one when it has grown as far, and never exceeds it", () => {
    const pacing = refusedAfter(38, 41);
    learn(pacing, true, 0);
    assert.equal(available(pacing, 1_999), 38);
    assert.equal(available(pacing, 2_000), 40);
    assert.equal(available(pacing, 4_000), 41);
    assert.equal(pacing.learned, null);
    assert.equal(available(pacing, 900_000), 41);
    const exactly = refusedAfter(39, 41);
    learn(exactly, true, 0);
    assert.equal(available(exactly, 2_000), 41);
    assert.equal(exactly.learned, null);
  });
});
