import assert from "node:assert/strict";
import { test } from "node:test";
import { readDateTimeOffset } from "../../emulator/date-time.ts";

test("equal instants read the same, whatever the offset and the zeros", () => {
  const one = readDateTimeOffset("2016-12-31T23:57:59.3726057-08:00");
  assert.deepEqual(one, readDateTimeOffset("2017-01-01T07:57:59.3726057Z"));
  assert.deepEqual(one, { instant: "1483257479.3726057" });
  assert.deepEqual(
    readDateTimeOffset("2026-01-01T00:00:00Z"),
    readDateTimeOffset("2026-01-01T00:00:00.000+00:00"),
  );
  assert.notDeepEqual(one, readDateTimeOffset("2016-12-31T23:57:59.3726058-08:00"));
});

test("early years keep their number", () => {
  assert.deepEqual(readDateTimeOffset("0001-01-01T00:00:00Z"), { instant: "-62135596800.0000000" });
});

const impossible = [
  "",
  "2026-01-01",
  "2026-01-01T00:00:00",
  "2026-02-29T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:60:00Z",
  "2026-01-01T00:00:60Z",
  "2026-01-01T00:00:00.12345678Z",
  "2026-01-01T00:00:00.Z",
  "2026-01-01T00:00:00+15:00",
  "2026-01-01T00:00:00+00:60",
  "0000-01-01T00:00:00Z",
  "2026-01-01 00:00:00Z",
];
for (const text of impossible) {
  test(`no date-time: ${JSON.stringify(text)}`, () => assert.equal(readDateTimeOffset(text), null));
}

test("leap days of leap years are days", () => {
  assert.notEqual(readDateTimeOffset("2024-02-29T00:00:00Z"), null);
  assert.notEqual(readDateTimeOffset("2000-02-29T00:00:00Z"), null);
});
