import assert from "node:assert/strict";
import { test } from "node:test";
import {
  binaryHeaders,
  bytes,
  documentedDetails,
  json,
  sampleAttributes,
  sampleEvent,
} from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";
import type { Header } from "../../src/ports.ts";

const anyTenant = () => true;

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
