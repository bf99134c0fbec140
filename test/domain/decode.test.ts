import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../src/domain/decode.ts";
import type { Header } from "../../src/ports.ts";
import {
  binaryHeaders,
  bytes,
  documentedDetails,
  json,
  sampleAttributes,
  sampleEvent,
  structuredHeaders,
  tenantId,
  traceparent,
} from "./samples.ts";

const anyTenant = () => true;
const enrollment = {
  tenantId,
  details: documentedDetails,
  event: { id: "event-1", source: "/installers/17", traceparent: null },
};

function event(changes: object): Uint8Array {
  return json({ ...sampleEvent, ...changes });
}

function data(changes: object): Uint8Array {
  return event({ data: { ...documentedDetails, ...changes } });
}

// ── Taken ───────────────────────────────────────────────────────────────────────────────────────

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
  ["an upper-case tenant id", event({ tenantid: tenantId.toUpperCase() }), []],
  ["a trace context", event({ traceparent }), [], withTrace],
  ["a trace context that is none", event({ traceparent: "00-xyz" }), []],
  ["a trace context of another type", event({ traceparent: { a: 1 } }), []],
  ["datacontenttype null", event({ datacontenttype: null }), []],
  ["datacontenttype with a suffix", event({ datacontenttype: "application/vnd.connector+json" }), []],
  [
    "extra members",
    event({ subject: "x", x: { y: [1] }, data: { ...documentedDetails, id: "x", z: null } }),
    [],
  ],
  [
    "members named __proto__ and constructor",
    bytes(
      `{"__proto__":{"id":1,"polluted":1},"constructor":{"prototype":{"polluted":1}},${JSON.stringify(sampleEvent).slice(1)}`,
    ),
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
    const decoded = decode({ value: data(details), headers: [] }, anyTenant);
    assert.deepEqual(decoded.ok && decoded.enrollment.details, { ...documentedDetails, ...details });
  });
}

test("the allow list is asked with the tenant id in lower case", () => {
  const asked: string[] = [];
  decode({ value: event({ tenantid: tenantId.toUpperCase() }), headers: [] }, (id) => asked.push(id) > 0);
  assert.deepEqual(asked, [tenantId]);
});

// ── Refused ─────────────────────────────────────────────────────────────────────────────────────

const fullSize = JSON.stringify({ ...sampleEvent, x: "" }).length;
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const withMember = (text: string) => bytes(`${JSON.stringify(sampleEvent).slice(0, -1)},"x":${text}}`);

test("64 KiB, 32 levels, and brackets inside strings are taken", () => {
  const largest = event({ x: "a".repeat(65_536 - fullSize) });
  assert.equal(largest.length, 65_536);
  for (const value of [largest, withMember(nested(31)), withMember(JSON.stringify(`\\"${nested(500)}`))]) {
    assert.equal(decode({ value, headers: [] }, anyTenant).ok, true);
  }
});

const without = (name: string) => {
  const { [name as keyof typeof sampleEvent]: _, ...rest } = sampleEvent as Record<string, unknown>;
  return json(rest);
};
const everyProperty = Object.keys(documentedDetails).map((name) => `/data/${name}`);
const allProperties = (value: unknown) =>
  event({ data: Object.fromEntries(Object.keys(documentedDetails).map((name) => [name, value])) });

