/** What the simulated broker keeps: partitions, committed offsets, and whether it is up. No network, no membership. */
import { strict as assert } from "node:assert";
import type { InputTopic, LogRecord, NewRecord, Topic, TopicSurvey } from "../ports.ts";
import type { Dice } from "./dice.ts";
import type { History } from "./history.ts";
import { epochMs } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

export interface StoredCommit {
  readonly offset: number;
  readonly metadata: string;
}

export interface Broker {
  readonly partitionCount: number;
  isUp(): boolean;
  setUp(up: boolean): void;
  store(record: NewRecord, by: string): LogRecord;
  fetch(topic: Topic, partition: number, fromOffset: number, max: number): LogRecord[];
  bounds(topic: Topic, partition: number): { readonly start: number; readonly end: number };
  survey(): Readonly<Record<Topic, TopicSurvey>>;
  /** Retention: takes away all records below `start`. */
  truncate(topic: Topic, partition: number, start: number): void;
  /** Compaction of `registered`: of each key only the last record stays. */
  compact(): void;
  commit(by: string, topic: InputTopic, partition: number, commit: StoredCommit): void;
  committed(topic: InputTopic, partition: number): StoredCommit | null;
  expireCommits(): void;
  /** True once every input partition's committed offset stands at its end. */
  isAllCommitted(): boolean;
  /** Calls back on every append and whenever the broker comes up or a cut heals. */
  onWake(listener: () => void): void;
  wake(): void;
}

export interface Offsets {
  readonly first: number;
  /** How often an offset is skipped: transaction markers and compaction do that, and readers must not count on neighbours. */
  readonly holes: number;
}

interface Partition {
  records: LogRecord[];
  start: number;
  end: number;
}

const topics: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];

export function createBroker(
  partitionCount: number,
  offsets: Offsets,
  scheduler: Scheduler,
  dice: Dice,
  history: History,
): Broker {
  const partitions = new Map<string, Partition>();
  for (const topic of topics) {
    for (let p = 0; p < partitionCount; p++) {
      partitions.set(`${topic}/${p}`, { records: [], start: offsets.first, end: offsets.first });
    }
  }
  const commits = new Map<string, StoredCommit>();
  const listeners: (() => void)[] = [];
  let up = true;

  const at = (topic: Topic, partition: number): Partition => {
    const found = partitions.get(`${topic}/${partition}`);
    assert(found, `no partition ${topic}/${partition}`);
    return found;
  };
  const wake = (): void => {
    for (const listener of listeners) listener();
  };

  return {
    partitionCount,
    isUp: () => up,
    setUp(isUp) {
      up = isUp;
      history.add({ kind: "note", by: "broker", text: isUp ? "up" : "down" });
      if (up) wake();
    },
    store(record, by) {
      const partition = at(record.topic, record.partition);
      const offset = partition.end + (dice.chance(offsets.holes) ? dice.int(1, 3) : 0);
      const stored: LogRecord = {
        ...record,
        offset,
        timestampMs: epochMs + Math.floor(scheduler.nowMs()),
        leaderEpoch: -1,
      };
      partition.records.push(stored);
      partition.end = offset + 1;
      history.add({ kind: "stored", by, record: stored });
      wake();
      return stored;
    },
    fetch(topic, partition, fromOffset, max) {
      const { records } = at(topic, partition);
      const first = records.findIndex((record) => record.offset >= fromOffset);
      return first < 0 ? [] : records.slice(first, first + max);
    },
    bounds(topic, partition) {
      const { start, end } = at(topic, partition);
      return { start, end };
    },
    survey() {
      const of = (topic: Topic): TopicSurvey => ({
        id: null,
        bounds: Array.from({ length: partitionCount }, (_, p) => {
          const { start, end } = at(topic, p);
          return { start, end };
        }),
      });
      return { enrolled: of("enrolled"), retry: of("retry"), registered: of("registered"), dlq: of("dlq") };
    },
    truncate(topic, partition, start) {
      const found = at(topic, partition);
      found.records = found.records.filter((record) => record.offset >= start);
      found.start = Math.max(found.start, start);
      history.add({ kind: "truncated", topic, partition, start: found.start });
    },
    compact() {
      for (let p = 0; p < partitionCount; p++) {
        const partition = at("registered", p);
        const last = new Map(partition.records.map((record) => [keyOf(record), record.offset]));
        partition.records = partition.records.filter((record) => last.get(keyOf(record)) === record.offset);
      }
      history.add({ kind: "note", by: "broker", text: "compacts registered" });
    },
    commit(by, topic, partition, commit) {
      commits.set(`${topic}/${partition}`, commit);
      history.add({ kind: "commit", by, topic, partition, ...commit });
    },
    committed: (topic, partition) => commits.get(`${topic}/${partition}`) ?? null,
    expireCommits() {
      commits.clear();
      history.add({ kind: "commits-expired" });
    },
    isAllCommitted() {
      for (const topic of ["enrolled", "retry"] as const) {
        for (let p = 0; p < partitionCount; p++) {
          const { start, end } = at(topic, p);
          if (end > start && (commits.get(`${topic}/${p}`)?.offset ?? -1) < end) return false;
        }
      }
      return true;
    },
    onWake(listener) {
      listeners.push(listener);
    },
    wake,
  };
}

function keyOf({ key }: LogRecord): string {
  return Buffer.from(key ?? []).toString("latin1");
}
