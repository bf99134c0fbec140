/**
 * The fetched but unread records of one session.
 *
 * Invariants
 * 1. Nothing is delivered for a partition before its first seek, nor past a gap before the next seek.
 * 2. A partition holds one fetch at the most; while it holds one, it is not fetched.
 * 3. A fetch counts only if it began where the partition stands when it comes: a seek or another fetch may have moved it.
 */
import type { Bounds, InputTopic, LogRecord, ReadResult } from "../../../ports.ts";

/** One partition of one input. `position`: where the next fetch starts; null before the first seek. */
export interface InputPartition {
  readonly topic: InputTopic;
  readonly name: string;
  /** Of the topic when the session began; null: not known. */
  readonly topicId: string | null;
  readonly partition: number;
  position: number | null;
  /** Leader epoch of the last record before `position`; -1: not known. */
  lastEpoch: number;
  /** How often in a row the broker said that it has no such position. */
  outOfRange: number;
  /** How often in a row what stands at the position could not be read. */
  unreadable: number;
  /** Being fetched, or held back for a while after trouble. */
  fetching: boolean;
  ready: Exclude<ReadResult, { kind: "ended" }> | null;
  reader: ((result: ReadResult) => void) | null;
}

export type GapReason = Extract<ReadResult, { kind: "gap" }>["why"];

/** `offset`: where the fetch began. */
export interface FetchedRecords {
  readonly offset: number;
  readonly records: readonly LogRecord[];
  readonly nextOffset: number;
  readonly lastEpoch: number;
}

export interface Gap {
  readonly offset: number;
  readonly why: GapReason;
  readonly bounds: Bounds;
}

export interface FetchBuffer {
  readonly inputs: readonly InputPartition[];
  seek(topic: InputTopic, partition: number, offset: number, leaderEpoch: number): void;
  read(topic: InputTopic, partition: number): Promise<ReadResult>;
  /** Partitions that want records and are not being fetched. */
  wanting(): InputPartition[];
  deliver(input: InputPartition, fetched: FetchedRecords): void;
  gap(input: InputPartition, found: Gap): void;
  end(): void;
}

function clearFailures(input: InputPartition): void {
  input.outOfRange = 0;
  input.unreadable = 0;
}

/** @param onWanting called when a partition begins to want records. */
export function createFetchBuffer(
  topicPartitions: readonly Pick<InputPartition, "topic" | "name" | "topicId" | "partition">[],
  onWanting: () => void,
): FetchBuffer {
  const inputs = new Map<string, InputPartition>();
  for (const topicPartition of topicPartitions) {
    inputs.set(`${topicPartition.topic}/${topicPartition.partition}`, {
      ...topicPartition,
      position: null,
      lastEpoch: -1,
      outOfRange: 0,
      unreadable: 0,
      fetching: false,
      ready: null,
      reader: null,
    });
  }
  let ended = false;

  function inputOf(topic: InputTopic, partition: number): InputPartition {
    const input = inputs.get(`${topic}/${partition}`);
    if (!input) throw new Error(`${topic}/${partition} is not of this session`);
    return input;
  }

  function isCurrent(input: InputPartition, offset: number): boolean {
    return !ended && !input.ready && input.position === offset;
  }

  function settle(input: InputPartition): void {
    const { reader, ready } = input;
    if (!reader || !ready) return;
    input.reader = null;
    // A gap stays until the next seek, for the next reader.
    if (ready.kind === "records") input.ready = null;
    reader(ready);
    if (ready.kind === "records") onWanting();
  }

  return {
    inputs: [...inputs.values()],
    // biome-ignore lint/complexity/useMaxParams: Session.seek of ports.ts
    seek(topic, partition, offset, leaderEpoch) {
      if (ended) return;
      const input = inputOf(topic, partition);
      input.position = offset;
      input.lastEpoch = leaderEpoch;
      clearFailures(input);
      input.ready = null;
      onWanting();
    },
    read(topic, partition) {
      if (ended) return Promise.resolve({ kind: "ended" });
      const input = inputOf(topic, partition);
      if (input.reader) throw new Error(`two reads of ${topic}/${partition} at the same time`);
      return new Promise((resolve) => {
        input.reader = resolve;
        settle(input);
      });
    },
    wanting: () =>
      ended
        ? []
        : [...inputs.values()].filter((input) => input.position !== null && !input.ready && !input.fetching),
    deliver(input, { offset, records, nextOffset, lastEpoch }) {
      if (!isCurrent(input, offset)) return;
      input.position = nextOffset;
      input.lastEpoch = lastEpoch;
      clearFailures(input);
      if (records.length === 0) return;
      input.ready = { kind: "records", records };
      settle(input);
    },
    gap(input, { offset, why, bounds: { start, end } }) {
      if (!isCurrent(input, offset)) return;
      input.ready = { kind: "gap", why, expected: offset, logStart: start, logEnd: end };
      settle(input);
    },
    end() {
      ended = true;
      for (const input of inputs.values()) {
        input.ready = null;
        input.reader?.({ kind: "ended" });
        input.reader = null;
      }
    },
  };
}
