/**
 * The metadata string of an offset commit: the attempt watermark, who claims the partition, and what the next owner must
 * know of the writer and of the log that it knew. Members that an older version does not write are null.
 */
import type { Holder } from "../../ports.ts";
import type { KnownLedger } from "../ledger/lost-since.ts";

export interface CommitMetadata {
  /** No create was begun at or after this offset. */
  readonly attemptedThrough: number;
  /** Names one ownership of one partition: the next owner commits another one before doing anything. */
  readonly claim: string;
  /** The time limits of the worker that may have created what is unsettled: the next owner waits for these, not for its own. */
  readonly limits: Limits | null;
  readonly known: KnownLog | null;
  /** The worker that may continue for a while after its place was taken. Absent: none may. */
  readonly holder?: Holder;
}

export interface Limits {
  /** After this time, nothing that a living worker began is still under way. */
  readonly settleMs: number;
  /** After so long, no request is sent any more by the kernel of a worker that vanished. */
  readonly orphanMs: number;
  /** All that may have been created carried our id, and Graph has shown that it honours ids. */
  readonly isHonoured: boolean;
}

/** `takesIds`: Graph has shown that it honours our ids. */
export function ownLimits(
  { settleMs, orphanMs, sendId }: { settleMs: number; orphanMs: number; sendId: boolean },
  takesIds: boolean,
): Limits {
  return { settleMs, orphanMs, isHonoured: sendId && takesIds };
}

export interface KnownLog extends KnownLedger {
  /** Id of this input topic; null: the log has none. */
  readonly topicId: string | null;
  /** Leader epoch of the last record before the committed offset; -1: unknown. */
  readonly leaderEpoch: number;
  /** This input can't end before: the committed offset, or how far the retry topic was read. */
  readonly readThrough: number;
  /** Leader epoch of the last record before `readThrough`; -1: unknown. */
  readonly readThroughEpoch: number;
  /** Every dead letter of a record that this commit does not cover is at this offset or later; null: an older version's commit. */
  readonly deadLettersFrom: number | null;
}

/** Version 1 since 0.1.0, whose readers pass over the members that they don't know. */
export function encodeMetadata({ attemptedThrough, claim, limits, known, holder }: CommitMetadata): string {
  return JSON.stringify({
    v: 1,
    a: attemptedThrough,
    c: claim,
    ...(limits === null ? {} : { s: limits.settleMs, o: limits.orphanMs, h: limits.isHonoured ? 1 : 0 }),
    ...(known === null
      ? {}
      : {
          t: known.topicId,
          g: known.ledgerId,
          l: known.ledgerEnd,
          n: known.ledgerSize,
          e: known.leaderEpoch,
          r: known.readThrough,
          ...(known.readThroughEpoch < 0 ? {} : { f: known.readThroughEpoch }),
          ...(known.deadLettersFrom === null ? {} : { d: known.deadLettersFrom }),
        }),
    ...(holder === undefined ? {} : { m: holder.memberId, w: holder.overlapMs }),
  });
}

/** Null for whatever another program committed (an operator's offset reset, for one). */
export function decodeMetadata(text: string): CommitMetadata | null {
  try {
    const stored = JSON.parse(text) as Record<string, unknown>;
    const { v, a, c } = stored;
    if (v !== 1 || !Number.isSafeInteger(a) || typeof c !== "string") return null;
    const [limits, known, holder] = [readLimits(stored), readKnown(stored), readHolder(stored)];
    return { attemptedThrough: a as number, claim: c, limits, known, ...(holder === null ? {} : { holder }) };
  } catch {
    return null;
  }
}

function readLimits({ s, o, h }: Record<string, unknown>): Limits | null {
  if (!isCount(s) || !isCount(o)) return null;
  return { settleMs: s, orphanMs: o, isHonoured: h === 1 };
}

function readKnown({ t, g, l, n, e, r, f, d }: Record<string, unknown>): KnownLog | null {
  if (!isCount(l)) return null;
  return {
    topicId: typeof t === "string" ? t : null,
    ledgerId: typeof g === "string" ? g : null,
    ledgerEnd: l,
    ledgerSize: isCount(n) ? n : 0,
    leaderEpoch: Number.isSafeInteger(e) ? (e as number) : -1,
    readThrough: isCount(r) ? r : 0,
    readThroughEpoch: isCount(f) ? f : -1,
    deadLettersFrom: isCount(d) ? d : null,
  };
}

function readHolder({ m, w }: Record<string, unknown>): Holder | null {
  return typeof m === "string" && isCount(w) ? { memberId: m, overlapMs: w } : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
