/**
 * Reads ledgers from the log, from a snapshot on where there is one.
 *
 * 1. A snapshot is believed only if the log still holds, at the offset where the snapshot's last entry stood, that very
 *    entry. Otherwise (compaction took the entry, or the log is not the one we knew) the whole ledger is read.
 * 2. A snapshot says only what was read from the log; nothing depends on one being there.
 * 3. INV-KNOWN-LOG: a ledger never shrinks. A topic with another id, one that ends before it did, or one that lacks what
 *    was read or written before, is a fault: to go on without that memory would make second objects.
 * 4. So is one that holds what belongs into another partition only (domain/ledger-home.ts). A snapshot was made of one that did
 *    not, but for the number of partitions that there were then: under another one it is not believed.
 */
import { createHomes, createPlacement, type Placement } from "../../domain/ledger-home.ts";
import { readLedgerEntry } from "../../domain/registered.ts";
import type { Observer } from "../../observer.ts";
import type { EventLog, LogRecord, SnapshotStore, TopicSurvey } from "../../ports.ts";
import { isProblem, type Problem } from "../../problem.ts";
import { ledgerLost, ledgerMisplaced } from "../fault.ts";
import type { KnownLog } from "../ownership/commit-metadata.ts";
import { isOwned, type OwnedPartition } from "../ownership/partition.ts";
import type { Persist } from "../persist.ts";
import { absorb, createLedger, isRegistered, type Ledger, lacks, merge } from "./ledger.ts";
import { decodeSnapshot, encodeSnapshot } from "./ledger-snapshot.ts";

export interface LedgerReader {
  /**
   * The whole ledger of a partition as of now; null when the signal aborted first. `topic`: the registered topic as it
   * is; `known`: as the stored commits know it.
   */
  open(
    partition: number,
    topic: TopicSurvey,
    known: readonly (KnownLog | null)[],
    signal: AbortSignal,
  ): Promise<Ledger | Problem | null>;
  /** Reads on to the end; null when the signal aborted first. */
  catchUp(partition: number, ledger: Ledger, signal: AbortSignal): Promise<Ledger | Problem | null>;
  /** Saves what grew by at least `entriesMin` since it was loaded or saved. Resolves to a fault that it met. */
  save(
    partitions: readonly OwnedPartition[],
    entriesMin: number,
    signal: AbortSignal,
  ): Promise<Problem | null>;
}

