/**
 * Brings every registered record to its home partition, by copying: what stood elsewhere stays there, and a marker says that it
 * stands in its home too (docs/adr/0005). Repeated until a whole reading finds nothing left to do, so it may be cut off anywhere.
 *
 * 1. A key that its home partition holds is not copied again: the first Graph id that came there stays.
 * 2. A marker is written only after a reading of the log, later than the last copy, has found each key in its home.
 * 3. At most one chunk is held in memory, and for each enrollment what the ledger takes.
 */
import { createHomes, createPlacement, type Placement, place } from "../domain/ledger-home.ts";
import { type LedgerEntry, movedEntry, movedMarker, readLedgerEntry } from "../domain/registered.ts";
import type { EventLog, LogRecord, NewRecord } from "../ports.ts";
import { createLedger, graphIdOf, type Ledger, remember } from "../registrar/ledger/ledger.ts";

export interface MoveProgress {
  readonly phase: "reading" | "copying" | "marking";
  readonly partition: number;
  readonly records: number;
}

/** An enrollment that was registered twice, under two Graph ids: `kept` counts from now on. */
export interface TwoIds {
  readonly idempotencyKey: string;
  readonly tenantId: string;
  readonly kept: string;
  readonly other: string;
}

export interface Moved {
  readonly ok: true;
  /** Enrollments in the ledger. */
  readonly enrollments: number;
  readonly copied: number;
  readonly twoIds: readonly TwoIds[];
}

export type MoveResult = Moved | { readonly ok: false; readonly reason: string };

export interface MoveParts {
  readonly log: Pick<EventLog, "scan" | "append">;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MoveProgress) => void;
  /** Before anything is written: a reason not to. */
  readonly mayWrite: () => Promise<string | null>;
}

const chunkRecords = 2_000;
/** Reading and copying, verifying, marking, verifying: four; more where the topic is still written to. */
const roundsMax = 8;

export async function moveLedger(parts: MoveParts, partitionCount: number): Promise<MoveResult> {
  let copied = 0;
  for (let round = 0; round < roundsMax; round++) {
    const found = await surveyLedger(parts, partitionCount, partitionCount);
    if (!found.ok) return found;
    const refusal = await parts.mayWrite();
    if (refusal !== null) return { ok: false, reason: refusal };
    const pass = await copyAstray(parts, partitionCount, found);
    if (!pass.ok) return pass;
    copied += pass.copied;
    if (pass.copied > 0) continue;
    const unmarked = found.placements.filter(({ misplaced }) => misplaced > 0);
    if (unmarked.length === 0) {
      return { ok: true, enrollments: sizeOf(found.ledgers), copied, twoIds: pass.twoIds };
    }
    const marked = await mark(parts, partitionCount, { unmarked, lastAstray: pass.lastAstray }); // 2
    if (!marked.ok) return marked;
  }
  return { ok: false, reason: "something keeps writing to connector.registered" };
}

export interface LedgerSurvey {
  readonly ok: true;
  /** By partition: what stands in its home. */
  readonly ledgers: readonly Ledger[];
  readonly placements: readonly Placement[];
  /** By partition: records that belong elsewhere, covered by a marker or not. */
  readonly astray: readonly number[];
}

type Failed = { readonly ok: false; readonly reason: string };

/** @param held partitions that there are now. */
export async function surveyLedger(
  parts: Pick<MoveParts, "log" | "signal" | "onProgress">,
  partitionCount: number,
  held: number,
): Promise<LedgerSurvey | Failed> {
  const homes = createHomes(partitionCount);
  const ledgers: Ledger[] = [];
  const placements: Placement[] = [];
  const astray: number[] = [];
  for (let partition = 0; partition < held; partition++) {
    const ledger = createLedger();
    const placement = createPlacement(partition, partitionCount, homes);
    let [records, elsewhere] = [0, 0];
    const onRecords = (batch: readonly LogRecord[]) => {
      for (const record of batch) {
        const entry = readLedgerEntry(record);
        if (entry === null) continue;
        if (place(placement, entry, record.offset)) remember(ledger, entry.idempotencyKey, entry.graphId);
        else elsewhere++;
      }
      records += batch.length;
      parts.onProgress({ phase: "reading", partition, records });
    };
    const result = await parts.log.scan("registered", partition, 0, onRecords, parts.signal);
    if (!result.ok) return result;
    ledgers.push(ledger);
    placements.push(placement);
    astray.push(elsewhere);
  }
  return { ok: true, ledgers, placements, astray };
}

