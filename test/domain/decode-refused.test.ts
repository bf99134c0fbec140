import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  documentedDetails,
  eventWith,
  eventWithData,
  json,
  sampleEvent,
  tenantId,
} from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";

const anyTenant = () => true;

const fullSize = JSON.stringify({ ...sampleEvent, x: "" }).length;
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const withMember = (text: string) => bytes(`${JSON.stringify(sampleEvent).slice(0, -1)},"x":${text}}`);

test("64 KiB, 32 levels, and brackets inside strings are taken", () => {
  const largest = eventWith({ x: "a".repeat(65_536 - fullSize) });
  assert.equal(largest.length, 65_536);
  for (const value of [largest, withMember(nested(31)), withMember(JSON.stringify(`\\"${nested(500)}`))]) {
    assert.equal(decode({ value, headers: [] }, anyTenant).ok, true);
  }
});

const without = (name: string) => {
  const { [name as keyof typeof sampleEvent]: _, ...rest } = sampleEvent as Record<string, unknown>;
  return json(rest);
};
const withBase64 = (value: unknown) =>
  json({ ...JSON.parse(new TextDecoder().decode(without("data"))), data_base64: value });
const everyProperty = Object.keys(documentedDetails).map((name) => `/data/${name}`);
const allProperties = (value: unknown) =>
  eventWith({ data: Object.fromEntries(Object.keys(documentedDetails).map((name) => [name, value])) });

