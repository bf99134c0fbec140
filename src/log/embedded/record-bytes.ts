/** How headers and checksums are stored. Pure. */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { Header, Topic } from "../../ports.ts";
import { DamageError } from "./errors.ts";

export const topics: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];

const nullLength = 0xffff_ffff;

/** For each header: name length, name in UTF-8, value length (all ones: null), value. Lengths are 4 bytes, big endian. */
export function encodeHeaders(headers: readonly Header[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, value] of headers) {
    const nameBytes = Buffer.from(name, "utf8");
    parts.push(lengthBytes(nameBytes.length), nameBytes, lengthBytes(value?.length ?? nullLength));
    if (value !== null) parts.push(value);
  }
  return Buffer.concat(parts);
}

function lengthBytes(length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** Throws DamageError for bytes that `encodeHeaders` never writes. */
export function decodeHeaders(stored: Uint8Array): Header[] {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const headers: Header[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new DamageError("headers end early");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const name = take(take(4).readUInt32BE()).toString("utf8");
    const length = take(4).readUInt32BE();
    headers.push([name, length === nullLength ? null : take(length)]);
  }
  return headers;
}

const frame = Buffer.alloc(7 * 8);

interface Content {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Uint8Array;
}

interface Place {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
}

/** CRC-32 of a record and of the place where it belongs, so that a record that strayed is found too. */
export function recordChecksum(
  { topic, partition, offset, timestampMs }: Place,
  { key, value, headers }: Content,
): number {
  const numbers = [
    topics.indexOf(topic),
    partition,
    offset,
    timestampMs,
    key?.length ?? -1,
    value?.length ?? -1,
    headers.length,
  ];
  for (let i = 0; i < numbers.length; i += 1) frame.writeDoubleBE(numbers[i]!, i * 8);
  let sum = crc32(frame);
  if (key !== null) sum = crc32(key, sum);
  if (value !== null) sum = crc32(value, sum);
  return crc32(headers, sum);
}

export function commitChecksum(
  {
    topic,
    partition,
    offset,
  }: { readonly topic: Topic; readonly partition: number; readonly offset: number },
  metadata: Uint8Array,
): number {
  return recordChecksum(
    { topic, partition, offset, timestampMs: 0 },
    { key: null, value: metadata, headers: new Uint8Array(0) },
  );
}
