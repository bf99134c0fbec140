/**
 * Carries over what no worker has settled, when workers can't start to settle it: to the retry topic, each record to its tenant's
 * new home, in doubt where it may have been posted. Then the group's positions pass over the old places.
 *
 * 1. Positions move only after the copies are durable. Cut off in between, it copies once more: the second copy of an enrollment
 *    is ignored by the worker as a duplicate.
 * 2. Records that were certainly not attempted stay where they are in connector.enrolled: workers move them home.
 */
import { decode } from "../domain/decode.ts";
import { createHomes } from "../domain/ledger-home.ts";
import { movedRecord } from "../domain/origin.ts";
import type { Commit, EventLog, LogRecord, NewRecord } from "../ports.ts";
import { isInDoubt, parkedRecord } from "../registrar/intake/in-doubt.ts";
import { encodeMetadata } from "../registrar/ownership/commit-metadata.ts";
import type { Unsettled } from "./plan.ts";

export interface CarryParts {
  readonly log: Pick<EventLog, "scan" | "append">;
  readonly signal: AbortSignal;
  readonly commit: (
    commits: readonly Commit[],
  ) => Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
}

export type CarryResult =
  | { readonly ok: true; readonly carried: number }
  | { readonly ok: false; readonly reason: string };

const appendRecordsMax = 1_000;
/** Of the record before the new position. */
const unknownEpoch = -1;
const utf8 = new TextEncoder();

export async function carryOver(
  parts: CarryParts,
  all: readonly Unsettled[],
  partitionCount: number,
): Promise<CarryResult> {
  const homes = createHomes(partitionCount);
  let carried = 0;
  for (const unsettled of all) {
    const read = await readUnsettled(parts, unsettled);
    if (!read.ok) return read;
    const copies = read.records.map((record) => copyOf(record, unsettled, homes));
    for (let at = 0; at < copies.length; at += appendRecordsMax) {
      const appended = await parts.log.append(copies.slice(at, at + appendRecordsMax));
      if (!appended.ok) return appended;
    }
    const offset = throughOf(unsettled);
    const { topic, partition, former } = unsettled;
    const known = former?.known ? { ...former.known, leaderEpoch: unknownEpoch } : null;
    const limits = former?.limits ?? null;
    const metadata = encodeMetadata({ attemptedThrough: offset, claim: "repartition", limits, known });
    const committed = await parts.commit([{ topic, partition, offset, metadata }]); // 1
    if (!committed.ok) return committed;
    carried += copies.length;
  }
  return { ok: true, carried };
}

/** What is at or after it stays. */
function throughOf({ topic, attempted, end }: Unsettled): number {
  return topic === "retry" ? end : attempted; // 2
}

async function readUnsettled(
  { log, signal }: CarryParts,
  unsettled: Unsettled,
): Promise<
  | { readonly ok: true; readonly records: readonly LogRecord[] }
  | { readonly ok: false; readonly reason: string }
> {
  const records: LogRecord[] = [];
  const through = throughOf(unsettled);
  const seenAll = new AbortController();
  const onRecords = (batch: readonly LogRecord[]) => {
    records.push(...batch.filter(({ offset }) => offset < through));
    if (batch.at(-1)!.offset + 1 >= through) seenAll.abort();
  };
  const stop = AbortSignal.any([signal, seenAll.signal]);
  const result = await log.scan(unsettled.topic, unsettled.partition, unsettled.settled, onRecords, stop);
  if (!result.ok && !(seenAll.signal.aborted && !signal.aborted)) return result;
  return { ok: true, records };
}

function copyOf(record: LogRecord, unsettled: Unsettled, homes: (tenantId: string) => number): NewRecord {
  const decoded = decode(record, () => true);
  if (!decoded.ok) {
    // Never attempted: the worker will refuse it, wherever it stands.
    const key = record.key ?? new Uint8Array();
    return {
      ...movedRecord(record, { topic: record.topic, partition: record.partition, key }),
      key: record.key,
    };
  }
  const { tenantId } = decoded.enrollment;
  const moved = movedRecord(record, {
    topic: "retry",
    partition: homes(tenantId),
    key: utf8.encode(tenantId),
  });
  const inDoubt = record.offset < unsettled.attempted || isInDoubt(record);
  return parkedRecord(moved, inDoubt);
}
