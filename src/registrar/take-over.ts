/**
 * Where to begin on an input partition, and which of its records a previous owner may have attempted. Pure.
 *
 * 1. Everything at or after `suspectsBelow` is certainly fresh; everything before it, from startAt on, is suspect.
 * 2. Records that nobody settled and that the log no longer holds are never passed over silently.
 */
import type { InputPosition, InputTopic } from "../ports.ts";
import { decodeMetadata } from "./commit-metadata.ts";
import type { Fault } from "./fault.ts";

export interface TakeOver {
  readonly startAt: number;
  readonly suspectsBelow: number;
  /** The attemptedThrough that is stored already: the next commit may not promise less. */
  readonly attemptedThrough: number;
}

/** `ledgerEmpty`: this partition's registered topic never held a record. */
export function planTakeOver(
  position: InputPosition,
  ledgerEmpty: boolean,
  onRetentionGap: "stop" | "continue",
): TakeOver | Fault {
  const { committed, logStart, logEnd } = position;
  if (committed === null) {
    // Every create is preceded by a commit. Without one, and nothing ever registered, nothing was attempted; if
    // something was registered, the commit expired and says nothing any more.
    const attemptedThrough = ledgerEmpty ? logStart : logEnd;
    return { startAt: logStart, suspectsBelow: attemptedThrough, attemptedThrough };
  }
  if (committed.offset < logStart || committed.offset > logEnd) {
    if (onRetentionGap === "stop")
      return gapFault(position.topic, position.partition, committed.offset, logStart); // 2
    return { startAt: logStart, suspectsBelow: logEnd, attemptedThrough: logEnd };
  }
  const metadata = decodeMetadata(committed.metadata);
  const attemptedThrough = Math.max(metadata?.attemptedThrough ?? logEnd, committed.offset);
  // A promise reaches ahead of the log; what was not there yet at the take-over was not attempted either.
  return { startAt: committed.offset, suspectsBelow: Math.min(attemptedThrough, logEnd), attemptedThrough }; // 1
}

/** `expected`: the offset that should have come next. */
export function gapFault(topic: InputTopic, partition: number, expected: number, logStart: number): Fault {
  const where = `${topic} partition ${partition}`;
  return {
    code: "retention-gap",
    message:
      expected < logStart
        ? `${where}: records ${expected} to ${logStart - 1} were deleted by retention before anybody settled them.`
        : `${where}: the committed offset ${expected} is beyond the log's end; the topic was truncated or made anew.`,
    fix: "Restore them from a backup if you have one; to go on with what is there, start with ON_RETENTION_GAP=continue.",
  };
}
