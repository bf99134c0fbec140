/**
 * The partition that Kafka's Java client gives a tenant by default: murmur2 of its id, made positive, modulo the
 * count. Written a second time, apart from the registrar's own, so that an error in one of the two shows.
 */
import { utf8 } from "./encode.ts";

export function homeOf(tenantId: string, partitionCount: number): number {
  return (murmur2(utf8(tenantId)) & 0x7fffffff) % partitionCount;
}

export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995;
  const mix = (word: number): number => {
    const product = Math.imul(word, multiplier);
    return Math.imul(product ^ (product >>> 24), multiplier);
  };
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.length & ~3;
  let state = 0x9747b28c ^ bytes.length;
  for (let at = 0; at < tail; at += 4) state = Math.imul(state, multiplier) ^ mix(words.getUint32(at, true));
  let rest = 0;
  for (let at = bytes.length - 1; at >= tail; at--) rest = (rest << 8) | bytes[at]!;
  if (tail < bytes.length) state = Math.imul(state ^ rest, multiplier);
  state = Math.imul(state ^ (state >>> 13), multiplier);
  return (state ^ (state >>> 15)) | 0;
}
