/**
 * Reads a ledger from the registered topic: all of it, or on from where it stands.
 *
 * 1. What is read on is believed only if the log still holds, at the offset where the ledger's last entry stood, that very entry.
 *    Otherwise (compaction took the entry, or the log is not the one we knew) the whole ledger is read.
 * 2. INV-KNOWN-LOG: a ledger never shrinks. One that ends before it did, or that lacks what was read or written before, is a fault: to
 *    continue without that memory would make second objects.
 * 3. A ledger with records that belong into another partition only is a fault too (domain/ledger-home.ts).
 */
import { createHomes, createPlacement } from "../../domain/ledger-home.ts";
import { readLedgerEntry } from "../../domain/registered.ts";
import type { EventLog, LogRecord } from "../../ports.ts";
import { isProblem, type Problem } from "../../problem.ts";
import { ledgerLost, ledgerMisplaced } from "../fault.ts";
import type { Persist } from "../persist.ts";
import { absorb, createLedger, isRegistered, type Ledger, lacks, merge } from "./ledger.ts";
import { endsEarly } from "./lost-since.ts";

export interface LedgerScan {
  /** The whole ledger as of now; null when the signal aborted first. */
  readAll(partition: number, topicId: string | null, signal: AbortSignal): Promise<Ledger | Problem | null>;
  /** Reads on to the end; null when the signal aborted first. */
  catchUp(partition: number, ledger: Ledger, signal: AbortSignal): Promise<Ledger | Problem | null>;
}

interface Reading {
  readonly partition: number;
  readonly ledger: Ledger;
  readonly from: number;
  /** What must stand there first; null: anything. */
  readonly expected: Ledger["last"];
}

export function createLedgerScan(log: EventLog, persist: Persist): LedgerScan {
  const homes = createHomes(log.partitionCount);
  return { readAll, catchUp };

  function readAll(partition: number, topicId: string | null, signal: AbortSignal) {
    return readOn({ partition, ledger: createLedger(topicId), from: 0, expected: null }, signal);
  }

  async function catchUp(
    partition: number,
    ledger: Ledger,
    signal: AbortSignal,
  ): Promise<Ledger | Problem | null> {
    // Its last entry once more: what shows that the log is the one that was read.
    const { last, nextOffset } = ledger;
    const read = await readOn(
      { partition, ledger, from: last?.offset ?? nextOffset, expected: last },
      signal,
    );
    if (read !== null) return read;
    if (signal.aborted) return null;
    const whole = await readAll(partition, ledger.topicId, signal); // 1
    if (whole === null || isProblem(whole)) return whole;
    const missing = lacks(whole, ledger);
    if (missing !== null) {
      // Perhaps it was stored while the rest was read.
      const again = await readOn(
        { partition, ledger: whole, from: whole.nextOffset, expected: null },
        signal,
      );
      if (again === null || isProblem(again)) return again;
      if (!isRegistered(whole, missing))
        return ledgerLost(partition, `it lacks ${missing}, which stood in it before`); // INV-KNOWN-LOG
    }
    merge(ledger, whole);
    return ledger;
  }

  /** Null: aborted, or the first record was not the one that was expected. */
  async function readOn(reading: Reading, signal: AbortSignal): Promise<Ledger | Problem | null> {
    const { partition, ledger, from, expected } = reading;
    let next = from;
    let isFirst = expected !== null;
    // Of what is read now: what was read before was found to belong here, or was a fault.
    const placement = createPlacement(partition, log.partitionCount, homes);
    const other = new AbortController();
    const stop = AbortSignal.any([signal, other.signal]);
    return persist<Ledger | Problem>(stop, "read ledger", async () => {
      const onRecords = (records: readonly LogRecord[]) => {
        if (isFirst && !isEntry(records[0], expected)) return other.abort();
        isFirst = false;
        absorb(ledger, records, placement);
        next = ledger.nextOffset;
      };
      const result = await log.scan("registered", partition, next, onRecords, stop);
      if (!result.ok && result.logEnd !== undefined && !stop.aborted)
        return { ok: true, value: endsEarly(partition, next, result.logEnd) }; // INV-KNOWN-LOG
      if (!result.ok) return result;
      if (isFirst) other.abort();
      ledger.nextOffset = Math.max(ledger.nextOffset, result.nextOffset); // INV-LEDGER-READ
      const { misplaced, first } = placement;
      if (first === null) return { ok: true, value: ledger };
      const { partitionCount } = log;
      return { ok: true, value: ledgerMisplaced(partition, { misplaced, first, partitionCount }) }; // 3
    });
  }
}

function isEntry(record: LogRecord | undefined, expected: Ledger["last"]): boolean {
  if (record === undefined || expected === null || record.offset !== expected.offset) return false;
  return readLedgerEntry(record)?.idempotencyKey === expected.idempotencyKey;
}
