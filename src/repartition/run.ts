/**
 * The steps of `repartition`, in the order that keeps workers from starting before all is in place (plan.ts). Each can be cut off
 * and done again.
 *
 * 1. No step begins while the group has members.
 */
import { areEqual, type PartitionCounts } from "../domain/partition-counts.ts";
import type { Commit, EventLog, InputPosition, Topic } from "../ports.ts";
import { carryOver } from "./carry-over.ts";
import { type MoveProgress, moveLedger, sizeOf, surveyLedger, type TwoIds } from "./move-ledger.ts";
import { type Plan, plan, type RepartitionProblem, unguarded, workersRun } from "./plan.ts";

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** The cluster beside the log. */
export interface Cluster {
  counts(): Promise<Outcome<PartitionCounts>>;
  /** Of the workers' group. */
  members(): Promise<Outcome<number>>;
  positions(): Promise<Outcome<readonly InputPosition[]>>;
  raise(topic: Topic, count: number): Promise<Outcome<null>>;
  commit(commits: readonly Commit[]): Promise<Outcome<null>>;
}

export interface Parts {
  readonly cluster: Cluster;
  readonly log: Pick<EventLog, "scan" | "append" | "survey">;
  readonly signal: AbortSignal;
  readonly onStep: (line: string) => void;
  readonly onProgress: (progress: MoveProgress) => void;
}

export interface Report {
  readonly ok: true;
  readonly dryRun: boolean;
  /** As found. */
  readonly from: PartitionCounts;
  readonly partitions: number;
  /** Enrollments in the ledger. */
  readonly enrollments: number;
  /** Registered records that were copied to their home; in a dry run: that are elsewhere. */
  readonly copied: number;
  /** Unsettled records that were carried over to the retry topic. */
  readonly carried: number;
  readonly twoIds: readonly TwoIds[];
}

export type Ended = Report | { readonly ok: false; readonly problem: RepartitionProblem };

export async function repartition(parts: Parts, partitions: number, dryRun: boolean): Promise<Ended> {
  const counts = await parts.cluster.counts();
  if (!counts.ok) return failed(counts.reason);
  const from = counts.value;
  const planned = await planFor(parts, from, partitions);
  if (!planned.ok) return planned;
  if (planned.plan.kind === "reached") return reached(parts, from, { partitions, dryRun });
  if (dryRun) {
    const found = await surveyLedger(parts, partitions, from.registered);
    if (!found.ok) return failed(found.reason);
    const copied = found.placements.reduce((sum, { misplaced }) => sum + misplaced, 0);
    const carried = planned.plan.carried.reduce((sum, { settled, end }) => sum + end - settled, 0);
    const enrollments = sizeOf(found.ledgers) + copied;
    return { ok: true, dryRun, from, partitions, enrollments, copied, carried, twoIds: [] };
  }
  return carryOut(parts, planned.plan, { from, partitions });
}

async function planFor(
  { cluster, log }: Parts,
  counts: PartitionCounts,
  partitions: number,
): Promise<
  | { readonly ok: true; readonly plan: Exclude<Plan, { kind: "refused" }> }
  | { readonly ok: false; readonly problem: RepartitionProblem }
> {
  const [members, positions, survey] = [
    await cluster.members(),
    await cluster.positions(),
    await log.survey(),
  ];
  if (!members.ok) return failed(members.reason);
  if (!positions.ok) return failed(positions.reason);
  if (!survey.ok) return failed(survey.reason);
  const ledgerEnds = survey.topics.registered.bounds.map(({ end }) => end);
  const found = { counts, members: members.value, positions: positions.value, ledgerEnds };
  const made = plan(found, partitions);
  return made.kind === "refused" ? { ok: false, problem: made.problem } : { ok: true, plan: made };
}

/** The counts are as requested: repartition was run before, or they were raised by hand. */
async function reached(
  parts: Parts,
  from: PartitionCounts,
  { partitions, dryRun }: { readonly partitions: number; readonly dryRun: boolean },
): Promise<Ended> {
  const found = await surveyLedger(parts, partitions, partitions);
  if (!found.ok) return failed(found.reason);
  if (found.placements.some(({ misplaced }) => misplaced > 0))
    return { ok: false, problem: unguarded(partitions + 1) };
  const enrollments = sizeOf(found.ledgers);
  return { ok: true, dryRun, from, partitions, enrollments, copied: 0, carried: 0, twoIds: [] };
}

async function carryOut(
  parts: Parts,
  made: Extract<Plan, { kind: "go" }>,
  { from, partitions }: { readonly from: PartitionCounts; readonly partitions: number },
): Promise<Ended> {
  const { log, signal, onProgress } = parts;
  const early = await raise(parts, "registered", partitions);
  if (early !== null) return { ok: false, problem: early };
  const mayWrite = () => memberFound(parts);
  const moved = await moveLedger({ log, signal, onProgress, mayWrite }, partitions);
  if (!moved.ok) return failed(moved.reason);
  const { enrollments, copied, twoIds } = moved;
  parts.onStep(`registered: ${enrollments} enrollments verified, ${copied} records copied to their home`);
  for (const topic of made.raises.slice(0, -1)) {
    const problem = await raise(parts, topic, partitions);
    if (problem !== null) return { ok: false, problem };
  }
  const commit = (commits: readonly Commit[]) => parts.cluster.commit(commits);
  const carry = await carryOver({ log, signal, commit }, made.carried, partitions);
  if (!carry.ok) return failed(carry.reason);
  if (carry.carried > 0) parts.onStep(`${carry.carried} unsettled records carried over to the retry topic`);
  for (const topic of made.raises.slice(-1)) {
    const problem = await raise(parts, topic, partitions);
    if (problem !== null) return { ok: false, problem };
  }
  const now = await parts.cluster.counts();
  if (!now.ok) return failed(now.reason);
  if (!areEqual(now.value)) return failed("something else changed the partition counts meanwhile");
  return { ok: true, dryRun: false, from, partitions, enrollments, copied, carried: carry.carried, twoIds };
}

/** Null: it has that many partitions. */
async function raise(parts: Parts, topic: Topic, partitions: number): Promise<RepartitionProblem | null> {
  const counts = await parts.cluster.counts();
  if (!counts.ok) return failed(counts.reason).problem;
  if (counts.value[topic] >= partitions) return null;
  const members = await parts.cluster.members();
  if (!members.ok) return failed(members.reason).problem;
  if (members.value > 0) return workersRun(members.value); // 1
  if (parts.signal.aborted) return failed("it was interrupted").problem;
  const raised = await parts.cluster.raise(topic, partitions);
  if (!raised.ok) return failed(raised.reason).problem;
  parts.onStep(`${topic}: ${counts.value[topic]} -> ${partitions} partitions`);
  return null;
}

/** Null: none. */
async function memberFound({ cluster }: Parts): Promise<string | null> {
  const members = await cluster.members();
  if (!members.ok) return members.reason;
  return members.value === 0 ? null : workersRun(members.value).message; // 1
}

function failed(reason: string): { readonly ok: false; readonly problem: RepartitionProblem } {
  return {
    ok: false,
    problem: {
      code: "repartition",
      message: `It is not finished: ${reason}.`,
      fix: "Start no worker. Correct that, then type repartition again: it continues from there.",
      usage: false,
    },
  };
}
