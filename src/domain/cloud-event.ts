/**
 * CloudEvents 1.0 in a log record, in either content mode, brought to one form: attributes and data of the structured event.
 *
 * Structured: the value is the whole event (content type `application/cloudevents+json`, or no `ce_` header at all). Its
 * data is JSON in `data`, or the same as bytes in `data_base64`, which some SDKs write for JSON too.
 * Binary: the value is the data, and the attributes are `ce_` headers. Header names in any case.
 */
import type { Header, LogRecord } from "../ports.ts";
import { decodeUtf8, type JsonObject, readJsonObject } from "./json-value.ts";
import { quote, type Refusal, refusal } from "./refusal.ts";
import { isTraceparent, traceparentHeader } from "./traceparent.ts";

export const structuredContentType = "application/cloudevents+json";
export const contentTypeHeader = "content-type";

export type CloudEventRead =
  | { readonly ok: true; readonly event: JsonObject }
  | { readonly ok: false; readonly refusal: Refusal };

const attributeNames = ["specversion", "id", "source", "type", "tenantid", "traceparent"] as const;
type AttributeName = (typeof attributeNames)[number];
const headerNames: ReadonlyMap<string, AttributeName> = new Map(
  attributeNames.map((name) => [`ce_${name}`, name]),
);
/** RFC 4648, section 4, with its padding. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const jsonMediaType = /^[^/\s]+\/([^;\s]+\+)?json\s*(;|$)/i;

interface Envelope {
  contentType: string | null;
  isBinary: boolean;
  attributes: Partial<Record<AttributeName, string>>;
  /** Attributes whose headers aren't UTF-8, or say two different things. */
  unclear: AttributeName[];
}

/** The event's members as they came, unchecked beyond the content mode; `data` may be missing or of any type. */
export function readCloudEvent(record: Pick<LogRecord, "value" | "headers">): CloudEventRead {
  const envelope = readHeaders(record.headers);
  const mediaType = mediaTypeOf(envelope.contentType ?? "");
  if (mediaType.startsWith("application/cloudevents")) {
    return mediaType === structuredContentType ? readStructured(record.value) : unsupported(mediaType);
  }
  if (!envelope.isBinary) return readStructured(record.value);
  return readBinary(record.value, envelope);
}

function readStructured(value: Uint8Array | null): CloudEventRead {
  const read = readJsonObject(value, "");
  if (!read.ok) return read;
  const type = read.value.datacontenttype ?? "application/json";
  if (typeof type !== "string") return unsupported("(not a string)");
  return jsonMediaType.test(type) ? withData(read.value) : unsupported(type);
}

/** `data` from `data_base64`, where only that is there. */
function withData(event: JsonObject): CloudEventRead {
  const { data, data_base64: encoded, ...attributes } = event;
  if ((data !== undefined && data !== null) || encoded === undefined || encoded === null) {
    return { ok: true, event };
  }
  if (typeof encoded !== "string" || !base64.test(encoded)) {
    const message = "/data_base64 is not Base64. Send the enrollment's properties in /data instead.";
    return { ok: false, refusal: refusal("data-not-object", message, ["/data_base64"]) };
  }
  const read = readJsonObject(Buffer.from(encoded, "base64"), "/data");
  return read.ok ? { ok: true, event: { ...attributes, data: read.value } } : read;
}

function readBinary(value: Uint8Array | null, envelope: Envelope): CloudEventRead {
  if (envelope.contentType !== null && !jsonMediaType.test(envelope.contentType)) {
    return unsupported(envelope.contentType);
  }
  // An invalid trace context is ignored (W3C); the event stays valid.
  const unclearNames = envelope.unclear.filter((name) => name !== "traceparent");
  if (unclearNames.length > 0) return unclear([...new Set(unclearNames)]);
  const read = readJsonObject(value, "/data");
  if (!read.ok) return read;
  return { ok: true, event: { ...envelope.attributes, data: read.value } };
}

/** By its name in lower case: it says something of the event. Others are the transport's, or the worker's own. */
export function isEventHeader(name: string): boolean {
  return name === contentTypeHeader || name.startsWith("ce_");
}

function readHeaders(headers: readonly Header[]): Envelope {
  const envelope: Envelope = { contentType: null, isBinary: false, attributes: {}, unclear: [] };
  for (const header of headers) {
    const name = header[0].toLowerCase();
    const bytes = header[1];
    if (name === contentTypeHeader) {
      envelope.contentType ??= bytes === null ? null : decodeUtf8(bytes);
      continue;
    }
    if (!name.startsWith("ce_")) continue;
    envelope.isBinary = true;
    const attribute = headerNames.get(name);
    if (attribute === undefined || bytes === null) continue;
    const text = decodeUtf8(bytes);
    const earlier = envelope.attributes[attribute];
    if (text === null || (earlier !== undefined && earlier !== text)) envelope.unclear.push(attribute);
    else envelope.attributes[attribute] = text;
  }
  return envelope;
}

/** The first header that can be read, which is the producer's: the worker adds its own behind it. Null: there is none. */
export function traceparentOfRecord(headers: readonly Header[]): string | null {
  for (const [name, value] of headers) {
    if (
      value === null ||
      name.length !== traceparentHeader.length ||
      name.toLowerCase() !== traceparentHeader
    )
      continue;
    const text = decodeUtf8(value);
    if (isTraceparent(text)) return text;
  }
  return null;
}

/** `application/json` of `Application/JSON; charset=utf-8`. */
function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

function unclear(names: readonly AttributeName[]): CloudEventRead {
  const headers = names.map((name) => `ce_${name}`).join(", ");
  const pointers = names.map((name) => `/${name}`);
  const message = `Send each header once, as UTF-8. Not so: ${headers}.`;
  return { ok: false, refusal: refusal("attribute-invalid", message, pointers) };
}

function unsupported(contentType: string): CloudEventRead {
  const message = `Content type ${quote(contentType)} is not read. Send ${structuredContentType}, or application/json with ce_ headers.`;
  return { ok: false, refusal: refusal("content-type-unsupported", message, ["/datacontenttype"]) };
}
