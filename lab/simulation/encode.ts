/** Enrollment events as installers write them: both CloudEvents modes, and spoiled in many ways. */
import type { EnrollmentDetails } from "../../src/domain/enrollment.ts";
import type { Header, NewRecord } from "../../src/ports.ts";
import type { Rng } from "./rng.ts";

type Encoded = Pick<NewRecord, "value" | "headers">;

export const badSorts = [
  "empty",
  "not-json",
  "not-utf-8",
  "not-an-object",
  "wrong-type",
  "no-tenant",
  "tenant-not-allowed",
  "property-missing",
  "property-empty",
  "control-character",
  "impossible-date",
  "offset-less-date",
  "too-large",
] as const;
export type BadSort = (typeof badSorts)[number];

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Which event it is, and of whom. */
export interface Envelope {
  readonly id: string;
  readonly tenantId: string;
}

export function encodeEvent(rng: Rng, envelope: Envelope, details: EnrollmentDetails): Encoded {
  // A header of the sender's own must survive every move of the record.
  const own: Header[] = rng.chance(0.3) ? [["sender-note", utf8(envelope.id)]] : [];
  const attributes = attributesOf(envelope);
  if (rng.chance(0.5)) {
    return {
      value: utf8(JSON.stringify({ ...attributes, datacontenttype: "application/json", data: details })),
      headers: [["content-type", utf8("application/cloudevents+json")], ...own],
    };
  }
  const headers = Object.entries(attributes).map(([name, value]): Header => [`ce_${name}`, utf8(value)]);
  return {
    value: utf8(JSON.stringify(details)),
    headers: [["content-type", utf8("application/json")], ...headers, ...own],
  };
}

function attributesOf({ id, tenantId }: Envelope): Record<string, string> {
  return {
    specversion: "1.0",
    id,
    source: "/installers/simulated",
    type: "connector.enrolled",
    tenantid: tenantId,
  };
}

/** For "tenant-not-allowed", the envelope names a tenant that is never served. */
export function encodeBad(rng: Rng, sort: BadSort, envelope: Envelope): Encoded {
  const headers: Header[] = [["content-type", utf8("application/cloudevents+json")]];
  const details: Record<string, unknown> = {
    connectorName: "bad",
    machineName: `bad-${rng.int(0, 9)}`,
    enrollmentDateTime: "2026-01-01T00:00:00Z",
    lastCheckinDateTime: "2026-01-01T00:00:00Z",
    connectorVersion: "1",
  };
  const attributes: Record<string, unknown> = attributesOf(envelope);
  const whole = (): Encoded => ({ value: utf8(JSON.stringify({ ...attributes, data: details })), headers });
  switch (sort) {
    case "empty":
      return { value: rng.pick([null, new Uint8Array()]), headers };
    case "not-json":
      return { value: utf8('{"specversion":"1.0",'), headers };
    case "not-utf-8":
      return { value: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), headers };
    case "not-an-object":
      return { value: utf8("[1, 2]"), headers };
    case "wrong-type":
      attributes.type = "connector.retired";
      return whole();
    case "no-tenant":
      delete attributes.tenantid;
      return whole();
    case "tenant-not-allowed":
      return whole();
    case "property-missing":
      delete details.connectorVersion;
      return whole();
    case "property-empty":
      details.machineName = "";
      return whole();
    case "control-character":
      details.connectorName = "a\u0007b";
      return whole();
    case "impossible-date":
      details.enrollmentDateTime = "2025-02-30T00:00:00Z";
      return whole();
    case "offset-less-date":
      details.enrollmentDateTime = "2025-02-20T00:00:00";
      return whole();
    case "too-large":
      details.connectorVersion = "x".repeat(66_000);
      return whole();
  }
}
