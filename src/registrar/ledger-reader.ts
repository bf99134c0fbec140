/**
 * Reads ledgers from the log, from a snapshot on where there is one.
 *
 * 1. A snapshot is believed only if the log still holds, at the offset where the snapshot's last entry stood, that very
 *    entry. Otherwise the topic is another one (or compaction took the entry): the whole ledger is read.
 * 2. A snapshot says only what was read from the log; nothing depends on one being there.
 */
import { readLedgerEntry } from "../domain/registered.ts";
import type { EventLog, LogRecord, Observer, SnapshotStore } from "../ports.ts";
import { absorb, createLedger, type Ledger } from "./ledger.ts";
import { decodeSnapshot, encodeSnapshot } from "./ledger-snapshot.ts";
import { isOwned, type OwnedPartition } from "./partition.ts";
import type { Persist } from "./persist.ts";

export interface LedgerReader {
  /** The whole ledger of a partition as of now; null when the signal aborted first. */
  open(partition: number, signal: AbortSignal): Promise<Ledger | null>;
  /** Reads on to the end; false when the signal aborted first. */
  catchUp(partition: number, ledger: Ledger, signal: AbortSignal): Promise<boolean>;
  /** Saves what grew by at least `entriesMin` since it was loaded or saved. */
  save(partitions: readonly OwnedPartition[], entriesMin: number, signal: AbortSignal): Promise<void>;
}

export function createLedgerReader(
  { log, snapshots, observe }: { log: EventLog; snapshots?: SnapshotStore; observe: Observer },
  persist: Persist,
): LedgerReader {
  const savedSizes = new WeakMap<Ledger, number>();
  return { open, catchUp, save };

  async function open(partition: number, signal: AbortSignal): Promise<Ledger | null> {
    const snapshot = await loadSnapshot(partition);
    const isOurs = snapshot !== null && (await isOfThisLog(partition, snapshot, signal)); // 1
    const ledger = isOurs ? snapshot : createLedger();
    savedSizes.set(ledger, ledger.size);
    return (await catchUp(partition, ledger, signal)) ? ledger : null;
  }

  async function loadSnapshot(partition: number): Promise<Ledger | null> {
    const bytes = (await snapshots?.load(partition)) ?? null;
    return bytes === null ? null : decodeSnapshot(bytes);
  }

  async function isOfThisLog(partition: number, { last }: Ledger, signal: AbortSignal): Promise<boolean> {
    if (last === null) return false;
    let first: LogRecord | undefined;
    const seen = new AbortController();
    const stop = AbortSignal.any([signal, seen.signal]);
    const onRecords = (records: readonly LogRecord[]) => {
      first ??= records[0];
      seen.abort();
    };
    await log.scan("registered", partition, last.offset, onRecords, stop);
    if (first === undefined || first.offset !== last.offset) return false;
    return readLedgerEntry(first)?.idempotencyKey === last.idempotencyKey;
  }

  async function catchUp(partition: number, ledger: Ledger, signal: AbortSignal): Promise<boolean> {
    const done = await persist(signal, "read ledger", async () => {
      const from = ledger.nextOffset;
      const result = await log.scan(
        "registered",
        partition,
        from,
        (records) => absorb(ledger, records),
        signal,
      );
      if (!result.ok) return result;
      ledger.nextOffset = Math.max(ledger.nextOffset, result.nextOffset);
      return { ok: true, value: true };
    });
    return done === true;
  }

  async function save(
    partitions: readonly OwnedPartition[],
    entriesMin: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (snapshots === undefined) return;
    for (const { number, ledger } of partitions.filter(isOwned)) {
      if (ledger.size - (savedSizes.get(ledger) ?? 0) < entriesMin) continue;
      if (!(await catchUp(number, ledger, signal))) return; // 2
      const result = await snapshots.save(number, encodeSnapshot(ledger));
      savedSizes.set(ledger, ledger.size);
      if (!result.ok)
        observe({ kind: "log-failed", operation: "save snapshot", reason: result.reason, retryInMs: 0 });
    }
  }
}
