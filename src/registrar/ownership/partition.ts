/**
 * What the worker holds for one partition that it owns: the window of its enrolled topic, what is parked in its retry
 * topic, the ledger, the lanes. Data and the questions asked of it; it is changed by flow.ts (records) and
 * ownership.ts (sessions).
 *
 * 1. INV-LEASE: a create may begin only while `isHeld`: owned, confirmed under the current session, its lease not run out.
 * 2. INV-ORDER: records of one lane (tenant and machine) are worked on one at a time, in the order they came.
 */
import type { Enrollment } from "../../domain/enrollment.ts";
import { elapsedMs, type Moment, momentOf } from "../../moment.ts";
import type { Clock, InputTopic, LogRecord, Session } from "../../ports.ts";
import { createLeaderEpochs, epochBefore, type LeaderEpochs } from "../intake/leader-epochs.ts";
import { type Parking, parkedTaintedThrough, parkedThrough } from "../intake/parking.ts";
import type { Doubt, Stage } from "../intake/stage.ts";
import { createWindow, type Slot, settledThrough, taintedThrough, type Window } from "../intake/window.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { KnownLog, Limits } from "./commit-metadata.ts";
import { createDeadLetters, type DeadLetters, lookFrom } from "./dead-letters.ts";
import { isHolding, type Lease } from "./lease.ts";
import type { TakeOver } from "./take-over.ts";

export interface OwnedPartition {
  readonly number: number;
  /** Committed with every offset; a stored commit with another claim means that another worker owned it since. */
  readonly claim: string;
  readonly takenOverAtMs: number;
  readonly suspectsBelow: Readonly<Record<InputTopic, number>>;
  /** The limits of the worker that may have created what is in doubt since before the take-over. */
  readonly inherited: Limits;
  /** The log as it was at the take-over: another one under the same names is never taken for it. */
  readonly topicIds: TopicIds;
  /** How far others had read the retry topic at the take-over. */
  readonly readBefore: number;
  /** Leader epoch of the last record that they read there; -1: unknown. */
  readonly readBeforeEpoch: number;
  readonly leaderEpochs: Readonly<Record<InputTopic, LeaderEpochs>>;
  /**
   * Enrollments of which a create may have been carried out, by idempotency key. Doubt belongs to the enrollment:
   * wherever a copy of its record stands, that copy is in doubt too.
   */
  readonly doubts: Map<string, Doubt>;
  readonly deadLetters: DeadLetters;
  readonly window: Window;
  readonly parking: Parking;
  readonly ledger: Ledger;
  /** Heads are in work, the others wait behind them. */
  readonly lanes: Map<string, Work[]>;
  /** Every work on its way, by tenant, in the order they came. */
  readonly tenants: Map<string, Set<Work>>;
  /** Heads that wait until the previous owner's requests have surely ended. */
  readonly waitingSuspects: Set<Work>;
  /** Heads that wait for a commit to promise their offset. */
  readonly waitingForPromise: Set<Work>;
  readonly lost: AbortController;
  /** Of its current session; shared by all partitions of it. */
  lease: Lease;
  /** False between the end of a session and the check that no other worker owned the partition since. */
  confirmed: boolean;
  suspectsReleased: boolean;
  /** Inputs whose stored commit may say that Graph honours ids. */
  readonly saysHonoured: Set<InputTopic>;
  /** Something inherited is settled only as far as the next create tells: the inherited limits stay in force. */
  handsOnLimits: boolean;
  /** Parked records are being taken up. */
  refilling: boolean;
  /** Called when a full window has room again. */
  readonly roomWaiters: Set<() => void>;
  /** Tenants of `tenants` of whose records any changed since they were last looked at for room. */
  readonly touched: Set<string>;
  /** When all of them were. */
  allLookedAtMs: number;
}

/** As surveyed; null: the log has none. */
export type TopicIds = Readonly<Record<InputTopic | "registered", string | null>>;

/** A record that was read, until its outcome is durable. */
export type UnsettledRecord = Stray | Work;

interface Read {
  readonly partition: OwnedPartition;
  readonly topic: InputTopic;
  readonly slot: Slot;
  readonly record: LogRecord;
  /** Where it stands; only flow.ts changes it. */
  stage: Stage;
}

/** No enrollment, or none of this partition. */
interface Stray extends Read {
  readonly lane: null;
}

/** One valid enrollment on its way. */
export interface Work extends Read {
  readonly enrollment: Enrollment;
  readonly idempotencyKey: string;
  readonly lane: string;
  readonly enteredAtMs: number;
}

export type TakenOver = Pick<
  OwnedPartition,
  "number" | "claim" | "lease" | "takenOverAtMs" | "inherited" | "topicIds" | "ledger" | "parking"
> & {
  readonly plans: Readonly<Record<InputTopic, TakeOver>>;
  /** Where the dead-letter topic ended. */
  readonly deadLettersEnd: number;
};

