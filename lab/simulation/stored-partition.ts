/**
 * One partition as the broker stores it. Leader epochs: each election begins one, each record carries that of its
 * storing, and a reader that knows an epoch and an offset can tell whether the log is still the one that it read.
 */
import type { Bounds, LogRecord, NewRecord } from "../../src/ports.ts";

export interface StoredPartition {
  records: LogRecord[];
  start: number;
  end: number;
  epoch: number;
  /** Rising: from which offset on each epoch's records stand. */
  epochs: { readonly epoch: number; readonly start: number }[];
  /** No leader before this moment. */
  downUntilMs: number;
}

export function createStoredPartition(firstOffset: number, epoch: number): StoredPartition {
  return {
    records: [],
    start: firstOffset,
    end: firstOffset,
    epoch,
    epochs: [{ epoch, start: firstOffset }],
    downUntilMs: 0,
  };
}

export function append(
  partition: StoredPartition,
  record: NewRecord,
  skipped: number,
  timestampMs: number,
): LogRecord {
  const offset = partition.end + skipped;
  const stored: LogRecord = { ...record, offset, timestampMs, leaderEpoch: partition.epoch };
  partition.records.push(stored);
  partition.end = offset + 1;
  return stored;
}

export function boundsOf({ start, end }: StoredPartition): Bounds {
  return { start, end };
}

export function recordsFrom({ records }: StoredPartition, fromOffset: number, max: number): LogRecord[] {
  const last = records.at(-1);
  if (last === undefined || last.offset < fromOffset) return [];
  const first = records.findIndex((record) => record.offset >= fromOffset);
  return records.slice(first, first + max);
}

export function elect(partition: StoredPartition, downUntilMs: number): void {
  partition.epoch++;
  partition.epochs.push({ epoch: partition.epoch, start: partition.end });
  partition.downUntilMs = downUntilMs;
}

/** A replica that lacks all from `end` on becomes the leader. */
export function cutEnd(partition: StoredPartition, end: number): void {
  partition.records = partition.records.filter((record) => record.offset < end);
  partition.end = end;
  partition.epochs = partition.epochs.filter(({ start }) => start <= end);
  elect(partition, 0);
}

/** Is what stood before `offset`, the last of it written under `epoch`, no longer what stands there? -1: not known. */
export function isDiverged(partition: StoredPartition, offset: number, epoch: number): boolean {
  if (epoch < 0) return false;
  const next = partition.epochs.find((one) => one.epoch > epoch);
  return (next?.start ?? partition.end) < offset;
}
