/** The records that are being traced, by where they stand. Bounded: beyond, records are not traced, and counted. */
import type { Position } from "../../observer.ts";
import type { Span } from "./span.ts";

export interface TracedRecord {
  readonly process: Span;
  /** The append of its outcome. */
  sending: Span | null;
  outcome: string | null;
}

export interface OpenRecords {
  find(at: Position): TracedRecord | undefined;
  /** False: as many are open as may be. */
  add(at: Position, record: TracedRecord): boolean;
  remove(at: Position): void;
  /** All of one partition, both topics; they are removed. */
  takePartition(partition: number): TracedRecord[];
  takeAll(): TracedRecord[];
  size(): number;
  /** Records that were not traced since too many were open. */
  refused(): number;
}

export function createOpenRecords(max: number): OpenRecords {
  const byTopic = new Map<string, Map<number, Map<number, TracedRecord>>>();
  let size = 0;
  let refused = 0;
  return {
    find: (at) => byTopic.get(at.topic)?.get(at.partition)?.get(at.offset),
    add({ topic, partition, offset }, record) {
      if (size >= max) {
        refused++;
        return false;
      }
      const partitions = entry(byTopic, topic, () => new Map<number, Map<number, TracedRecord>>());
      const records = entry(partitions, partition, () => new Map<number, TracedRecord>());
      if (!records.has(offset)) size++;
      records.set(offset, record);
      return true;
    },
    remove({ topic, partition, offset }) {
      if (byTopic.get(topic)?.get(partition)?.delete(offset)) size--;
    },
    takePartition(partition) {
      const taken = [...byTopic.values()].flatMap((partitions) => {
        const records = [...(partitions.get(partition)?.values() ?? [])];
        partitions.delete(partition);
        return records;
      });
      size -= taken.length;
      return taken;
    },
    takeAll() {
      const taken = [...byTopic.values()].flatMap((partitions) =>
        [...partitions.values()].flatMap((records) => [...records.values()]),
      );
      byTopic.clear();
      size = 0;
      return taken;
    },
    size: () => size,
    refused: () => refused,
  };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}
