/**
 * The CloudEvents HTTP binding, version 1.0: from a request's headers and body to records of the log, unchecked beyond the
 * content mode. decode() checks what is in them.
 *
 * Structured and binary bodies become the record's value byte for byte, each item of a batch too.
 */
import { contentTypeHeader, structuredContentType } from "../../domain/cloud-event.ts";
import type { Header } from "../../ports.ts";
import { limits } from "../http/limits.ts";
import { type Failure, failures } from "../http/problem.ts";
import { batchItems } from "./batch-items.ts";

export interface RawEvent {
  readonly value: Uint8Array;
  readonly headers: readonly Header[];
}

export type Binding =
  | { readonly ok: true; readonly mode: "one" | "batch"; readonly events: readonly RawEvent[] }
  | { readonly ok: false; readonly failure: Failure };

/** Values by header name in lower case, each as it came. */
export type HeaderValues = Readonly<Record<string, readonly string[] | undefined>>;

export const batchContentType = "application/cloudevents-batch+json";

const attributePrefix = "ce-";
const jsonMediaType = /^[^/\s]+\/(?:[^;\s]+\+)?json$/;
const structuredHeaders = headersFor(`${structuredContentType}; charset=UTF-8`);

const wanted: ReadonlySet<string> = new Set([
  ...[contentTypeHeader, "content-encoding", "transfer-encoding", "prefer"],
]);

/** Those that count here of a request's headers, as they came: name, value, name, value. */
export function bindingHeaders(rawHeaders: readonly string[]): HeaderValues {
  const values: Record<string, string[]> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!wanted.has(name) && !name.startsWith(attributePrefix)) continue;
    const known = values[name];
    if (known === undefined) values[name] = [rawHeaders[at + 1]!];
    else known.push(rawHeaders[at + 1]!);
  }
  return values;
}

export function readBinding(headers: HeaderValues, body: Uint8Array): Binding {
  const contentType = headers[contentTypeHeader]?.[0] ?? "";
  const mediaType = mediaTypeOf(contentType);
  if (isOtherCharset(contentType)) return refused(failures.charset(contentType));
  if (isCompressed(headers["content-encoding"]) || isCompressed(headers["transfer-encoding"]))
    return refused(failures.contentEncoding());
  if (mediaType === batchContentType) return readBatch(body);
  if (mediaType === structuredContentType) return one({ value: body, headers: structuredHeaders });
  if (mediaType.startsWith("application/cloudevents") || !jsonMediaType.test(mediaType))
    return refused(failures.mediaType(contentType));
  const attributes = attributesOf(headers);
  // Installers write application/json for the whole event: without a ce- header it can be nothing else.
  if (attributes.length === 0) return one({ value: body, headers: structuredHeaders });
  return one({ value: body, headers: [...headersFor(contentType), ...attributes] });
}

function readBatch(body: Uint8Array): Binding {
  const cut = batchItems(body, limits.batchEvents);
  if (!cut.ok) return refused(cut.why === "too-many" ? failures.batchTooLong() : failures.batchNotArray());
  if (cut.items.length === 0) return refused(failures.batchEmpty());
  const events = cut.items.map((value) => ({ value, headers: structuredHeaders }));
  return { ok: true, mode: "batch", events };
}

function one(event: RawEvent): Binding {
  return { ok: true, mode: "one", events: [event] };
}

function refused(failure: Failure): Binding {
  return { ok: false, failure };
}

function headersFor(contentType: string): readonly Header[] {
  return [[contentTypeHeader, Buffer.from(contentType, "latin1")]];
}

/** `ce-id: a%20b` as the record's header `ce_id`. A header that came twice is kept twice: decode() compares them. */
function attributesOf(headers: HeaderValues): Header[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    name.startsWith(attributePrefix)
      ? (values ?? []).map(
          (value): Header => [`ce_${name.slice(attributePrefix.length)}`, attributeBytes(value)],
        )
      : [],
  );
}

/** Quoted strings of older senders first, then one round of percent-decoding; whether that is UTF-8 is decode()'s affair. */
export function attributeBytes(value: string): Uint8Array {
  const text = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
  if (!text.includes("%")) return Buffer.from(text, "latin1");
  return Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}

/** `application/json` of `Application/JSON; charset=utf-8`. */
function mediaTypeOf(contentType: string): string {
  return contentType.split(";", 1)[0]!.trim().toLowerCase();
}

function isOtherCharset(contentType: string): boolean {
  const [, charset] = /;\s*charset\s*=\s*"?([^";\s]*)"?/i.exec(contentType) ?? [];
  return charset !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(charset);
}

function isCompressed(encodings: readonly string[] | undefined): boolean {
  return (encodings ?? []).some((each) => !/^\s*(?:identity|chunked)?\s*$/i.test(each));
}
