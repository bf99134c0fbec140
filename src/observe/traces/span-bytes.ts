/**
 * Spans as OTLP's protobuf (opentelemetry-proto, trace/v1), written straight into a buffer: it takes a tenth of what the SDK takes
 * for the same bytes, which is most of what tracing costs.
 *
 * 1. Lengths are written in front of what they count. Where that is not known before, two bytes are kept free, which hold
 *    up to 16,383: values, events and links are bounded so that no span comes near.
 * 2. A buffer has room for `spanBytesMax` more before a span is written.
 */
import {
  fixed32,
  fixed64,
  headOf,
  keyOf,
  lengthDelimited,
  lengthed,
  tag,
  writeAttribute,
  writeId,
  writeText,
  writeTime,
} from "./protobuf.ts";
import {
  type AttributeValue,
  eventsMax,
  type Key,
  linksMax,
  type Span,
  type SpanEvent,
  type SpanRef,
} from "./span.ts";

/** More than any span takes. */
export const spanBytesMax = 16_384;

const span = {
  traceId: tag(1, lengthDelimited),
  spanId: tag(2, lengthDelimited),
  parentSpanId: tag(4, lengthDelimited),
  name: tag(5, lengthDelimited),
  kind: tag(6, 0),
  start: tag(7, fixed64),
  end: tag(8, fixed64),
  attributes: tag(9, lengthDelimited),
  events: tag(11, lengthDelimited),
  links: tag(13, lengthDelimited),
  status: tag(15, lengthDelimited),
};
/** Field 16 takes two bytes. */
const flagsTag = [0x85, 0x01] as const;
const event = { time: tag(1, fixed64), name: tag(2, lengthDelimited), attributes: tag(3, lengthDelimited) };
const link = { traceId: tag(1, lengthDelimited), spanId: tag(2, lengthDelimited), flags: tag(6, fixed32) };
/** Sampled; and it is known whether the other one is remote. */
const flags = 0x101;
const statusError = [tag(3, 0), 2] as const;

/** Attributes that many spans share, written once. */
export function fixedAttributes(attributes: readonly (readonly [Key, AttributeValue])[]): Uint8Array {
  const buffer = Buffer.alloc(spanBytesMax);
  let at = 0;
  for (const [key, value] of attributes) at = writeAttribute(buffer, at, span.attributes, key, value);
  return buffer.subarray(0, at);
}

/** Writes `field` 2 of a ScopeSpans message; returns where it ends. */
export function writeSpan(buffer: Buffer, from: number, written: Span): number {
  let at = from;
  buffer[at++] = tag(2, lengthDelimited);
  at += 2;
  const body = at;
  at = writeId(buffer, at, span.traceId, written.traceId);
  at = writeId(buffer, at, span.spanId, written.spanId);
  if (written.parentSpanId !== "") at = writeId(buffer, at, span.parentSpanId, written.parentSpanId);
  at = writeText(buffer, at, span.name, written.name);
  buffer[at++] = span.kind;
  buffer[at++] = written.kind;
  at = writeTime(buffer, at, span.start, written.startMs);
  at = writeTime(buffer, at, span.end, written.endMs);
  buffer.set(written.fixed, at);
  at += written.fixed.length;
  for (const [key, value] of written.attributes) at = writeAttribute(buffer, at, span.attributes, key, value);
  for (let i = 0; i < written.events.length && i < eventsMax; i++)
    at = writeEvent(buffer, at, written.events[i]!);
  for (let i = 0; i < written.links.length && i < linksMax; i++)
    at = writeLink(buffer, at, written.links[i]!);
  if (written.hasFailed) {
    buffer[at++] = span.status;
    buffer[at++] = statusError.length;
    buffer[at++] = statusError[0];
    buffer[at++] = statusError[1];
  }
  buffer[at++] = flagsTag[0];
  buffer[at++] = flagsTag[1];
  at = buffer.writeUInt32LE(flags, at);
  writeLength(buffer, body, at);
  return at;
}

function writeEvent(buffer: Buffer, from: number, { name, atMs, attributes }: SpanEvent): number {
  let at = from;
  buffer[at++] = span.events;
  at += 2;
  const body = at;
  at = writeTime(buffer, at, event.time, atMs);
  at = writeText(buffer, at, event.name, name);
  for (const [key, value] of attributes) at = writeAttribute(buffer, at, event.attributes, key, value);
  writeLength(buffer, body, at);
  return at;
}

function writeLink(buffer: Buffer, from: number, { traceId, spanId }: SpanRef): number {
  let at = from;
  buffer[at++] = span.links;
  buffer[at++] = 2 + 16 + 2 + 8 + 5;
  at = writeId(buffer, at, link.traceId, traceId);
  at = writeId(buffer, at, link.spanId, spanId);
  buffer[at++] = link.flags;
  return buffer.writeUInt32LE(flags, at);
}

/** In the two bytes in front of `body`. Protobuf allows a length to be written longer than it has to be. */
function writeLength(buffer: Buffer, body: number, end: number): void {
  const length = end - body;
  buffer[body - 2] = (length & 0x7f) | 0x80;
  buffer[body - 1] = length >> 7;
}

/**
 * An ExportTraceServiceRequest: what was written by `writeSpan`, one after the other, in the scope and the resource given. What
 * these say is small and the same for all.
 */
export function requestBytes(spans: Uint8Array, { resource, scope, schemaUrl }: RequestFrame): Buffer {
  const url = lengthed(3, Buffer.from(schemaUrl));
  const scopeSpans = Buffer.concat([lengthed(1, scope), spans, url]);
  const head = Buffer.concat([lengthed(1, resource), headOf(2, scopeSpans.length)]);
  return Buffer.concat([headOf(1, head.length + scopeSpans.length + url.length), head, scopeSpans, url]);
}

export interface RequestFrame {
  /** Of `resourceBytes` and `scopeBytes`. */
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
  readonly schemaUrl: string;
}

export function resourceBytes(attributes: Readonly<Record<string, AttributeValue>>): Uint8Array {
  const buffer = Buffer.alloc(262_144);
  let at = 0;
  for (const [name, value] of Object.entries(attributes).slice(0, 64)) {
    if (name.length > 0 && name.length < 128 && Buffer.byteLength(name) === name.length)
      at = writeAttribute(buffer, at, tag(1, lengthDelimited), keyOf(name), value);
  }
  return buffer.subarray(0, at);
}

export function scopeBytes(name: string, version: string): Uint8Array {
  return Buffer.concat([lengthed(1, Buffer.from(name)), lengthed(2, Buffer.from(version))]);
}