export function createLedgerReader(
  { log, snapshots, observe }: { log: EventLog; snapshots?: SnapshotStore; observe: Observer },
  persist: Persist,
): LedgerReader {
  const savedSizes = new WeakMap<Ledger, number>();
  const placements = new WeakMap<Ledger, Placement>();
  const homes = createHomes(log.partitionCount);
  return { open, catchUp, save };

  async function open(
    partition: number,
    topic: TopicSurvey,
    known: readonly (KnownLog | null)[],
    signal: AbortSignal,
  ): Promise<Ledger | Problem | null> {
    const ledger = await openAny(partition, topic, known, signal);
    if (ledger === null || isProblem(ledger)) return ledger;
    const least = Math.max(0, ...known.map((one) => one?.ledgerSize ?? 0));
    if (ledger.size >= least) return ledger;
    return ledgerLost(partition, `it holds ${ledger.size} enrollments, and held ${least} before`); // INV-KNOWN-LOG
  }

  async function openAny(
    partition: number,
    topic: TopicSurvey,
    known: readonly (KnownLog | null)[],
    signal: AbortSignal,
  ): Promise<Ledger | Problem | null> {
    for (const one of known) {
      const lost = one === null ? null : lostSince(partition, topic, one.ledgerId, one.ledgerEnd); // INV-KNOWN-LOG
      if (lost !== null) return lost;
    }
    const snapshot = await loadSnapshot(partition);
    if (snapshot === null) return readAll(partition, topic.id, signal);
    const lost = lostSince(partition, topic, snapshot.topicId, snapshot.nextOffset); // INV-KNOWN-LOG
    if (lost !== null) return lost;
    snapshot.topicId = topic.id;
    savedSizes.set(snapshot, snapshot.size);
    return catchUp(partition, snapshot, signal);
  }

  async function loadSnapshot(partition: number): Promise<Ledger | null> {
    const bytes = (await snapshots?.load(partition)) ?? null;
    return bytes === null ? null : decodeSnapshot(bytes, log.partitionCount);
  }

  async function readAll(
    partition: number,
    topicId: string | null,
    signal: AbortSignal,
  ): Promise<Ledger | Problem | null> {
    const ledger = createLedger(topicId);
    savedSizes.set(ledger, 0);
    return readOn(partition, ledger, 0, signal);
  }

  async function catchUp(
    partition: number,
    ledger: Ledger,
    signal: AbortSignal,
  ): Promise<Ledger | Problem | null> {
    // Its last entry once more: what shows that the log is the one that was read.
    const { last } = ledger;
    const read = await readOn(partition, ledger, last?.offset ?? ledger.nextOffset, signal, last);
    if (read !== null) return read;
    if (signal.aborted) return null;
    const whole = await readAll(partition, ledger.topicId, signal); // 1
    if (whole === null || isProblem(whole)) return whole;
    const missing = lacks(whole, ledger);
    if (missing !== null) {
      // Perhaps it was stored while the rest was read.
      const again = await readOn(partition, whole, whole.nextOffset, signal);
      if (again === null || isProblem(again)) return again;
      if (!isRegistered(whole, missing))
        return ledgerLost(partition, `it lacks ${missing}, which stood in it before`); // INV-KNOWN-LOG
    }
    merge(ledger, whole);
    placements.set(ledger, placementOf(partition, whole));
    return ledger;
  }

  /** Null: aborted, or the first record was not `expected`. */
  async function readOn(
    partition: number,
    ledger: Ledger,
    from: number,
    signal: AbortSignal,
    expected: Ledger["last"] = null,
  ): Promise<Ledger | Problem | null> {
    let next = from;
    let isFirst = expected !== null;
    const placement = placementOf(partition, ledger);
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
      const isPlaced = first === null || isFirst;
      return {
        ok: true,
        value: isPlaced ? ledger : ledgerMisplaced(partition, misplaced, first, log.partitionCount),
      }; // 4
    });
  }

  function placementOf(partition: number, ledger: Ledger): Placement {
    const known = placements.get(ledger) ?? createPlacement(partition, log.partitionCount, homes);
    placements.set(ledger, known);
    return known;
  }

  async function save(
    partitions: readonly OwnedPartition[],
    entriesMin: number,
    signal: AbortSignal,
  ): Promise<Problem | null> {
    if (snapshots === undefined) return null;
    for (const { number, ledger } of partitions.filter(isOwned)) {
      if (ledger.size - (savedSizes.get(ledger) ?? 0) < entriesMin) continue;
      const caughtUp = await catchUp(number, ledger, signal); // 2
      if (caughtUp === null) return null;
      if (isProblem(caughtUp)) return caughtUp;
      const result = await snapshots.save(number, encodeSnapshot(ledger, log.partitionCount));
      savedSizes.set(ledger, ledger.size);
      if (!result.ok)
        observe({ kind: "log-failed", operation: "save snapshot", reason: result.reason, retryInMs: 0 });
    }
    return null;
  }
}

function isEntry(record: LogRecord | undefined, expected: Ledger["last"]): boolean {
  if (record === undefined || expected === null || record.offset !== expected.offset) return false;
  return readLedgerEntry(record)?.idempotencyKey === expected.idempotencyKey;
}

/** Null: the topic is the one that was known, as far as ids and ends show. */
export function lostSince(
  partition: number,
  { id, bounds }: TopicSurvey,
  knownId: string | null,
  knownEnd: number,
): Problem | null {
  if (id !== null && knownId !== null && id !== knownId)
    return ledgerLost(partition, "it was deleted and created again");
  const end = bounds[partition]?.end ?? 0;
  return end < knownEnd ? endsEarly(partition, knownEnd, end) : null;
}

function endsEarly(partition: number, knownEnd: number, end: number): Problem {
  return ledgerLost(partition, `it ends at ${end}, and was read to ${knownEnd} before`);
}