interface Pass {
  readonly ok: true;
  readonly copied: number;
  readonly twoIds: readonly TwoIds[];
  /** By partition. */
  readonly lastAstray: ReadonlyMap<number, LogRecord>;
}

/** Appends to its home what its home does not hold. */
async function copyAstray(
  parts: MoveParts,
  partitionCount: number,
  { ledgers, astray }: LedgerSurvey,
): Promise<Pass | Failed> {
  const homes = createHomes(partitionCount);
  const twoIds = new Map<string, TwoIds>();
  const lastAstray = new Map<number, LogRecord>();
  let copied = 0;
  for (const [partition, count] of astray.entries()) {
    if (count === 0) continue;
    for (let from = 0; ; ) {
      const chunk = await readChunk(parts, partition, from);
      if (!chunk.ok) return chunk;
      const copies: NewRecord[] = [];
      for (const [record, entry] of chunk.entries) {
        const home = entry.tenantId === null ? partition : homes(entry.tenantId);
        if (home === partition) continue;
        lastAstray.set(partition, record);
        const ledger = ledgers[home]!;
        const kept = graphIdOf(ledger, entry.idempotencyKey);
        if (kept === null) {
          copies.push(movedEntry(record, home));
          remember(ledger, entry.idempotencyKey, entry.graphId); // 1
        } else if (kept !== entry.graphId) {
          const { idempotencyKey, graphId: other } = entry;
          twoIds.set(`${idempotencyKey} ${other}`, {
            idempotencyKey,
            tenantId: entry.tenantId!,
            kept,
            other,
          });
        }
      }
      if (copies.length > 0) {
        const appended = await parts.log.append(copies);
        if (!appended.ok) return appended;
        copied += copies.length;
        parts.onProgress({ phase: "copying", partition, records: copied });
      }
      if (chunk.nextOffset === null) break;
      from = chunk.nextOffset;
    }
  }
  return { ok: true, copied, twoIds: [...twoIds.values()], lastAstray };
}

interface Chunk {
  readonly ok: true;
  readonly entries: readonly (readonly [LogRecord, LedgerEntry])[];
  /** Null: that was the last one. */
  readonly nextOffset: number | null;
}

/** A scan does not wait for its reader: it is cut off when there is enough, and the next one continues from there. */
async function readChunk(parts: MoveParts, partition: number, from: number): Promise<Chunk | Failed> {
  const enough = new AbortController();
  const entries: (readonly [LogRecord, LedgerEntry])[] = [];
  let nextOffset = from;
  const onRecords = (batch: readonly LogRecord[]) => {
    if (enough.signal.aborted) return;
    for (const record of batch) {
      const entry = readLedgerEntry(record);
      if (entry !== null) entries.push([record, entry]);
      nextOffset = record.offset + 1;
    }
    if (entries.length >= chunkRecords) enough.abort();
  };
  const signal = AbortSignal.any([parts.signal, enough.signal]);
  const result = await parts.log.scan("registered", partition, from, onRecords, signal);
  if (enough.signal.aborted && !parts.signal.aborted) return { ok: true, entries, nextOffset }; // 3
  return result.ok ? { ok: true, entries, nextOffset: null } : result;
}

async function mark(
  parts: MoveParts,
  partitionCount: number,
  {
    unmarked,
    lastAstray,
  }: { readonly unmarked: readonly Placement[]; readonly lastAstray: ReadonlyMap<number, LogRecord> },
): Promise<{ readonly ok: true } | Failed> {
  const markers = unmarked.flatMap(({ partition }) => {
    const record = lastAstray.get(partition);
    return record === undefined ? [] : [movedMarker(record, partitionCount)];
  });
  parts.onProgress({ phase: "marking", partition: 0, records: markers.length });
  return markers.length === 0 ? { ok: true } : parts.log.append(markers);
}

export function sizeOf(ledgers: readonly Ledger[]): number {
  return ledgers.reduce((sum, { size }) => sum + size, 0);
}
