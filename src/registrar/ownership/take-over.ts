/**
 * Where to begin on an input partition, and which of its records a previous owner may have attempted. Pure.
 *
 * 1. INV-DOUBT: everything at or after `suspectsBelow` is certainly fresh; everything before it, from startAt on, is
 *    suspect.
 * 2. INV-KNOWN-LOG: unsettled records that the log no longer holds are never skipped silently.
 */
import type { InputPosition, InputTopic, ReadResult } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { decodeMetadata, type Limits } from "./commit-metadata.ts";

export interface TakeOver {
  readonly startAt: number;
  readonly suspectsBelow: number;
  /** The attemptedThrough that is stored already: the next commit may not promise less. */
  readonly attemptedThrough: number;
  /** The limits of the worker that attempted; null: unknown. */
  readonly limits: Limits | null;
  /** Leader epoch of the last record before startAt; -1: unknown. */
  readonly leaderEpoch: number;
  /** Where this input ends at the least, by what others have committed. */
  readonly readThrough: number;
  /** Leader epoch of the last record before `readThrough`; -1: unknown. */
  readonly readThroughEpoch: number;
  /** Where dead letters of its records may stand that no commit covers; null: unknown. */
  readonly deadLettersFrom: number | null;
  /** What the operator said to pass over; null: nothing is missing. */
  readonly passed: Gap | null;
}

export interface Circumstances {
  /** Of the input topic, now. */
  readonly topicId: string | null;
  /** As far as is known, no worker ever committed for this partition number or registered anything. */
  readonly isUntouched: boolean;
  readonly onRetentionGap: "stop" | "continue";
}

export function planTakeOver(
  position: InputPosition,
  { topicId, isUntouched, onRetentionGap }: Circumstances,
): TakeOver | Problem {
  const { topic, partition, committed, logStart, logEnd } = position;
  if (committed === null) {
    // Every create is preceded by a commit. Without one, and nothing ever registered, nothing was attempted; if
    // something was registered, the commit expired and says nothing any more.
    const attemptedThrough = isUntouched ? logStart : logEnd;
    return { ...from(logStart, attemptedThrough), attemptedThrough };
  }
  const metadata = decodeMetadata(committed.metadata);
  const known = metadata?.known ?? null;
  const readThrough = Math.max(committed.offset, known?.readThrough ?? 0);
  const isOther = known !== null && isOtherTopic(known.topicId, topicId);
  const gap = gapOf({ expected: committed.offset, readThrough }, isOther, { logStart, logEnd });
  if (gap !== null) {
    if (onRetentionGap === "stop") return gapFault(topic, partition, gap); // INV-KNOWN-LOG
    const limits = metadata?.limits ?? null;
    return { ...from(logStart, logEnd), attemptedThrough: logEnd, limits, passed: gap };
  }
  const attemptedThrough = Math.max(metadata?.attemptedThrough ?? logEnd, committed.offset);
  return {
    // A promise reaches ahead of the log; what was not there yet at the take-over was not attempted either.
    ...from(committed.offset, Math.min(attemptedThrough, logEnd)), // INV-DOUBT
    attemptedThrough,
    limits: metadata?.limits ?? null,
    leaderEpoch: known?.leaderEpoch ?? -1,
    readThrough,
    readThroughEpoch: known?.readThroughEpoch ?? -1,
    deadLettersFrom: known?.deadLettersFrom ?? null,
  };
}

/** All that is there is suspect: it is not what was read before. */
export function fromTheStart({ limits }: TakeOver, { logStart, logEnd }: InputPosition): TakeOver {
  return { ...from(logStart, logEnd), attemptedThrough: logEnd, limits };
}

function from(startAt: number, suspectsBelow: number) {
  // Nothing is known of the records there: a dead letter of the same position may be another record's.
  return {
    startAt,
    suspectsBelow,
    limits: null,
    leaderEpoch: -1,
    readThrough: startAt,
    readThroughEpoch: -1,
    deadLettersFrom: null,
    passed: null,
  };
}

export type Gap = Omit<Extract<ReadResult, { kind: "gap" }>, "kind">;

/** What is gone from one of the inputs. */
export interface InputGap {
  readonly topic: InputTopic;
  readonly gap: Gap;
}

/** Null: the log has no ids, or did not have any then. */
function isOtherTopic(knownId: string | null, topicId: string | null): boolean {
  return knownId !== null && topicId !== null && knownId !== topicId;
}

function gapOf(
  { expected, readThrough }: { readonly expected: number; readonly readThrough: number },
  isOther: boolean,
  bounds: { readonly logStart: number; readonly logEnd: number },
): Gap | null {
  if (isOther) return { why: "recreated", expected, ...bounds };
  if (expected < bounds.logStart) return { why: "deleted", expected, ...bounds };
  return readThrough > bounds.logEnd ? { why: "truncated", expected: readThrough, ...bounds } : null;
}

export function gapFault(topic: InputTopic, partition: number, gap: Gap): Problem {
  const { why, expected, logStart, logEnd } = gap;
  const what = {
    deleted: `records ${expected} to ${logStart - 1} were deleted by retention before they were settled.`,
    truncated:
      expected > logEnd
        ? `the position ${expected} is beyond the log's end ${logEnd}: the topic was truncated, or restored shorter.`
        : `the log no longer holds the record before position ${expected}: it was lost when another replica became leader.`,
    recreated: `the topic is not the one that was read up to ${expected}: it was deleted and created again.`,
  }[why];
  return {
    code: "retention-gap",
    message: `${topic} partition ${partition}: ${what}`,
    fix:
      "Restore the records from a backup if you have one. To continue with what is there, start with " +
      "ON_RETENTION_GAP=continue: every record that is there is looked up in Graph first; what is gone is not registered.",
  };
}
