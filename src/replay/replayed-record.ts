/**
 * A dead letter as the input record that it was: key, value and headers as they came, without what the worker added,
 * and with one header that names the dead letter.
 */
import { type DeadLetter, deadLetterHeader } from "../domain/dead-letter.ts";
import { decode } from "../domain/decode.ts";
import { identify } from "../domain/identity.ts";
import { homePartition } from "../domain/murmur2.ts";
import { replayedFromHeader } from "../domain/replayed-from.ts";
import type { Header, LogRecord, NewRecord } from "../ports.ts";

const originHeader = "origin";

export interface Content {
  /** Null: no enrollment can be read. */
  readonly tenantId: string | null;
  readonly idempotencyKey: string | null;
}

/** What the worker would read today, for any tenant. */
export function contentOf(record: LogRecord): Content {
  const decoded = decode(record, () => true);
  if (!decoded.ok) return { tenantId: null, idempotencyKey: null };
  const { tenantId, details } = decoded.enrollment;
  return { tenantId, idempotencyKey: identify(tenantId, details)?.idempotencyKey ?? null };
}

/** To the tenant's home partition; without a tenant, to where it came from. */
export function replayedRecord(
  record: LogRecord,
  letter: DeadLetter,
  { tenantId, partitionCount }: { readonly tenantId: string | null; readonly partitionCount: number },
): NewRecord {
  const came = letter.at.partition < partitionCount ? letter.at.partition : record.partition;
  const partition = tenantId === null ? came : homePartition(tenantId, partitionCount);
  const reason = record.headers.findLastIndex(([name]) => name === deadLetterHeader);
  // With its old origin, a second refusal would pass for the first one.
  const isOurs = ([name, value]: Header, index: number) =>
    index === reason ||
    name === replayedFromHeader ||
    (name === originHeader && value !== null && latin1(value) === letter.id);
  const headers: Header[] = record.headers.filter((header, index) => !isOurs(header, index));
  headers.push([replayedFromHeader, Buffer.from(letter.id, "latin1")]);
  return { topic: "enrolled", partition, key: record.key, value: record.value, headers };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
