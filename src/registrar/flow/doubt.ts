/**
 * A create that may have been carried out, and how it is found out whether it was. Pure.
 *
 * 1. INV-READ-BACK: found counts whenever it was read. Absent counts only after every request that could still create the
 *    object has ended: after `rereadCount` spaced lists, or one read by an id that Graph honours, since the next create
 *    would be answered 409.
 * 2. The next create itself may tell, by 201 or 409, where Graph has shown that it honours our ids.
 */
import type { GraphReply } from "../../graph-port.ts";
import { mayStillRun } from "../../policy/classify.ts";
import type { Doubt, Life } from "../intake/stage.ts";
import type { RegistrarSettings } from "../settings.ts";

/** The settings on which a record's life depends. */
export type Rules = Pick<
  RegistrarSettings,
  "sendId" | "maxAttempts" | "settleMs" | "rereadCount" | "rereadDelayMs" | "tenantBlockedMaxMs" | "sabotage"
>;

/** What Graph has shown so far. */
export interface Shown {
  /** That the operation exists. */
  readonly route: boolean;
  /** That it accepts our ids. */
  readonly ids: boolean;
  /** That it makes objects under them: then it answers the same id with 409. */
  readonly honoursIds: boolean;
}

export interface Known {
  readonly rules: Rules;
  readonly shown: Shown;
}

/** After a create that `reply` left in doubt. `askedMs`: what Graph asked for. */
export function raiseDoubt(
  life: Life,
  { rules }: Known,
  { reply, atMs, askedMs, byCreate }: { reply: GraphReply; atMs: number; askedMs: number; byCreate: boolean },
): Doubt {
  const postedAtMs = life.postedAt?.monotonicMs ?? atMs;
  const absentAfterMs = mayStillRun(reply) ? postedAtMs + rules.settleMs : atMs;
  return {
    inherited: false,
    isHonoured: carriesId(life, rules),
    absentAfterMs,
    orphansUntilMs: absentAfterMs,
    misses: 0,
    nextReadAtMs: atMs + askedMs,
    byCreate,
  };
}

/** Is it posted under its own id? */
export function carriesId({ past }: Life, { sendId }: Pick<Rules, "sendId">): boolean {
  return sendId && !past.withoutId;
}

/** May the next create of it tell what became of the last one? */
export function isToldByCreate({ doubt }: Pick<Life, "doubt">, { shown }: Known): boolean {
  return doubt?.byCreate === true && shown.honoursIds; // 2
}

/** Does a read by its id tell? Only where the create in doubt certainly carried ours. */
export function isToldById({ doubt, past }: Life, { shown }: Known): boolean {
  if (doubt === null || !doubt.isHonoured || past.needsList) return false;
  return doubt.inherited || shown.honoursIds;
}

/** A whole list that was begun at `startedMs` did not show it. Null: it surely is not there. */
export function afterMissingList(doubt: Doubt, startedMs: number, rules: Rules): Doubt | null {
  const misses = startedMs >= doubt.absentAfterMs ? doubt.misses + 1 : doubt.misses; // INV-READ-BACK
  if (misses >= rules.rereadCount) return null;
  return {
    ...doubt,
    misses,
    nextReadAtMs: Math.max(startedMs + rules.rereadDelayMs, doubt.absentAfterMs),
  };
}

/** Until when a late create may still make the object, after a read begun at `startedMs` found none; 0: it can't. */
export function orphansAfter({ doubt, past }: Life, startedMs: number): number {
  const untilMs = Math.max(doubt?.orphansUntilMs ?? 0, past.orphansUntilMs);
  return startedMs < untilMs ? untilMs : 0;
}

/** It counted as absent because a create was to follow. None follows, so it is looked up once more. Null: it is certainly absent. */
export function doubtAgain({ past: { orphansUntilMs } }: Life): Doubt | null {
  return orphansUntilMs === 0 ? null : toReadById(orphansUntilMs);
}

/** Only lists have called it absent, and they may lag: it is read by its id. Null: it was, or each such read said nothing. */
export function doubtOfLists({ past: { listMisses } }: Life, { sabotage }: Rules): Doubt | null {
  if (sabotage?.has("lists-alone")) return null;
  return listMisses > 0 && listMisses <= idReadsMax ? toReadById(0) : null;
}

const idReadsMax = 5;

function toReadById(atMs: number): Doubt {
  const times = { absentAfterMs: atMs, orphansUntilMs: atMs, nextReadAtMs: atMs };
  return { inherited: true, isHonoured: true, ...times, misses: 0, byCreate: false };
}
