/**
 * How many partitions the topics have, and how many they may be given. A tenant's home partition follows from the number, and so
 * does the place of what is registered of it: the number of `connector.registered` may change only together with its contents.
 * Pure.
 *
 * 1. Workers start only when enrolled, retry and registered have the same number, and the dead letters at least that.
 * 2. While the contents of registered are moved, one of the others has fewer than the new number: so by (1) no worker starts on a
 *    ledger that was moved in part. Whichever is raised last lets them start again.
 */
import type { Topic } from "../ports.ts";

export type PartitionCounts = Readonly<Record<Topic, number>>;

/** Those whose numbers must be equal. */
const bound = ["enrolled", "retry", "registered"] as const;

/** 1 */
export function areEqual(counts: PartitionCounts): boolean {
  return bound.every((topic) => counts[topic] === counts.enrolled) && counts.dlq >= counts.enrolled;
}

/** The least number that all can be brought to with (2) kept. Kafka can't take partitions away. */
export function leastTarget(counts: PartitionCounts): number {
  const most = Math.max(...bound.map((topic) => counts[topic]));
  const isGuarded = Math.min(counts.enrolled, counts.retry, counts.dlq) < most;
  return isGuarded || counts.registered === most ? most : most + 1; // 2
}
