/** What `replay` leaves on a record that it puts back into the input: a header that names the dead letter that it was. */
import type { LogRecord } from "../ports.ts";

export const replayedFromHeader = "replayed-from";

/** The id of the dead letter that this record was replayed from; null if it wasn't. */
export function replayedFrom(record: Pick<LogRecord, "headers">): string | null {
  const value = record.headers.findLast(([name]) => name === replayedFromHeader)?.[1];
  return value === undefined || value === null ? null : latin1(value);
}

/** A record that can't be decoded often has its tenant as the key. Lower case. */
export function tenantOfKey({ key }: Pick<LogRecord, "key">): string | null {
  const text = key === null || key.length !== 36 ? "" : latin1(key).toLowerCase();
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : null;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
