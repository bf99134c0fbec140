/**
 * Looks at the log now and then: how far the worker is behind it, and whether it still is the log that was taken over.
 *
 * 1. INV-KNOWN-LOG: a topic with another id, or a ledger that ends before it did, is a fault, also when nothing is read or
 *    appended.
 * 2. A retry partition that ends before an acknowledged copy of a parked record, not read yet, is one too.
 * 3. Another number of partitions is one too: no worker would read the new ones, and a rebalance that shows them need not follow.
 */
import {
  type Bounds,
  type Clock,
  type EventLog,
  type InputTopic,
  inputTopics,
  type TopicSurveys,
} from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { partitionsChanged } from "../fault.ts";
import type { Awaited } from "../intake/parking.ts";
import { lostSince } from "../ledger/lost-since.ts";
import { type OwnedPartition, settledThroughOf, trackOf } from "./partition.ts";
import { gapFault } from "./take-over.ts";

export interface LogWatch {
  /** Unsettled records of all owned partitions, as of the last look. */
  lagRecords(): number;
  stop(): void;
}

const intervalMs = 10_000;
const nowhere: Bounds = { start: 0, end: 0 };

export interface LogWatchParts {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly owned: ReadonlyMap<number, OwnedPartition>;
  readonly checkParked: (partition: OwnedPartition, beyondEnd: readonly Awaited[]) => void;
}

export function createLogWatch(
  { clock, log, owned, checkParked }: LogWatchParts,
  onFault: (fault: Problem) => void,
): LogWatch {
  let bounds: Partial<Record<InputTopic, readonly Bounds[]>> = {};
  let stopped = false;
  let cancel = clock.after(intervalMs, look);

  return {
    lagRecords() {
      let sum = 0;
      for (const partition of owned.values()) {
        for (const topic of inputTopics) {
          const { end } = bounds[topic]?.[partition.number] ?? nowhere;
          sum += Math.max(end, trackOf(partition, topic).nextOffset) - settledThroughOf(partition, topic);
        }
      }
      return sum;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };

  async function look(): Promise<void> {
    // Of these only: whatever is taken over after the question was asked knows its log already.
    const asked = [...owned.values()].map((partition) => ({
      partition,
      ledgerEnd: partition.ledger.nextOffset,
      awaited: [...partition.parking.awaited],
    }));
    const result = asked.length === 0 ? null : await log.survey();
    if (stopped) return;
    if (result?.ok) {
      const { enrolled, retry, registered } = result.topics;
      const recounted = recountedIn(result.topics, log.partitionCount);
      if (recounted !== null) return onFault(recounted); // 3, INV-KNOWN-LOG
      bounds = { enrolled: enrolled.bounds, retry: retry.bounds };
      for (const { partition, ledgerEnd, awaited } of asked) {
        const { number, topicIds } = partition;
        const lost = lostSince(number, registered, { ledgerId: topicIds.registered, ledgerEnd }); // INV-KNOWN-LOG
        if (lost !== null) return onFault(lost);
        for (const topic of inputTopics) {
          const { id } = result.topics[topic];
          if (id === null || topicIds[topic] === null || id === topicIds[topic]) continue;
          const { start, end } = bounds[topic]?.[number] ?? nowhere;
          const expected = trackOf(partition, topic).nextOffset;
          return onFault(
            gapFault(topic, number, { why: "recreated", expected, logStart: start, logEnd: end }), // INV-KNOWN-LOG
          );
        }
        const { end } = retry.bounds[number] ?? nowhere;
        const isBeyond = ({ retryOffset }: Awaited) => retryOffset !== null && retryOffset >= end;
        checkParked(partition, awaited.filter(isBeyond)); // 2, INV-KNOWN-LOG
      }
    }
    cancel = clock.after(intervalMs, look);
  }
}

/** Null: all have as many partitions as they had. A topic that is not there has none; it may be made again. */
function recountedIn(topics: TopicSurveys, was: number): Problem | null {
  for (const topic of [...inputTopics, "registered"] as const) {
    const is = topics[topic].bounds.length;
    if (is !== 0 && is !== was) return partitionsChanged({ topic, was, is });
  }
  return null;
}
