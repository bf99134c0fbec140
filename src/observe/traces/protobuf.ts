/**
 * The parts of protobuf that OTLP's spans are made of, written into a buffer: each function returns where it ended. Fields stand
 * as their tags.
 */
import { type AttributeValue, type Key, valueMax } from "./span.ts";

export const lengthDelimited = 2;
export const fixed64 = 1;
export const fixed32 = 5;
export const tag = (field: number, type: number) => (field << 3) | type;
const anyString = tag(1, lengthDelimited);
const anyInteger = tag(3, 0);

/** Of an attribute that is written often. */
export function keyOf(name: string): Key {
  return { name, bytes: Buffer.from([tag(1, lengthDelimited), name.length, ...Buffer.from(name)]) };
}

// biome-ignore lint/complexity/useMaxParams: called for each field of each span; an object a call would be most of its cost.
export function writeId(buffer: Buffer, from: number, field: number, hex: string): number {
  buffer[from] = field;
  buffer[from + 1] = hex.length >> 1;
  return from + 2 + buffer.write(hex, from + 2, "hex");
}

/** Nanoseconds since 1970, exact to the microsecond: they are more than a number holds. */
// biome-ignore lint/complexity/useMaxParams: called for each field of each span; an object a call would be most of its cost.
export function writeTime(buffer: Buffer, from: number, field: number, ms: number): number {
  const us = Math.round(ms * 1000);
  const high = Math.floor(us / 4_294_967_296);
  const low = (us - high * 4_294_967_296) * 1000;
  buffer[from] = field;
  buffer.writeUInt32LE(low % 4_294_967_296, from + 1);
  return buffer.writeUInt32LE(high * 1000 + Math.floor(low / 4_294_967_296), from + 5);
}

// biome-ignore lint/complexity/useMaxParams: called for each field of each span; an object a call would be most of its cost.
export function writeAttribute(
  buffer: Buffer,
  from: number,
  field: number,
  key: Key,
  value: AttributeValue,
): number {
  buffer[from] = field;
  return typeof value === "string"
    ? writeString(buffer, from + 1, key, value)
    : writeInteger(buffer, from + 1, key, value);
}

// biome-ignore lint/complexity/useMaxParams: called for each field of each span; an object a call would be most of its cost.
function writeString(buffer: Buffer, from: number, { bytes }: Key, value: string): number {
  const text = value.length > valueMax ? value.slice(0, valueMax) : value;
  const length = Buffer.byteLength(text);
  const valueBytes = 1 + sizeOf(length) + length;
  let at = writeVarint(buffer, from, bytes.length + 1 + sizeOf(valueBytes) + valueBytes);
  buffer.set(bytes, at);
  at += bytes.length;
  buffer[at++] = tag(2, lengthDelimited);
  at = writeVarint(buffer, at, valueBytes);
  return writeText(buffer, at, anyString, text, length);
}

// biome-ignore lint/complexity/useMaxParams: called for each field of each span; an object a call would be most of its cost.
function writeInteger(buffer: Buffer, from: number, { bytes }: Key, value: number): number {
  const valueBytes = 1 + sizeOf(value);
  let at = writeVarint(buffer, from, bytes.length + 2 + valueBytes);
  buffer.set(bytes, at);
  at += bytes.length;
  buffer[at++] = tag(2, lengthDelimited);
  buffer[at++] = valueBytes;
  buffer[at++] = anyInteger;
  return writeVarint(buffer, at, value);
}

// biome-ignore lint/complexity/useMaxParams: called for each field of each span; an object a call would be most of its cost.
export function writeText(
  buffer: Buffer,
  from: number,
  field: number,
  text: string,
  length = Buffer.byteLength(text),
): number {
  buffer[from] = field;
  const at = writeVarint(buffer, from + 1, length);
  return at + (length === text.length ? buffer.write(text, at, "latin1") : buffer.write(text, at, "utf8"));
}

/** Of a whole number that is not negative and safe. */
function writeVarint(buffer: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at++] = rest;
  return at;
}

function sizeOf(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

export function lengthed(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([headOf(field, bytes.length), bytes]);
}

export function headOf(field: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head[0] = tag(field, lengthDelimited);
  return head.subarray(0, writeVarint(head, 1, length));
}