export function createPartition({ plans, deadLettersEnd, ...taken }: TakenOver): OwnedPartition {
  const epochsOf = ({ startAt, leaderEpoch }: TakeOver) => createLeaderEpochs(startAt, leaderEpoch);
  return {
    ...taken,
    suspectsBelow: { enrolled: plans.enrolled.suspectsBelow, retry: plans.retry.suspectsBelow },
    readBefore: plans.retry.readThrough,
    readBeforeEpoch: plans.retry.readThroughEpoch,
    leaderEpochs: { enrolled: epochsOf(plans.enrolled), retry: epochsOf(plans.retry) },
    doubts: new Map(),
    deadLetters: createDeadLetters(plans, deadLettersEnd),
    window: createWindow(plans.enrolled.startAt),
    lanes: new Map(),
    tenants: new Map(),
    waitingSuspects: new Set(),
    waitingForPromise: new Set(),
    lost: new AbortController(),
    confirmed: true,
    suspectsReleased: false,
    saysHonoured: new Set(),
    handsOnLimits: false,
    refilling: false,
    roomWaiters: new Set(),
    touched: new Set(),
    allLookedAtMs: Number.NEGATIVE_INFINITY,
  };
}

export function isOwned(partition: OwnedPartition): boolean {
  return !partition.lost.signal.aborted;
}

export function sessionOf({ lease }: OwnedPartition): Session {
  return lease.session;
}

export function isHeld(partition: OwnedPartition, clock: Clock): boolean {
  return isOwned(partition) && partition.confirmed && isHolding(partition.lease, clock); // INV-LEASE
}

/**
 * May the outcome of a create be appended now? "wait": ask again after the next session. While not held, only what was
 * posted within the last request time-out may be: it ends before the next owner's settle time does.
 */
export function mayPublish(
  partition: OwnedPartition,
  { postedAt, requestTimeoutMs }: { readonly postedAt: Moment | null; readonly requestTimeoutMs: number },
  clock: Clock,
): "yes" | "wait" | "no" {
  const isFresh = postedAt !== null && elapsedMs(postedAt, momentOf(clock)) <= requestTimeoutMs; // INV-SETTLE-TIME
  if (isHeld(partition, clock) || isFresh) return "yes";
  return isOwned(partition) ? "wait" : "no";
}

/** What the next owner compares the log with. */
export function knownLogOf(partition: OwnedPartition, topic: InputTopic, committedOffset: number): KnownLog {
  return {
    topicId: partition.topicIds[topic],
    ledgerId: partition.topicIds.registered,
    ledgerEnd: partition.ledger.nextOffset,
    ledgerSize: partition.ledger.size,
    leaderEpoch: epochBefore(partition.leaderEpochs[topic], committedOffset),
    ...(topic === "retry" ? retryRead(partition) : { readThrough: committedOffset, readThroughEpoch: -1 }),
    deadLettersFrom: lookFrom(partition.deadLetters, topic, committedOffset),
  };
}

/** Whatever was parked and read is settled in the enrolled topic: the next owner must find it in the retry topic. */
function retryRead({ readBefore, readBeforeEpoch, parking, leaderEpochs }: OwnedPartition) {
  const { nextOffset } = parking;
  if (nextOffset < readBefore) return { readThrough: readBefore, readThroughEpoch: readBeforeEpoch };
  return { readThrough: nextOffset, readThroughEpoch: epochBefore(leaderEpochs.retry, nextOffset) };
}

/** What the next owner must wait for if this one vanishes now. `own`: of what is created from here on. */
export function limitsOf({ doubts, inherited, handsOnLimits }: OwnedPartition, own: Limits): Limits {
  let limits = handsOnLimits ? widest(own, inherited) : own;
  for (const doubt of doubts.values()) {
    if (doubt.inherited)
      limits = widest(limits, inherited); // INV-DOUBT
    else if (!doubt.isHonoured && limits.isHonoured) limits = { ...limits, isHonoured: false };
  }
  return limits;
}

export function widest(a: Limits, b: Limits): Limits {
  return {
    settleMs: Math.max(a.settleMs, b.settleMs),
    orphanMs: Math.max(a.orphanMs, b.orphanMs),
    isHonoured: a.isHonoured && b.isHonoured,
  };
}

/** The reading position and the watermark of one input. */
export function trackOf(
  partition: OwnedPartition,
  topic: InputTopic,
): { nextOffset: number; attemptedThrough: number } {
  return topic === "enrolled" ? partition.window : partition.parking;
}

export function settledThroughOf(partition: OwnedPartition, topic: InputTopic): number {
  return topic === "enrolled" ? settledThrough(partition.window) : parkedThrough(partition.parking);
}

/** What a clean shutdown commits as attemptedThrough. Suspects that were not even looked at remain suspects. */
export function taintedThroughOf(partition: OwnedPartition, topic: InputTopic): number {
  const suspectsBelow = partition.suspectsBelow[topic];
  if (topic === "retry") {
    const hasSuspects = parkedThrough(partition.parking) < suspectsBelow;
    return Math.max(parkedTaintedThrough(partition.parking), hasSuspects ? suspectsBelow : 0);
  }
  const isUnread = partition.window.nextOffset < suspectsBelow;
  return Math.max(taintedThrough(partition.window), isUnread ? suspectsBelow : 0);
}
