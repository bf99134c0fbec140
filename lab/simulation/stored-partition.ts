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

/** So many offsets will never hold a record. */
export function skip(partition: StoredPartition, count: number): void {
  partition.end += count;
}

export function append(partition: StoredPartition, record: NewRecord, timestampMs: number): LogRecord {
  const offset = partition.end;
  const stored: LogRecord = { ...record, offset, timestampMs, leaderEpoch: partition.epoch };
  partition.records.push(stored);
  partition.end = offset + 1;
  return stored;
}

export function boundsOf({ start, end }: StoredPartition): Bounds {
  return { start, end };
}

/** What one fetch asks for. */
export interface FetchRange {
  readonly fromOffset: number;
  readonly max: number;
}

export function recordsFrom({ records }: StoredPartition, { fromOffset, max }: FetchRange): LogRecord[] {
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

/** How far a reader has come. `leaderEpoch`: of the record before `offset`; -1: not known. */
export interface ReadPosition {
  readonly offset: number;
  readonly leaderEpoch: number;
}

/** Is what stood before `offset` no longer what stands there? */
export function isDiverged(partition: StoredPartition, { offset, leaderEpoch }: ReadPosition): boolean {
  if (leaderEpoch < 0) return false;
  const next = partition.epochs.find((one) => one.epoch > leaderEpoch);
  return (next?.start ?? partition.end) < offset;
}
