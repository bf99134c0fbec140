import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readDateTimeOffset, ticksOf } from "../../src/domain/date-time-offset.ts";
import { formatTicks, oracleTicks } from "./date-time-oracle.ts";

const known: readonly (readonly [text: string, ticks: bigint])[] = [
  ["0001-01-01T00:00:00Z", 0n],
  ["0001-01-01T00:00:00.0000001Z", 1n],
  ["1970-01-01T00:00:00Z", 621_355_968_000_000_000n],
  ["2016-12-31T23:57:59.3726057-08:00", 636_188_542_793_726_057n],
  ["2017-01-01T07:57:59.3726057Z", 636_188_542_793_726_057n],
  ["2016-12-31t23:57:59.3726057-08:00", 636_188_542_793_726_057n],
  ["9999-12-31T23:59:59.9999999Z", 3_155_378_975_999_999_999n],
];
for (const [text, ticks] of known) {
  test(`${text} is ${ticks} ticks`, () => assert.equal(ticksOf(text), String(ticks)));
}

const wrong: readonly (readonly [text: string, fault: ReturnType<typeof readDateTimeOffset>])[] = [
  ["", "malformed"],
  ["yesterday", "malformed"],
  ["2017-01-01", "malformed"],
  ["2017-01-01 00:00:00Z", "malformed"],
  ["2017-01-01T00:00Z", "malformed"],
  ["2017-01-01T00:00:00.Z", "malformed"],
  ["2017-01-01T00:00:00,5Z", "malformed"],
  ["2017-01-01T00:00:00Z ", "malformed"],
  ["2017-01-01T00:00:00Z\n", "malformed"],
  ["2017-01-01T00:00:00+1:00", "malformed"],
  ["2017-01-01T00:00:00+0100", "malformed"],
  ["2017-01-01T00:00:00+01:00[Europe/Berlin]", "malformed"],
  ["+2017-01-01T00:00:00Z", "malformed"],
  ["２017-01-01T00:00:00Z", "malformed"],
  ["2017-01-01T00:00:00", "without-offset"],
  ["2017-01-01T00:00:00.1234567", "without-offset"],
  ["2017-01-01T00:00:00.12345678Z", "too-precise"],
  ["2017-01-01T00:00:00.00000000Z", "too-precise"],
  ["2017-02-29T00:00:00Z", "impossible"],
  ["1900-02-29T00:00:00Z", "impossible"],
  ["2017-04-31T00:00:00Z", "impossible"],
  ["2017-00-01T00:00:00Z", "impossible"],
  ["2017-13-01T00:00:00Z", "impossible"],
  ["2017-01-00T00:00:00Z", "impossible"],
  ["0000-01-01T00:00:00Z", "impossible"],
  ["2017-01-01T24:00:00Z", "impossible"],
  ["2017-01-01T00:60:00Z", "impossible"],
  ["2016-12-31T23:59:60Z", "impossible"],
  ["2017-01-01T00:00:00+14:01", "impossible"],
  ["2017-01-01T00:00:00+01:60", "impossible"],
  ["0001-01-01T00:00:00+00:01", "impossible"],
  ["9999-12-31T23:59:00-00:01", "impossible"],
];
for (const [text, fault] of wrong) {
  test(`${JSON.stringify(text)} is ${fault}`, () => {
    assert.equal(readDateTimeOffset(text), fault);
    assert.equal(ticksOf(text), null);
  });
}

const two = (max: number) => fc.integer({ min: 0, max }).map((part) => String(part).padStart(2, "0"));
const year = fc.integer({ min: 0, max: 9999 }).map((part) => String(part).padStart(4, "0"));
const offset = fc.oneof(
  fc.constantFrom("Z", "z", "", "+00:00", "-00:00"),
  fc
    .tuple(fc.constantFrom("+", "-"), two(16), two(61))
    .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
);
const fraction = fc.oneof(fc.constant(""), fc.stringMatching(/^\.\d{0,9}$/));
/** Mostly right, and just as often one step over a limit. */
const nearlyDateTime = fc
  .tuple(year, two(13), two(32), two(24), two(60), two(60), fraction, offset)
  .map(([y, mo, d, h, mi, s, f, o]) => `${y}-${mo}-${d}T${h}:${mi}:${s}${f}${o}`);

test("agrees with the oracle about nearly right texts", () => {
  let valid = 0;
  fc.assert(
    fc.property(nearlyDateTime, (text) => {
      const ticks = ticksOf(text);
      if (ticks !== null) valid++;
      assert.equal(ticks, oracleTicks(text)?.toString() ?? null);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(valid > 2_000, `only ${valid} of the texts were date-times`);
});

test("agrees with the oracle when one character is another", () => {
  const character = fc.constantFrom(..."0123456789-:.TZtz+ /\0é");
  fc.assert(
    fc.property(nearlyDateTime, fc.nat(40), character, (text, at, other) => {
      const edited = text.slice(0, at) + other + text.slice(at + 1);
      assert.equal(ticksOf(edited), oracleTicks(edited)?.toString() ?? null);
    }),
    { numRuns: 20_000 },
  );
});

test("reads back each instant in each offset", () => {
  const ticks = fc.bigInt(0n, 3_155_378_975_999_999_999n);
  fc.assert(
    fc.property(ticks, fc.integer({ min: -840, max: 840 }), (instant, offsetMinutes) => {
      const text = formatTicks(instant, offsetMinutes);
      fc.pre(text !== null);
      assert.equal(ticksOf(text), String(instant));
    }),
    { numRuns: 5_000 },
  );
});

test("counts the days from the year 1 to 9999", () => {
  const first = new Date(0).setUTCFullYear(1, 0, 1);
  // A prime step meets all days of the month and all kinds of leap years in an eighth of a second.
  for (let day = 0; day < 3_652_059; day += 29) {
    const text = new Date(first + day * 86_400_000).toISOString();
    assert.equal(ticksOf(text), String(BigInt(day) * 864_000_000_000n), text);
  }
});