const refused: readonly (readonly [
  given: string,
  value: Uint8Array | null,
  code: string,
  pointers: readonly string[],
])[] = [
  ["a tombstone", null, "value-empty", [""]],
  ["an empty value", bytes(""), "value-empty", [""]],
  ["65,537 bytes", eventWith({ x: "a".repeat(65_537 - fullSize) }), "value-too-large", [""]],
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
    "__proto__ in front",
    bytes(`{"__proto__":{"x":1},${JSON.stringify(sampleEvent).slice(1)}`),
    "value-unsafe-member",
    ["/__proto__"],
  ],
  [
    "__proto__ spelled with an escape, deep",
    withMember('{"a":[{"b/c":{"\\u005f_proto__":1}}]}'),
    "value-unsafe-member",
    ["/x/a/0/b~1c/__proto__"],
  ],
  [
    "data of another content type",
    eventWith({ datacontenttype: "text/xml" }),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
  [
    "a content type that can't be made a string",
    eventWith({ datacontenttype: { toString: 1, valueOf: 1 } }),
    "content-type-unsupported",
    ["/datacontenttype"],
  ],
  ["no attributes", json({}), "attribute-missing", ["/specversion", "/id", "/source", "/type"]],
  ["no specversion", without("specversion"), "attribute-missing", ["/specversion"]],
  ["no id", without("id"), "attribute-missing", ["/id"]],
  ["source null", eventWith({ source: null }), "attribute-missing", ["/source"]],
  ["no type", without("type"), "attribute-missing", ["/type"]],
  ["specversion 0.3", eventWith({ specversion: "0.3" }), "attribute-invalid", ["/specversion"]],
  ["specversion 1", eventWith({ specversion: 1 }), "attribute-invalid", ["/specversion"]],
  ["an empty id", eventWith({ id: "" }), "attribute-invalid", ["/id"]],
  ["an id of 1,025 characters", eventWith({ id: "x".repeat(1_025) }), "attribute-invalid", ["/id"]],
  ["a source with a line break", eventWith({ source: "/a\nb" }), "attribute-invalid", ["/source"]],
  ["type 5, source null", eventWith({ type: 5, source: null }), "attribute-invalid", ["/source", "/type"]],
  [
    "all attributes wrong",
    eventWith({ specversion: "2.0", id: {}, source: [], type: "\u0000" }),
    "attribute-invalid",
    ["/specversion", "/id", "/source", "/type"],
  ],
  ["another type", eventWith({ type: "connector.removed" }), "type-unknown", ["/type"]],
  ["the type in another case", eventWith({ type: "Connector.Enrolled" }), "type-unknown", ["/type"]],
  ["no tenant", without("tenantid"), "tenant-missing", ["/tenantid"]],
  ["an empty tenant", eventWith({ tenantid: "" }), "tenant-missing", ["/tenantid"]],
  ["tenant null", eventWith({ tenantid: null }), "tenant-missing", ["/tenantid"]],
  [
    "a tenant that is a domain",
    eventWith({ tenantid: "contoso.onmicrosoft.com" }),
    "tenant-malformed",
    ["/tenantid"],
  ],
  ["a tenant in braces", eventWith({ tenantid: `{${tenantId}}` }), "tenant-malformed", ["/tenantid"]],
  ["a tenant that is a number", eventWith({ tenantid: 7 }), "tenant-malformed", ["/tenantid"]],
  ["no data", without("data"), "data-missing", ["/data"]],
  ["data null", eventWith({ data: null }), "data-missing", ["/data"]],
  ["data_base64 of an empty object", withBase64("e30="), "property-missing", everyProperty],
  ["data_base64 without its padding", withBase64("e30"), "data-not-object", ["/data_base64"]],
  ["data_base64 of a text", withBase64(btoa("text")), "value-not-json", ["/data"]],
  ["data_base64 that is a number", withBase64(7), "data-not-object", ["/data_base64"]],
  ["data_base64 null", withBase64(null), "data-missing", ["/data"]],
  [
    "data that is a string",
    eventWith({ data: JSON.stringify(documentedDetails) }),
    "data-not-object",
    ["/data"],
  ],
  ["data that is an array", eventWith({ data: [documentedDetails] }), "data-not-object", ["/data"]],
  ["empty data", eventWith({ data: {} }), "property-missing", everyProperty],
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
  [
    "257 characters",
    eventWithData({ machineName: "é".repeat(257) }),
    "property-too-long",
    ["/data/machineName"],
  ],
  ["a tab", eventWithData({ machineName: "a\tb" }), "property-characters", ["/data/machineName"]],
  [
    "DEL and a C1 control",
    eventWithData({ machineName: "\u007f", connectorName: "\u0085" }),
    "property-characters",
    ["/data/connectorName", "/data/machineName"],
  ],
  [
    "a lone surrogate",
    eventWithData({ connectorVersion: "\ud83d" }),
    "property-characters",
    ["/data/connectorVersion"],
  ],
  [
    "a day that is not",
    eventWithData({ enrollmentDateTime: "2017-02-29T00:00:00Z" }),
    "date-time-impossible",
    ["/data/enrollmentDateTime"],
  ],
  [
    "no offset",
    eventWithData({ lastCheckinDateTime: "2017-01-01T00:02:46.0431416" }),
    "date-time-without-offset",
    ["/data/lastCheckinDateTime"],
  ],
  [
    "eight fractional digits",
    eventWithData({ enrollmentDateTime: "2016-12-31T23:57:59.37260570-08:00" }),
    "date-time-too-precise",
    ["/data/enrollmentDateTime"],
  ],
  [
    "a date-time in words",
    eventWithData({ enrollmentDateTime: "yesterday" }),
    "date-time-malformed",
    ["/data/enrollmentDateTime"],
  ],
  [
    "a date-time of 60,000 digits",
    eventWithData({ enrollmentDateTime: `2017-01-01T00:00:00.${"1".repeat(60_000)}Z` }),
    "date-time-too-precise",
    ["/data/enrollmentDateTime"],
  ],
  [
    "something else wrong with each",
    eventWithData({
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

test("messages quote at most 60 characters of a value", () => {
  const long = "x".repeat(5_000);
  const values = [
    eventWith({ type: long.slice(0, 1_000) }),
    eventWith({ specversion: long }),
    eventWith({ id: long }),
    eventWith({ tenantid: long }),
    eventWith({ datacontenttype: long }),
    allProperties(long),
    eventWithData({
      enrollmentDateTime: `2017-01-01T00:00:00.${"1".repeat(500)}Z`,
      lastCheckinDateTime: long,
    }),
  ];
  for (const value of values) {
    const decoded = decode({ value, headers: [] }, anyTenant);
    assert.equal(decoded.ok, false);
    const message = decoded.ok ? "" : decoded.refusal.message;
    assert.doesNotMatch(message, /x{61}|1{61}/);
    assert.ok(message.length < 1_000, message);
  }
});

test("more fractional digits than Graph takes: the refusal shows the date-time with seven of them", () => {
  const decoded = decode(
    { value: eventWithData({ enrollmentDateTime: "2026-11-26T20:04:21.847123456Z" }), headers: [] },
    anyTenant,
  );
  assert.ok(!decoded.ok);
  assert.match(decoded.refusal.message, /write it as "2026-11-26T20:04:21\.8471234Z"/);
});
