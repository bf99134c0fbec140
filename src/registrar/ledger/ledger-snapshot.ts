/**
 * A ledger as bytes, and back. Whether the bytes are whole is the store's business; whether they belong to the log at
 * hand is decided by ledger-reader.ts. Pure.
 *
 * Layout, little-endian: version (u32), length of the JSON part (u32), the JSON part, padding to four bytes, the cells.
 */
import { isRegistered, type Ledger } from "./ledger.ts";

const version = 1;
const headBytes = 8;
/** Of one cell of the hash table; their number is a power of two. */
const cellBytes = 32;

interface Described {
  /** Not written by 0.1.0. */
  readonly topicId?: string | null;
  /** Of the topics when it was made. Not written by 0.1.0. */
  readonly partitions?: number;
  readonly size: number;
  readonly nextOffset: number;
  readonly last: Ledger["last"];
  readonly otherIds: readonly (readonly [string, string])[];
}

export function encodeSnapshot(ledger: Ledger, partitions: number): Uint8Array {
  const { topicId, cells, size, nextOffset, last, otherIds } = ledger;
  const described: Described = { topicId, partitions, size, nextOffset, last, otherIds: [...otherIds] };
  const json = new TextEncoder().encode(JSON.stringify(described));
  const cellsAt = align(headBytes + json.length);
  const bytes = new Uint8Array(cellsAt + cells.byteLength);
  const head = new DataView(bytes.buffer);
  head.setUint32(0, version, true);
  head.setUint32(4, json.length, true);
  bytes.set(json, headBytes);
  bytes.set(new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength), cellsAt);
  return bytes;
}

/** Null: another version, no ledger, or made when there was another number of partitions. */
export function decodeSnapshot(bytes: Uint8Array, partitionCount: number): Ledger | null {
  if (bytes.length < headBytes) return null;
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const jsonLength = head.getUint32(4, true);
  const cellsAt = align(headBytes + jsonLength);
  if (head.getUint32(0, true) !== version) return null;
  const cellCount = (bytes.length - cellsAt) / cellBytes;
  if (cellCount < 1 || !Number.isInteger(Math.log2(cellCount))) return null;
  const json = new TextDecoder().decode(bytes.subarray(headBytes, headBytes + jsonLength));
  const { topicId = null, partitions, size, nextOffset, last, otherIds } = JSON.parse(json) as Described;
  if (partitions !== partitionCount) return null;
  // A copy of its own, aligned: a Buffer's slice would be a view into who knows what.
  const cells = new Uint32Array(new Uint8Array(bytes.subarray(cellsAt)).buffer);
  const ledger: Ledger = { topicId, cells, size, nextOffset, last, otherIds: new Map(otherIds) };
  return last === null || isRegistered(ledger, last.idempotencyKey) ? ledger : null;
}

function align(at: number): number {
  return (at + 3) & ~3;
}