const refused: readonly (readonly [
  given: string,
  value: Uint8Array | null,
  code: string,
  pointers: readonly string[],
])[] = [
  ["a tombstone", null, "value-empty", [""]],
  ["an empty value", bytes(""), "value-empty", [""]],
  ["65,537 bytes", event({ x: "a".repeat(65_537 - fullSize) }), "value-too-large", [""]],
  [
    "a byte that UTF-8 has not",
    Uint8Array.of(...bytes('{"a":"'), 0xff, ...bytes('"}')),
    "value-not-utf8",
    [""],
  ],
  ["an overlong encoding", Uint8Array.of(0xc0, 0xaf), "value-not-utf8", [""]],
  ["a surrogate in UTF-8", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), "value-not-utf8", [""]],
  ["UTF-16", Uint8Array.from(Buffer.from(JSON.stringify(sampleEvent), "utf16le")), "value-not-json", [""]],
  ["no JSON", bytes("connector-1 enrolled"), "value-not-json", [""]],
  ["half an event", json(sampleEvent).subarray(0, 100), "value-not-json", [""]],
  [
    "two events",
    bytes(`${JSON.stringify(sampleEvent)}${JSON.stringify(sampleEvent)}`),
    "value-not-json",
    [""],
  ],
  ["NaN", withMember("NaN"), "value-not-json", [""]],
  ["33 levels", withMember(nested(32)), "value-too-deep", [""]],
  ["60 KiB of [", bytes("[".repeat(61_440)), "value-too-deep", [""]],
  ['60 KiB of {"a":', bytes('{"a":'.repeat(12_288)), "value-too-deep", [""]],
  ["an array", json([sampleEvent]), "value-not-object", [""]],
  ["null", json(null), "value-not-object", [""]],
  ["a string", json("x"), "value-not-object", [""]],
  [
    "data of another content type",
    event({ datacontenttype: "text/xml" }),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
  [
    "a content type that can't be made a string",
    event({ datacontenttype: { toString: 1, valueOf: 1 } }),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
  ["no attributes", json({}), "attribute-missing", ["/specversion", "/id", "/source", "/type"]],
  ["no specversion", without("specversion"), "attribute-missing", ["/specversion"]],
  ["no id", without("id"), "attribute-missing", ["/id"]],
  ["source null", event({ source: null }), "attribute-missing", ["/source"]],
  ["no type", without("type"), "attribute-missing", ["/type"]],
  ["specversion 0.3", event({ specversion: "0.3" }), "attribute-invalid", ["/specversion"]],
  ["specversion 1", event({ specversion: 1 }), "attribute-invalid", ["/specversion"]],
  ["an empty id", event({ id: "" }), "attribute-invalid", ["/id"]],
  ["an id of 1,025 characters", event({ id: "x".repeat(1_025) }), "attribute-invalid", ["/id"]],
  ["a source with a line break", event({ source: "/a\nb" }), "attribute-invalid", ["/source"]],
  ["type 5, source null", event({ type: 5, source: null }), "attribute-invalid", ["/source", "/type"]],
  [
    "all attributes wrong",
    event({ specversion: "2.0", id: {}, source: [], type: "\u0000" }),
    "attribute-invalid",
    ["/specversion", "/id", "/source", "/type"],
  ],
  ["another type", event({ type: "connector.removed" }), "type-unknown", ["/type"]],
  ["the type in another case", event({ type: "Connector.Enrolled" }), "type-unknown", ["/type"]],
  ["no tenant", without("tenantid"), "tenant-missing", ["/tenantid"]],
  ["an empty tenant", event({ tenantid: "" }), "tenant-missing", ["/tenantid"]],
  ["tenant null", event({ tenantid: null }), "tenant-missing", ["/tenantid"]],
  [
    "a tenant that is a domain",
    event({ tenantid: "contoso.onmicrosoft.com" }),
    "tenant-malformed",
    ["/tenantid"],
  ],
  ["a tenant in braces", event({ tenantid: `{${tenantId}}` }), "tenant-malformed", ["/tenantid"]],
  ["a tenant that is a number", event({ tenantid: 7 }), "tenant-malformed", ["/tenantid"]],
  ["no data", without("data"), "data-missing", ["/data"]],
  ["data null", event({ data: null }), "data-missing", ["/data"]],
  [
    "data_base64",
    json({ ...JSON.parse(new TextDecoder().decode(without("data"))), data_base64: "e30=" }),
    "data-missing",
    ["/data"],
  ],
  ["data that is a string", event({ data: JSON.stringify(documentedDetails) }), "data-not-object", ["/data"]],
  ["data that is an array", event({ data: [documentedDetails] }), "data-not-object", ["/data"]],
  ["empty data", event({ data: {} }), "property-missing", everyProperty],
  ["all properties null", allProperties(null), "property-wrong-type", everyProperty],
  ["all properties numbers", allProperties(5), "property-wrong-type", everyProperty],
  ["all properties objects", allProperties({ a: 1 }), "property-wrong-type", everyProperty],
  ["all properties empty", allProperties(""), "property-empty", everyProperty],
  [
    "all properties too long and with a NUL",
    allProperties("\0".repeat(300)),
    "properties-invalid",
    everyProperty,
  ],
  ["257 characters", data({ machineName: "é".repeat(257) }), "property-too-long", ["/data/machineName"]],
  ["a tab", data({ machineName: "a\tb" }), "property-characters", ["/data/machineName"]],
  [
    "DEL and a C1 control",
    data({ machineName: "\u007f", connectorName: "\u0085" }),
    "property-characters",
    ["/data/connectorName", "/data/machineName"],
  ],
  [
    "a lone surrogate",
    data({ connectorVersion: "\ud83d" }),
    "property-characters",
    ["/data/connectorVersion"],
  ],
  [
    "a day that is not",
    data({ enrollmentDateTime: "2017-02-29T00:00:00Z" }),
    "date-time-impossible",
    ["/data/enrollmentDateTime"],
  ],
  [
    "no offset",
    data({ lastCheckinDateTime: "2017-01-01T00:02:46.0431416" }),
    "date-time-without-offset",
    ["/data/lastCheckinDateTime"],
  ],
  [
    "eight fractional digits",
    data({ enrollmentDateTime: "2016-12-31T23:57:59.37260570-08:00" }),
    "date-time-too-precise",
    ["/data/enrollmentDateTime"],
  ],
  [
    "a date-time in words",
    data({ enrollmentDateTime: "yesterday" }),
    "date-time-malformed",
    ["/data/enrollmentDateTime"],
  ],
  [
    "a date-time of 60,000 digits",
    data({ enrollmentDateTime: `2017-01-01T00:00:00.${"1".repeat(60_000)}Z` }),
    "date-time-too-precise",
    ["/data/enrollmentDateTime"],
  ],
  [
    "something else wrong with each",
    data({
      connectorName: "",
      machineName: 1,
      enrollmentDateTime: "x",
      lastCheckinDateTime: undefined,
      connectorVersion: "\n",
    }),
    "properties-invalid",
    everyProperty,
  ],
];
for (const [given, value, code, pointers] of refused) {
  test(`given ${given}, it is refused as ${code}`, () => {
    const decoded = decode({ value, headers: [] }, anyTenant);
    assert.deepEqual(decoded.ok || { code: decoded.refusal.code, pointers: decoded.refusal.pointers }, {
      code,
      pointers,
    });
  });
}

test("given a tenant that is not allowed, the message names it and says what to do", () => {
  const decoded = decode({ value: json(sampleEvent), headers: [] }, () => false);
  assert.equal(decoded.ok || decoded.refusal.code, "tenant-not-allowed");
  assert.match(decoded.ok ? "" : decoded.refusal.message, new RegExp(`${tenantId}.*Allow it`));
});

// ── Refused in binary mode ──────────────────────────────────────────────────────────────────────

const { id: _, ...noId } = sampleAttributes;
const refusedBinary: readonly (readonly [
  given: string,
  headers: readonly Header[],
  value: Uint8Array | null,
  code: string,
  pointers: readonly string[],
])[] = [
  ["a tombstone", binaryHeaders(sampleAttributes), null, "value-empty", ["/data"]],
  ["no object", binaryHeaders(sampleAttributes), json("x"), "value-not-object", ["/data"]],
  [
    "one header only",
    binaryHeaders({ id: "1" }),
    json(documentedDetails),
    "attribute-missing",
    ["/specversion", "/source", "/type"],
  ],
  ["no id", binaryHeaders(noId), json(documentedDetails), "attribute-missing", ["/id"]],
  [
    "an id without a value",
    [...binaryHeaders(noId), ["ce_id", null]],
    json(documentedDetails),
    "attribute-missing",
    ["/id"],
  ],
  [
    "an empty id",
    binaryHeaders({ ...sampleAttributes, id: "" }),
    json(documentedDetails),
    "attribute-invalid",
    ["/id"],
  ],
  [
    "an id that is not UTF-8 and two sources",
    [...binaryHeaders(noId), ["ce_id", Uint8Array.of(0xff)], ["ce_SOURCE", bytes("/other")]],
    json(documentedDetails),
    "attribute-invalid",
    ["/id", "/source"],
  ],
  [
    "two tenants",
    [...binaryHeaders(sampleAttributes), ["ce_tenantid", bytes("104d7361-7361-104d-6173-4d1061734d10")]],
    json(documentedDetails),
    "attribute-invalid",
    ["/tenantid"],
  ],
  [
    "another type",
    binaryHeaders({ ...sampleAttributes, type: "x" }),
    json(documentedDetails),
    "type-unknown",
    ["/type"],
  ],
  [
    "no tenant",
    binaryHeaders({ ...sampleAttributes, tenantid: "" }),
    json(documentedDetails),
    "tenant-missing",
    ["/tenantid"],
  ],
  [
    "a property missing",
    binaryHeaders(sampleAttributes),
    json({ ...documentedDetails, machineName: undefined }),
    "property-missing",
    ["/data/machineName"],
  ],
  [
    "data in Avro",
    [["content-type", bytes("application/avro")], ...binaryHeaders(sampleAttributes)],
    json(documentedDetails),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
  [
    "a structured event in Avro",
    [["content-type", bytes("application/cloudevents+avro")]],
    bytes("x"),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
  [
    "a batch of events",
    [["content-type", bytes("application/cloudevents-batch+json")]],
    json([sampleEvent]),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
];
for (const [given, headers, value, code, pointers] of refusedBinary) {
  test(`binary mode: given ${given}, it is refused as ${code}`, () => {
    const decoded = decode({ value, headers }, anyTenant);
    assert.deepEqual(decoded.ok || { code: decoded.refusal.code, pointers: decoded.refusal.pointers }, {
      code,
      pointers,
    });
  });
}

test("messages quote at most 60 characters of a value", () => {
  const long = "x".repeat(5_000);
  const values = [
    event({ type: long.slice(0, 1_000) }),
    event({ specversion: long }),
    event({ id: long }),
    event({ tenantid: long }),
    event({ datacontenttype: long }),
    allProperties(long),
    data({ enrollmentDateTime: `2017-01-01T00:00:00.${"1".repeat(500)}Z`, lastCheckinDateTime: long }),
  ];
  for (const value of values) {
    const decoded = decode({ value, headers: [] }, anyTenant);
    assert.equal(decoded.ok, false);
    const message = decoded.ok ? "" : decoded.refusal.message;
    assert.doesNotMatch(message, /x{61}|1{61}/);
    assert.ok(message.length < 1_000, message);
  }
});
