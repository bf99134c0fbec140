/**
 * Values in their stored form. Ids are UUIDs nearly always, and are then kept as their 16 bytes; any other text stays a text, so
 * what comes out is what went in.
 */
import { foldMachineName } from "../domain/identity.ts";
import { murmur2 } from "../domain/murmur2.ts";
import { topics } from "../domain/topics.ts";
import type { Topic } from "../ports.ts";

export type Packed = Uint8Array | string;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const utf8 = new TextEncoder();

export function pack(text: string): Packed {
  return uuid.test(text) ? keyBytes(text) : text;
}

export function unpack(stored: Packed): string {
  return typeof stored === "string" ? stored : keyText(stored);
}

/** Of a UUID in lower case. */
export function keyBytes(key: string): Uint8Array {
  return Buffer.from(key.replaceAll("-", ""), "hex");
}

export function keyText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The same for all spellings of a machine's name; others may share it. */
export function machineHash(name: string): number {
  return nameHash(foldMachineName(name));
}

export function nameHash(name: string): number {
  return murmur2(utf8.encode(name)) >>> 0;
}

export function topicNumber(topic: Topic): number {
  return topics.indexOf(topic);
}

export function topicOf(number: number): Topic {
  return topics[number] ?? "enrolled";
}
