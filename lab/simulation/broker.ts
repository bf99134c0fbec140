/** What the simulated broker keeps: topics, committed offsets, and whether it is up. No network, no membership. */
import { strict as assert } from "node:assert";
import type {
  Bounds,
  Commit,
  Committed,
  InputTopic,
  LogRecord,
  NewRecord,
  Topic,
  TopicSurvey,
  TopicSurveys,
} from "../../src/ports.ts";
import type { SimContext } from "./context.ts";
import { epochMs } from "./process.ts";
import { guid } from "./rng.ts";
import {
  append,
  boundsOf,
  createStoredPartition,
  cutEnd,
  elect,
  type FetchRange,
  isDiverged,
  type ReadPosition,
  recordsFrom,
  type StoredPartition,
  skip,
} from "./stored-partition.ts";

export interface Broker {
  readonly partitionCount: number;
  isUp(): boolean;
  setUp(up: boolean): void;
  store(record: NewRecord, by: string): LogRecord;
  fetch(topic: Topic, partition: number, range: FetchRange): LogRecord[];
  bounds(topic: Topic, partition: number): Bounds;
  topicId(topic: Topic): string;
  /** No leader at the moment: nothing can be stored or read. */
  isLeaderless(topic: Topic, partition: number): boolean;
  /** Does the log hold other records before this position than those that were read? */
  isDiverged(topic: Topic, partition: number, position: ReadPosition): boolean;
  survey(): TopicSurveys;
  /** Retention: takes away all records below `start`. */
  truncate(topic: Topic, partition: number, start: number): void;
  moveLeader(topic: Topic, partition: number, downMs: number): void;
  /** An unclean election: acknowledged records from `end` on are lost. */
  loseEnd(topic: Topic, partition: number, end: number): void;
  /** The topic is deleted and made again. With `dropsCommits` its committed offsets go too, as in Kafka. */
  recreate(topic: Topic, dropsCommits: boolean): void;
  /** Compaction of `registered`: of each key only the last record stays. */
  compact(): void;
  commit(by: string, commit: Commit): void;
  committed(topic: InputTopic, partition: number): Committed | null;
  /** A copy of all committed offsets, by `topic/partition`. */
  commits(): ReadonlyMap<string, Committed>;
  expireCommits(): void;
  /** True once every input partition's committed offset stands at its end. */
  isAllCommitted(): boolean;
  /** Calls back on every append and whenever the broker comes up or a cut ends; returns how to stop that. */
  onWake(listener: () => void): () => void;
  wake(): void;
}

export interface Offsets {
  readonly first: number;
  /** How often an offset is skipped: transaction markers and compaction do that, and readers must not count on neighbours. */
  readonly holes: number;
}

const topics: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];

export function createBroker(
  partitionCount: number,
  offsets: Offsets,
  { scheduler, rng, history }: SimContext,
): Broker {
  const stored = new Map<Topic, { id: string; partitions: readonly StoredPartition[] }>();
  const commits = new Map<string, Committed>();
  const listeners = new Set<() => void>();
  let up = true;

  const make = (topic: Topic, firstOffset: number): void => {
    const partitions = Array.from({ length: partitionCount }, () => createStoredPartition(firstOffset, 0));
    stored.set(topic, { id: guid(rng), partitions });
  };
  for (const topic of topics) make(topic, offsets.first);
  const at = (topic: Topic, partition: number): StoredPartition => {
    const found = stored.get(topic)!.partitions[partition];
    assert(found, `no partition ${topic}/${partition}`);
    return found;
  };
  const wake = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const isCommittedBeyond = (topic: Topic, partition: number, end: number): boolean =>
    (commits.get(`${topic}/${partition}`)?.offset ?? 0) > end;

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
      if (rng.chance(offsets.holes)) skip(partition, rng.int(1, 3));
      const one = append(partition, record, epochMs + Math.floor(scheduler.nowMs()));
      history.add({ kind: "stored", by, record: one });
      wake();
      return one;
    },
    fetch: (topic, partition, range) => recordsFrom(at(topic, partition), range),
    bounds: (topic, partition) => boundsOf(at(topic, partition)),
    topicId: (topic) => stored.get(topic)!.id,
    isLeaderless: (topic, partition) => scheduler.nowMs() < at(topic, partition).downUntilMs,
    isDiverged: (topic, partition, position) => isDiverged(at(topic, partition), position),
    survey() {
      const of = (topic: Topic): TopicSurvey => {
        const { id, partitions } = stored.get(topic)!;
        return { id, bounds: partitions.map(boundsOf) };
      };
      return { enrolled: of("enrolled"), retry: of("retry"), registered: of("registered"), dlq: of("dlq") };
    },
    truncate(topic, partition, start) {
      const found = at(topic, partition);
      found.records = found.records.filter((record) => record.offset >= start);
      found.start = Math.max(found.start, start);
      history.add({ kind: "truncated", topic, partition, start: found.start });
      wake();
    },
    moveLeader(topic, partition, downMs) {
      elect(at(topic, partition), scheduler.nowMs() + downMs);
      history.strike("leader moved", `${topic}/${partition}`);
      scheduler.after(downMs, wake);
    },
    loseEnd(topic, partition, end) {
      cutEnd(at(topic, partition), end);
      const mustBeTold = isCommittedBeyond(topic, partition, end);
      history.add({ kind: "log-lost", topic, partition, end, mustBeTold });
      history.strike(`${topic} truncated`, "broker");
      wake();
    },
    recreate(topic, dropsCommits) {
      const held = stored.get(topic)!.partitions.some(({ end }) => end > offsets.first);
      const memory = topic === "registered" ? "enrolled" : topic;
      const isKnown = held && [...commits.keys()].some((place) => place.startsWith(`${memory}/`));
      make(topic, 0);
      if (dropsCommits)
        for (const place of [...commits.keys()]) if (place.startsWith(`${topic}/`)) commits.delete(place);
      const mustBeTold = isKnown && (topic === "registered" || !dropsCommits);
      history.add({ kind: "log-lost", topic, partition: null, end: 0, mustBeTold });
      history.strike(`${topic} recreated`, "broker");
      wake();
    },
    compact() {
      for (let p = 0; p < partitionCount; p++) {
        const partition = at("registered", p);
        const last = new Map(partition.records.map((record) => [keyOf(record), record.offset]));
        partition.records = partition.records.filter((record) => last.get(keyOf(record)) === record.offset);
      }
      history.strike("compaction", "broker");
    },
    commit(by, { topic, partition, offset, metadata }) {
      commits.set(`${topic}/${partition}`, { offset, metadata });
      history.add({ kind: "commit", by, topic, partition, offset, metadata });
    },
    committed: (topic, partition) => commits.get(`${topic}/${partition}`) ?? null,
    commits: () => new Map(commits),
    expireCommits() {
      commits.clear();
      history.add({ kind: "commits-expired" });
      history.strike("committed offsets expired", "broker");
    },
    isAllCommitted() {
      for (const topic of ["enrolled", "retry"] as const) {
        for (let p = 0; p < partitionCount; p++) {
          const { end, epochs } = at(topic, p);
          const isVirgin = end === epochs[0]!.start;
          if (!isVirgin && commits.get(`${topic}/${p}`)?.offset !== end) return false;
        }
      }
      return true;
    },
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    wake,
  };
}

function keyOf({ key }: LogRecord): string {
  return Buffer.from(key ?? []).toString("latin1");
}
