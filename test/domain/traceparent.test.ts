import assert from "node:assert/strict";
import { test } from "node:test";
import { json, sampleEvent } from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";
import { readTraceparent } from "../../src/domain/traceparent.ts";
import { tracedRecord } from "../../src/server/intake/traced-record.ts";

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

const own = `00-${traceId}-${spanId}-01`;
const other = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
const header = (text: string) => ["Traceparent", Buffer.from(text)] as const;

function contextOf(extension: string | undefined, ...headers: readonly (readonly [string, Buffer])[]) {
  const value = json({ ...sampleEvent, traceparent: extension });
  const decoded = decode({ value, headers }, () => true);
  return decoded.ok ? decoded.enrollment.event.traceparent : decoded.refusal.code;
}

test("an event's context is its extension, else the first header of its record that can be read", () => {
  assert.equal(contextOf(own, header(other)), own);
  assert.equal(contextOf(undefined, header("00-xyz"), header(other), header(own)), other);
  assert.equal(contextOf("00-xyz", header(other)), other);
  assert.equal(contextOf(undefined), null);
});

const record = { topic: "enrolled", partition: 0, key: null, value: null, headers: [] } as const;
const headersOf = (traceparent: string | null, ofSpan: string | null, given: unknown) =>
  tracedRecord({ record, traceparent }, ofSpan, { traceparent: given }).headers.map(([, value]) =>
    String(value),
  );

test("a request's context goes with the record of an event that has none; that of its own span goes always", () => {
  assert.deepEqual(headersOf(null, null, other), [other]);
  assert.deepEqual(headersOf(own, null, other), []);
  assert.deepEqual(headersOf(own, other, own), [other]);
  assert.deepEqual(headersOf(null, null, "00-xyz"), []);
  assert.deepEqual(headersOf(null, null, undefined), []);
});
