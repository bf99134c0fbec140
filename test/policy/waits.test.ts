import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { backoffMs } from "../../src/policy/backoff.ts";
import { available, closeUntil, createPacing, learn, opensAtMs, take } from "../../src/policy/pacing.ts";
import { parseRetryAfterMs, replyWallMs, retryAfterMaxMs } from "../../src/policy/retry-after.ts";

describe("Retry-After", () => {
  const wallMs = Date.parse("2026-01-01T00:00:00Z");
  const table: [text: string, ms: number | null][] = [
    ["5", 5000],
    ["0", 0],
    ["2.128", 2128],
    ["0.249", 249],
    ["0.0001", 1],
    [" 7 ", 7000],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
    ["999999999", retryAfterMaxMs],
    ["", null],
    ["soon", null],
    ["-5", null],
  ];
  for (const [text, ms] of table) {
    test(`"${text}" is ${ms}`, () => assert.equal(parseRetryAfterMs(text, wallMs), ms));
  }

  test("a date is read against the reply's own, however wrong our clock is", () => {
    const date = "Thu, 01 Jan 2026 00:00:00 GMT";
    for (const errorMs of [-3_600_000, 0, 86_400_000]) {
      const sentMs = replyWallMs(date, wallMs + errorMs);
      assert.equal(parseRetryAfterMs("Thu, 01 Jan 2026 00:00:30 GMT", sentMs), 30_000);
      assert.equal(parseRetryAfterMs("5", sentMs), 5_000);
    }
  });

  test("without a readable Date our own clock must do", () => {
    for (const date of [null, "", "now", "-5", "2026-01-01T00:00:00Z", "Xxx, 99 Yyy GMT"]) {
      assert.equal(replyWallMs(date, 1_234), 1_234, String(date));
    }
  });
});

test("back-off: never beyond the cap, never beyond base * 2^n, zero with the least luck", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (failures, luck) => {
        const ms = backoffMs(failures, () => luck, { baseMs: 100, capMs: 5000 });
        assert.ok(ms >= 0 && ms <= Math.min(5000, 100 * 2 ** failures) && Number.isInteger(ms));
      },
    ),
  );
  assert.equal(
    backoffMs(3, () => 0, { baseMs: 100, capMs: 5000 }),
    0,
  );
});

test("back-off doubles with every failure up to the cap, and is rounded up", () => {
  const table: [failures: number, luck: number, ms: number][] = [
    [1, 0.5, 100],
    [2, 0.5, 200],
    [3, 0.5, 400],
    [5, 0.5, 1_600],
    [6, 0.5, 2_500],
    [2_000, 0.5, 2_500],
    [1, 0.001, 1],
    [1, 0.011, 3],
  ];
  for (const [failures, luck, ms] of table)
    assert.equal(
      backoffMs(failures, () => luck, { baseMs: 100, capMs: 5_000 }),
      ms,
      `${failures}, ${luck}`,
    );
});

describe("pacing", () => {
  test("no window of its length ever holds more than the limit, however the asks come", () => {
    const asks = fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: 20 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(asks, (steps) => {
        const pacing = createPacing(30, 1000);
        const sent: number[] = [];
        let nowMs = 0;
        for (const [waitMs, wanted] of steps) {
          nowMs += waitMs;
          const count = Math.min(wanted, available(pacing, nowMs));
          if (count > 0) take(pacing, count, nowMs);
          for (let i = 0; i < count; i++) sent.push(nowMs);
        }
        for (const at of sent) {
          const inWindow = sent.filter((other) => other > at - 1000 && other <= at).length;
          assert.ok(inWindow <= 30, `${inWindow} in the second before ${at}`);
        }
      }),
    );
  });

  test("it opens exactly when it says", () => {
    const pacing = createPacing(3, 1000);
    take(pacing, 1, 0);
    take(pacing, 1, 300);
    take(pacing, 1, 600);
    assert.equal(available(pacing, 600), 0);
    assert.equal(opensAtMs(pacing, 600), 1000);
    assert.equal(available(pacing, 999), 0);
    assert.equal(available(pacing, 1000), 1);
  });

  test("an unknown limit is found: nearly all of it is used, and hardly anything refused", () => {
    const windowMs = 20_000;
    const limit = 100;
    const pacing = createPacing(0, windowMs);
    const asked: number[] = [];
    let [accepted, refused, inARow] = [0, 0, 0];
    const untilMs = 600_000;
    for (let nowMs = 0; nowMs < untilMs; nowMs += 100) {
      const count = Math.min(20, available(pacing, nowMs));
      if (count <= 0) continue;
      const taken = take(pacing, count, nowMs);
      let refusedNow = 0;
      for (let i = 0; i < count; i++) {
        asked.push(nowMs);
        // A server that counts refused calls too, in a sliding window.
        if (asked.filter((at) => at > nowMs - windowMs).length > limit) refusedNow++;
        else accepted++;
      }
      refused += refusedNow;
      inARow = refusedNow === 0 ? 0 : refusedNow === count ? inARow + 1 : 1;
      taken.refused += refusedNow;
      if (refusedNow > 0) learn(pacing, inARow >= 3, nowMs);
    }
    assert.ok(accepted >= 0.85 * limit * (untilMs / windowMs), `${accepted} accepted`);
    assert.ok(refused <= 0.1 * (accepted + refused), `${refused} refused`);
  });

  test("single refusals teach no limit, and a learned one is given up once the configured one holds", () => {
    const pacing = createPacing(40, 1000);
    take(pacing, 25, 0).refused = 1;
    learn(pacing, false, 0);
    assert.equal(pacing.limit, 40);
    learn(pacing, true, 0);
    assert.equal(pacing.limit, 24);
    for (let nowMs = 0; nowMs < 200_000; nowMs += 100) available(pacing, nowMs);
    assert.equal(pacing.limit, 40);
    assert.equal(pacing.learned, null);
  });

  test("closed is closed, and a shorter closing does not shorten it", () => {
    const pacing = createPacing(0, 1000);
    closeUntil(pacing, 500);
    closeUntil(pacing, 200);
    assert.equal(available(pacing, 499), 0);
    assert.equal(opensAtMs(pacing, 100), 500);
    assert.equal(available(pacing, 500), Number.POSITIVE_INFINITY);
  });
});
