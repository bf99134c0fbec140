/** Records that must end in the dead letters: one maker for each kind of mistake that installers make. */
import type { NewRecord } from "../../ports.ts";
import {
  atHome,
  attributesOf,
  type Body,
  binaryBody,
  type EnrollmentEvent,
  structuredBody,
  structuredText,
  utf8,
} from "./enrollment-event.ts";

export interface BadKind {
  readonly name: string;
  /** `strangeTenant`: a GUID that the worker doesn't allow. */
  readonly make: (event: EnrollmentEvent, strangeTenant: string) => Body;
  /** It is that tenant's, and stands where its records do: elsewhere it would be moved there first. */
  readonly isOfStranger?: true;
}

const without = (object: object, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
const data = (name: string, change: (event: EnrollmentEvent) => unknown): BadKind => ({
  name,
  make: (event) => structuredBody(attributesOf(event), change(event)),
});
const attributes = (name: string, change: (event: EnrollmentEvent, strange: string) => object): BadKind => ({
  name,
  make: (event, strange) => structuredBody(change(event, strange), event.data),
});
const raw = (name: string, change: (json: string) => string | Uint8Array): BadKind => ({
  name,
  make: (event) => structuredText(change(JSON.stringify({ ...attributesOf(event), data: event.data }))),
});
const property = (name: string, change: object): BadKind =>
  data(name, ({ data: right }) => ({ ...right, ...change }));

export const badKinds: readonly BadKind[] = [
  raw("not UTF-8", (json) => Buffer.concat([utf8(json.slice(0, -2)), Uint8Array.of(0xc3, 0x28, 0x22, 0x7d)])),
  raw("not JSON", (json) => json.slice(0, -7)),
  raw("empty value", () => ""),
  {
    name: "no value",
    make: (event) => ({ ...structuredBody(attributesOf(event), event.data), value: null }),
  },
  raw("not an object", () => '["connector.enrolled"]'),
  raw("over 64 KiB", (json) => `${json.slice(0, -1)},"padding":"${"x".repeat(65_536)}"}`),
  raw("deep nesting", (json) => `${json.slice(0, -1)},"deep":${"[".repeat(500)}${"]".repeat(500)}}`),
  // The properties stand only where a careless reader would find them through the prototype.
  raw("__proto__ key", (json) => json.replace('"data":{', '"data":{"__proto__":{').replace(/}$/, "}}")),
  attributes("id missing", (event) => without(attributesOf(event), "id")),
  attributes("source missing", (event) => without(attributesOf(event), "source")),
  attributes("specversion wrong", (event) => ({ ...attributesOf(event), specversion: "0.3" })),
  attributes("unknown type", (event) => ({ ...attributesOf(event), type: "connector.removed" })),
  attributes("tenant missing", (event) => without(attributesOf(event), "tenantid")),
  attributes("tenant malformed", (event) => ({ ...attributesOf(event), tenantid: "contoso" })),
  {
    ...attributes("tenant not allowed", (event, strange) => ({ ...attributesOf(event), tenantid: strange })),
    isOfStranger: true,
  },
  {
    name: "binary mode, ce_type missing",
    make: (event) =>
      binaryBody(
        without(attributesOf(event), "type") as Record<string, string>,
        utf8(JSON.stringify(event.data)),
      ),
  },
  data("data missing", () => undefined),
  data("property missing", ({ data: right }) => without(right, "machineName")),
  property("property of the wrong type", { connectorVersion: 6 }),
  property("property empty", { connectorName: "" }),
  property("property over 256 characters", { connectorName: "c".repeat(257) }),
  property("control character", { machineName: "PKI\u0007-0001" }),
  property("impossible date", { enrollmentDateTime: "2024-02-30T10:00:00Z" }),
  property("date-time without offset", { enrollmentDateTime: "2024-02-20T10:00:00" }),
  property("8 fractional digits", { lastCheckinDateTime: "2024-02-20T10:00:00.12345678Z" }),
];

export function badRecord(
  kind: BadKind,
  event: EnrollmentEvent,
  { strangeTenant, partitionCount }: { readonly strangeTenant: string; readonly partitionCount: number },
): NewRecord {
  const tenantId = kind.isOfStranger ? strangeTenant : event.tenantId;
  return atHome(tenantId, kind.make(event, strangeTenant), partitionCount);
}
