import assert from "node:assert/strict";
import { test } from "node:test";
import {
  binaryHeaders,
  bytes,
  documentedDetails,
  eventWith,
  eventWithData,
  json,
  sampleAttributes,
  sampleEvent,
  structuredHeaders,
  tenantId,
  traceparent,
} from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";
import type { Header } from "../../src/ports.ts";

const anyTenant = () => true;
const enrollment = {
  tenantId,
  details: documentedDetails,
  event: { id: "event-1", source: "/installers/17", traceparent: null },
};

const withTrace = { ...enrollment, event: { ...enrollment.event, traceparent } };
const json8: readonly Header[] = [["Content-Type", bytes("Application/JSON; charset=utf-8")]];
const taken: readonly (readonly [
  given: string,
  value: Uint8Array,
  headers: readonly Header[],
  expected?: typeof enrollment | typeof withTrace,
])[] = [
  ["structured mode", json(sampleEvent), structuredHeaders],
  ["structured mode, no headers at all", json(sampleEvent), []],
  ["structured mode, content type application/json", json(sampleEvent), json8],
  [
    "structured mode, content type with parameters, in another case",
    json(sampleEvent),
    [["CONTENT-TYPE", bytes("Application/CloudEvents+JSON ; charset=UTF-8")]],
  ],
  [
    "structured mode beside ce_ headers",
    json(sampleEvent),
    [...structuredHeaders, ["ce_id", bytes("other")]],
  ],
  ["a byte order mark", bytes(`\ufeff${JSON.stringify(sampleEvent)}`), []],
  ["white space around", bytes(` \n${JSON.stringify(sampleEvent, null, 2)}\r\n`), []],
  [
    "the data as data_base64, content type application/json",
    eventWith({ data: undefined, data_base64: btoa(JSON.stringify(documentedDetails)) }),
    structuredHeaders,
  ],
  ["data beside data_base64 null", eventWith({ data_base64: null }), []],
  ["an upper-case tenant id", eventWith({ tenantid: tenantId.toUpperCase() }), []],
  ["a trace context", eventWith({ traceparent }), [], withTrace],
  ["a trace context that is none", eventWith({ traceparent: "00-xyz" }), []],
  ["a trace context of another type", eventWith({ traceparent: { a: 1 } }), []],
  ["datacontenttype null", eventWith({ datacontenttype: null }), []],
  ["datacontenttype with a suffix", eventWith({ datacontenttype: "application/vnd.connector+json" }), []],
  [
    "extra members",
    eventWith({ subject: "x", x: { y: [1] }, data: { ...documentedDetails, id: "x", z: null } }),
    [],
  ],
  [
    "a member named constructor",
    bytes(`{"constructor":{"prototype":{"polluted":1}},${JSON.stringify(sampleEvent).slice(1)}`),
    [],
  ],
  ["binary mode", json(documentedDetails), binaryHeaders(sampleAttributes)],
  [
    "binary mode with a content type",
    json(documentedDetails),
    [...json8, ...binaryHeaders(sampleAttributes)],
  ],
  [
    "binary mode, header names in another case",
    json(documentedDetails),
    binaryHeaders(sampleAttributes).map(([name, value]) => [name.toUpperCase(), value]),
  ],
  [
    "binary mode, the same header twice",
    json(documentedDetails),
    [...binaryHeaders(sampleAttributes), ...binaryHeaders({ id: "event-1" })],
  ],
  [
    "binary mode with a trace context",
    json(documentedDetails),
    binaryHeaders({ ...sampleAttributes, traceparent }),
    withTrace,
  ],
  [
    "binary mode, a trace context that is not UTF-8, and foreign headers",
    json(documentedDetails),
    [
      ...binaryHeaders(sampleAttributes),
      ["ce_traceparent", Uint8Array.of(0xff)],
      ["ce_subject", null],
      ["x", null],
    ],
  ],
];
for (const [given, value, headers, expected = enrollment] of taken) {
  test(`given ${given}, the enrollment comes out as it came in`, () => {
    assert.deepEqual(decode({ value, headers }, anyTenant), { ok: true, enrollment: expected });
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
}

const longest = "🔑".repeat(256);
const edges: readonly (readonly [given: string, details: Partial<typeof documentedDetails>])[] = [
  ["256 characters that take two code units each", { machineName: longest, connectorName: longest }],
  ["one character", { connectorVersion: "1" }],
  ["white space and quotes", { connectorName: ' "a\\b" ' }],
  ["seven digits and the largest offset", { enrollmentDateTime: "2017-01-01T00:02:46.0431410+14:00" }],
  ["no fraction, lower case", { lastCheckinDateTime: "2017-01-01t00:02:46z" }],
  ["the instant that Intune writes for never", { lastCheckinDateTime: "0001-01-01T00:00:00Z" }],
];
for (const [given, details] of edges) {
  test(`given ${given}, each property is kept to the last character`, () => {
    const decoded = decode({ value: eventWithData(details), headers: [] }, anyTenant);
    assert.deepEqual(decoded.ok && decoded.enrollment.details, { ...documentedDetails, ...details });
  });
}

test("the allow list is asked with the tenant id in lower case", () => {
  const asked: string[] = [];
  decode({ value: eventWith({ tenantid: tenantId.toUpperCase() }), headers: [] }, (id) => asked.push(id) > 0);
  assert.deepEqual(asked, [tenantId]);
});
