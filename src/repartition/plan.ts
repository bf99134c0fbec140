/**
 * Whether the topics can be brought to a number of partitions now, and in which order. Pure.
 *
 * 1. Nothing is begun while a worker runs, or while workers can still settle what is unsettled: that keeps each machine's order.
 * 2. `registered` first, what lets workers start again last (domain/partition-counts.ts).
 * 3. Once workers can't start any more (a run that was cut short, or counts that were changed by hand), what is unsettled is
 *    carried over: what may have been attempted goes to retry, in doubt; the rest stays, for the workers to move home.
 */
import { areEqual, leastTarget, type PartitionCounts } from "../domain/partition-counts.ts";
import type { InputPosition, InputTopic, Topic } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { type CommitMetadata, decodeMetadata } from "../registrar/ownership/commit-metadata.ts";

export interface RepartitionProblem extends Problem {
  /** Someone has to type something else; otherwise the same may do later. */
  readonly usage: boolean;
}

export interface Found {
  readonly counts: PartitionCounts;
  readonly members: number;
  readonly positions: readonly InputPosition[];
  /** By partition of registered: the offset of its next record. */
  readonly ledgerEnds: readonly number[];
}

/** Records of one input partition that no worker has settled: from `settled` to `end`, and those before `attempted` in doubt. */
export interface Unsettled {
  readonly topic: InputTopic;
  readonly partition: number;
  readonly settled: number;
  readonly attempted: number;
  readonly end: number;
  /** What the last worker committed there; null: nothing, or nothing of ours. */
  readonly former: CommitMetadata | null;
}

export type Plan =
  | { readonly kind: "refused"; readonly problem: RepartitionProblem }
  /** The counts are as requested; whether the ledger is in place is another question. */
  | { readonly kind: "reached" }
  | {
      readonly kind: "go";
      /** After registered was raised and the ledger has moved, in this order. The last one lets workers start. */
      readonly raises: readonly Exclude<Topic, "registered">[];
      /** Before the last raise. */
      readonly carried: readonly Unsettled[];
    };

export function plan(found: Found, target: number): Plan {
  const { counts, members } = found;
  const { enrolled, retry, registered } = counts;
  const most = Math.max(enrolled, retry, registered);
  if (target < most) return refused(tooFew(target, most));
  if (members > 0) return refused(workersRun(members));
  if (areEqual(counts) && enrolled === target) return { kind: "reached" };
  const raises = (["retry", "enrolled", "dlq"] as const).filter((topic) => counts[topic] < target); // 2
  if (raises.length === 0 && registered < target) return refused(unguarded(leastTarget(counts)));
  const unsettled = unsettledIn(found);
  if (areEqual(counts)) {
    return unsettled.length === 0 ? { kind: "go", raises, carried: [] } : refused(notDrained(unsettled)); // 1
  }
  const carried = unsettled.filter((each) => each.topic === "retry" || each.attempted > each.settled); // 3
  // What goes to retry needs all its partitions, before the last step lets workers start.
  const hasRoom = raises.some((topic) => topic !== "retry");
  return carried.length > 0 && !hasRoom ? refused(noRoom(target + 1)) : { kind: "go", raises, carried };
}

function unsettledIn({ counts, positions, ledgerEnds }: Found): Unsettled[] {
  // No worker ever started with more than the least of them.
  const worked = Math.min(counts.enrolled, counts.retry, counts.registered);
  return positions.flatMap(({ topic, partition, committed, logStart, logEnd }) => {
    const settled = Math.max(committed?.offset ?? logStart, logStart);
    if (settled >= logEnd) return [];
    const former = committed === null ? null : decodeMetadata(committed.metadata);
    const mayHaveExpired = partition < worked && (ledgerEnds[partition] ?? 0) > 0;
    // As registrar/take-over.ts has it.
    const attemptedThrough =
      committed === null && !mayHaveExpired ? settled : (former?.attemptedThrough ?? logEnd);
    const attempted = Math.min(logEnd, Math.max(settled, attemptedThrough));
    return [{ topic, partition, settled, attempted, end: logEnd, former }];
  });
}

function refused(problem: RepartitionProblem): Plan {
  return { kind: "refused", problem };
}

function tooFew(target: number, most: number): RepartitionProblem {
  return {
    code: "partitions-fewer",
    message: `Kafka can't take partitions away, and a topic has ${most}: ${target} are too few.`,
    fix: `Type --partitions ${most} or more.`,
    usage: true,
  };
}

export function workersRun(members: number): RepartitionProblem {
  return {
    code: "workers-run",
    message: `${members} ${members === 1 ? "worker is a member" : "workers are members"} of the group, and none may run meanwhile.`,
    fix: "Stop every worker with SIGTERM (one that was killed stays a member until KAFKA_SESSION_TIMEOUT_MS is over), then type repartition again.",
    usage: false,
  };
}

export function unguarded(target: number): RepartitionProblem {
  return {
    code: "partitions-unguarded",
    message:
      "With this number workers could start on a ledger of which only a part has moved: the other topics have as many already.",
    fix: `Type --partitions ${target} instead.`,
    usage: true,
  };
}

function notDrained(unsettled: readonly Unsettled[]): RepartitionProblem {
  const count = unsettled.reduce((sum, { settled, end }) => sum + end - settled, 0);
  const [{ topic, partition, settled }] = unsettled as [Unsettled];
  return {
    code: "not-drained",
    message: `${count} ${count === 1 ? "record is" : "records are"} not settled yet (the first: ${topic} partition ${partition}, offset ${settled}).`,
    fix: "Stop the installers, start the workers, wait for lag 0, stop the workers with SIGTERM, then type repartition again.",
    usage: false,
  };
}

function noRoom(target: number): RepartitionProblem {
  return {
    code: "partitions-in-doubt",
    message:
      "Some records may have been posted and are not settled. With this number workers could start before those were carried over: connector.enrolled has as many already.",
    fix: `Type --partitions ${target} instead.`,
    usage: true,
  };
}
