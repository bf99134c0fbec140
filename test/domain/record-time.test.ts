import assert from "node:assert/strict";
import { test } from "node:test";
import { recordTimeMs } from "../../src/domain/record-time.ts";

const ms = Date.UTC(2026, 10, 26, 20, 4, 21, 847);

test("a timestamp in milliseconds, micro- or nanoseconds is the same instant; in seconds, the same second", () => {
  assert.equal(recordTimeMs(ms), ms);
  assert.equal(recordTimeMs(ms * 1_000 + 999), ms);
  // An int64 of nanoseconds has more digits than a number holds; not so many that milliseconds are lost.
  assert.equal(recordTimeMs(Number(BigInt(ms) * 1_000_000n + 500_000n)), ms);
  assert.equal(recordTimeMs(Math.floor(ms / 1_000)), Date.UTC(2026, 10, 26, 20, 4, 21));
});

test("no number is taken for two units, and what is found is a valid date", () => {
  for (let exponent = 0; exponent < 20; exponent += 0.001) {
    const found = recordTimeMs(10 ** exponent);
    if (found !== null) assert.match(new Date(found).toISOString(), /^2[01]\d\d-/);
  }
});

for (const nonsense of [
  -1,
  0,
  1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 63,
  -(2 ** 63),
  10 ** 16,
  10 ** 11,
])
  test(`${nonsense} is not a time`, () => assert.equal(recordTimeMs(nonsense), null));
