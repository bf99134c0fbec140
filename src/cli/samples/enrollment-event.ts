/** An enrollment as a CloudEvents 1.0 record of connector.enrolled, structured or binary. */
import type { EnrollmentDetails } from "../../domain/enrollment.ts";
import { homePartition } from "../../domain/murmur2.ts";
import type { Header, NewRecord } from "../../ports.ts";

export interface EnrollmentEvent {
  readonly id: string;
  readonly source: string;
  readonly time: string;
  readonly tenantId: string;
  readonly data: EnrollmentDetails;
}

export type ContentMode = "structured" | "binary";

export const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");

/** CloudEvents attributes, as strings. */
export function attributesOf(event: EnrollmentEvent): Record<string, string> {
  return {
    specversion: "1.0",
    id: event.id,
    source: event.source,
    type: "connector.enrolled",
    time: event.time,
    tenantid: event.tenantId,
    datacontenttype: "application/json",
  };
}

export function enrollmentRecord(
  event: EnrollmentEvent,
  mode: ContentMode,
  partitionCount: number,
): NewRecord {
  const attributes = attributesOf(event);
  const body =
    mode === "structured"
      ? structuredBody(attributes, event.data)
      : binaryBody(attributes, utf8(JSON.stringify(event.data)));
  return atHome(event.tenantId, body, partitionCount);
}

export interface Body {
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

export function structuredBody(attributes: object, data: unknown): Body {
  return structuredText(JSON.stringify({ ...attributes, data }));
}

export function structuredText(text: string | Uint8Array): Body {
  return {
    value: typeof text === "string" ? utf8(text) : text,
    headers: [["content-type", utf8("application/cloudevents+json; charset=UTF-8")]],
  };
}

export function binaryBody(attributes: Readonly<Record<string, string>>, value: Uint8Array | null): Body {
  const { datacontenttype, ...others } = attributes;
  const headers: Header[] = Object.entries(others).map(([name, text]) => [`ce_${name}`, utf8(text)]);
  return { value, headers: [["content-type", utf8(datacontenttype ?? "application/json")], ...headers] };
}

/** Keyed by the tenant, in the partition that the key's murmur2 names. */
export function atHome(tenantId: string, body: Body, partitionCount: number): NewRecord {
  const key = tenantId.toLowerCase();
  return { topic: "enrolled", partition: homePartition(key, partitionCount), key: utf8(key), ...body };
}
