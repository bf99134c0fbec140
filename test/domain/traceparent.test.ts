import assert from "node:assert/strict";
import { test } from "node:test";
import { readTraceparent } from "../../src/domain/traceparent.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

test("a trace context is read, sampled or not", () => {
  assert.deepEqual(readTraceparent(`00-${traceId}-${spanId}-01`), { traceId, spanId, isSampled: true });
  assert.deepEqual(readTraceparent(`00-${traceId}-${spanId}-00`), { traceId, spanId, isSampled: false });
  assert.equal(readTraceparent(`cc-${traceId}-${spanId}-03`)?.isSampled, true);
});

const hostile: readonly (readonly [string, unknown])[] = [
  ["digits that are none", `00-${traceId.replace("0", "g")}-${spanId}-01`],
  ["a trace id of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
  ["a span id of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
  ["upper case", `00-${traceId.toUpperCase()}-${spanId}-01`],
  ["the version that is forbidden", `ff-${traceId}-${spanId}-01`],
  ["more behind it", `00-${traceId}-${spanId}-01-x`],
  ["a megabyte", `00-${traceId}-${spanId}-01`.repeat(20_000)],
  ["a line break at its end", `00-${traceId}-${spanId}-0\n`],
  ["too short", `00-${traceId}-${spanId}-1`],
  ["nothing", ""],
  ["a list", [`00-${traceId}-${spanId}-01`]],
  ["none at all", undefined],
];
for (const [what, given] of hostile)
  test(`no trace context: ${what}`, () => {
    assert.equal(readTraceparent(given), null);
  });
