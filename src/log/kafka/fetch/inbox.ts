/**
 * The fetched but unread records of one session.
 *
 * Invariants
 * 1. Nothing is delivered for a partition before its first seek, nor past a gap before the next seek.
 * 2. A partition holds one fetch at the most; while it holds one, it is not fetched.
 * 3. A fetch counts only if it began where the partition stands when it comes: a seek or another fetch may have moved it.
 */
import type { Bounds, InputTopic, LogRecord, ReadResult } from "../../../ports.ts";

/** One partition of one input. `position`: where the next fetch goes on; null before the first seek. */
export interface Slot {
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

export interface Inbox {
  readonly slots: readonly Slot[];
  seek(topic: InputTopic, partition: number, offset: number, leaderEpoch: number): void;
  read(topic: InputTopic, partition: number): Promise<ReadResult>;
  /** Partitions that want records and are not being fetched. */
  wanting(): Slot[];
  /** @param offset where the fetch began. */
  deliver(
    slot: Slot,
    offset: number,
    records: readonly LogRecord[],
    nextOffset: number,
    lastEpoch: number,
  ): void;
  gap(slot: Slot, offset: number, why: GapReason, bounds: Bounds): void;
  end(): void;
}

function forgive(slot: Slot): void {
  slot.outOfRange = 0;
  slot.unreadable = 0;
}

/** @param onWanting called when a partition begins to want records. */
export function createInbox(
  topicPartitions: readonly Pick<Slot, "topic" | "name" | "topicId" | "partition">[],
  onWanting: () => void,
): Inbox {
  const slots = new Map<string, Slot>();
  for (const topicPartition of topicPartitions) {
    slots.set(`${topicPartition.topic}/${topicPartition.partition}`, {
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

  function slotOf(topic: InputTopic, partition: number): Slot {
    const slot = slots.get(`${topic}/${partition}`);
    if (!slot) throw new Error(`${topic}/${partition} is not of this session`);
    return slot;
  }

  function isCurrent(slot: Slot, offset: number): boolean {
    return !ended && !slot.ready && slot.position === offset;
  }

  function settle(slot: Slot): void {
    const { reader, ready } = slot;
    if (!reader || !ready) return;
    slot.reader = null;
    // A gap stays until the next seek, for the next reader.
    if (ready.kind === "records") slot.ready = null;
    reader(ready);
    if (ready.kind === "records") onWanting();
  }

  return {
    slots: [...slots.values()],
    seek(topic, partition, offset, leaderEpoch) {
      if (ended) return;
      const slot = slotOf(topic, partition);
      slot.position = offset;
      slot.lastEpoch = leaderEpoch;
      forgive(slot);
      slot.ready = null;
      onWanting();
    },
    read(topic, partition) {
      if (ended) return Promise.resolve({ kind: "ended" });
      const slot = slotOf(topic, partition);
      if (slot.reader) throw new Error(`two reads of ${topic}/${partition} at once`);
      return new Promise((resolve) => {
        slot.reader = resolve;
        settle(slot);
      });
    },
    wanting: () =>
      ended
        ? []
        : [...slots.values()].filter((slot) => slot.position !== null && !slot.ready && !slot.fetching),
    deliver(slot, offset, records, nextOffset, lastEpoch) {
      if (!isCurrent(slot, offset)) return;
      slot.position = nextOffset;
      slot.lastEpoch = lastEpoch;
      forgive(slot);
      if (records.length === 0) return;
      slot.ready = { kind: "records", records };
      settle(slot);
    },
    gap(slot, offset, why, { start, end }) {
      if (!isCurrent(slot, offset)) return;
      slot.ready = { kind: "gap", why, expected: offset, logStart: start, logEnd: end };
      settle(slot);
    },
    end() {
      ended = true;
      for (const slot of slots.values()) {
        slot.ready = null;
        slot.reader?.({ kind: "ended" });
        slot.reader = null;
      }
    },
  };
}
