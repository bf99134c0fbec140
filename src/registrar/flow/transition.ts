/**
 * A record's life: what each event makes of its stage, and what is to be done then. Pure. The stages before a create and after
 * the outcome are here, the answers to a create in answered.ts, the reads in read-rows.ts.
 *
 * 1. INV-DURABLE-OUTCOME: a record is settled only after its outcome is durable, a parked one when its copy was read again,
 *    or when the ledger holds its enrollment, or the dead-letter topic the record, already.
 * 2. INV-READ-BACK: no create while a create of it is in doubt, unless the next create itself tells. INV-WATERMARK: none
 *    that no acknowledged commit promises. INV-ONE-CREATE-PER-KEY: none of what the ledger holds.
 * 3. A record in doubt is dead-lettered only if its tenant is blocked, and the dead letter says that it is in doubt.
 * 4. INV-DOUBT: what leaves the window for the retry topic takes its doubt with it.
 * 5. INV-SERVED: no create for a tenant that is not served, and no dead letter for that reason while a create may have made an
 *    object. Such a dead letter waits for its promise as a create does: the next owner may have other tenants, and must look
 *    for it.
 * 6. What can't happen is a bug. What comes too late, for a record that has left, changes nothing.
 */
import assert from "node:assert/strict";
import type { Stage } from "../intake/stage.ts";
import { onAnswered, onAnsweredTooLate } from "./answered.ts";
import { doubtAgain, isToldByCreate, type Known } from "./doubt.ts";
import type { Effect, LifeEvent, Turn } from "./life-events.ts";
import { onConflictRead, onRead } from "./read-rows.ts";
import { finalRefusal, unlistedRefusal } from "./refusals.ts";
import { refuseAbsent } from "./refuse-absent.ts";
import { go, goInDoubt, type Step, stay, withDoubt, withPast } from "./step.ts";

/** `known`: what is the same for every record. */
export function transition(stage: Stage, event: LifeEvent, known: Known): Step {
  switch (stage.at) {
    case "entered":
      return onEntered(stage, event);
    case "turned-away":
      return event.kind === "appended" ? go(stage, "settled", settleAway) : impossible(stage, event); // INV-DURABLE-OUTCOME
    case "queued":
      return event.kind === "first" ? onTurn(stage, event, known) : onWaiting(stage, event);
    case "unpromised":
      return event.kind === "promised" ? onTurn(stage, event, known) : onWaiting(stage, event);
    case "suspect":
      return event.kind === "released" ? onTurn(stage, event, known) : onWaiting(stage, event);
    case "backing-off":
      return event.kind === "rested" ? onTurn(stage, event, known) : onWaiting(stage, event);
    case "paused":
      return event.kind === "reviewed" ? onTurn(stage, event, known) : onWaiting(stage, event);
    case "ready":
      if (event.kind === "reviewed") return onTurn(stage, event, known);
      return event.kind === "posted" ? post(stage, event.at) : onWaiting(stage, event);
    case "posting":
      if (event.kind === "lost") return go(stage, "posting-lost");
      return event.kind === "answered" ? onAnswered(stage, event, known) : impossible(stage, event);
    case "posting-lost":
      return event.kind === "answered" ? onAnsweredTooLate(stage, event, known) : impossible(stage, event);
    case "conflict":
      return onConflictRead(stage, event, known) ?? onBusy(stage, event);
    case "reading-back":
      return onRead(stage, event, known) ?? onWaiting(stage, event);
    case "publishing":
      return event.kind === "appended" ? go(stage, "settled", settleHead) : onBusy(stage, event); // INV-DURABLE-OUTCOME
    case "parking":
      if (event.kind === "arrived") return go(stage, "settled", settleAway); // INV-DURABLE-OUTCOME
      if (event.kind === "copy-lost") return { stage, effects: [park] };
      return isLate(event) ? stay(stage) : impossible(stage, event); // 6
    case "settled":
    case "lost":
      return isLate(event) ? stay(stage) : impossible(stage, event); // 6
  }
}

function onEntered(stage: Stage, event: LifeEvent): Step {
  switch (event.kind) {
    case "refused":
      return go(stage, "turned-away", [{ kind: "dead-letter", refusal: event.refusal, reply: null }]);
    case "astray":
      return go(stage, "turned-away", [{ kind: "move-home", home: event.home, tenantId: event.tenantId }]);
    case "known":
      return go(stage, "settled", [sayDuplicate, ...settleAway]); // INV-ONE-CREATE-PER-KEY
    case "accepted":
      return event.mustPark ? go(stage, "parking", [park]) : go(stage, "queued", enterLane); // INV-ORDER
    default:
      return impossible(stage, event);
  }
}

/** The first of a lane: what is the next step? */
function onTurn(stage: Stage, turn: Turn, known: Known): Step {
  const { isRegistered, isDeadLettered, doubt, isReleased, isPromised, standing } = turn;
  const { rules } = known;
  if (isRegistered) return go(stage, "settled", [sayDuplicate, ...settleHead]); // INV-ONE-CREATE-PER-KEY
  // Had we posted it ourselves, an object of it might exist.
  if (isDeadLettered && stage.attempts === 0)
    return go(withPast(stage, { isRefusedHere: true }), "settled", [sayDeadLettered, ...settleHead]); // INV-DURABLE-OUTCOME
  const life = stage.doubt === doubt ? stage : withDoubt(stage, doubt);
  // No create follows for who is not served.
  if (doubt !== null && !(standing === "served" && isToldByCreate(life, known))) {
    if (doubt.inherited && !isReleased) return goInDoubt({ ...stage, doubt }, "suspect", [awaitRelease]); // INV-DOUBT
    return goInDoubt({ ...stage, doubt }, "reading-back", [{ kind: "read-back", notBeforeMs: 0 }]); // INV-READ-BACK
  }
  if (standing === "paused") return go(life, "paused", [awaitTenant]); // INV-SERVED
  if (!isPromised) return go(life, "unpromised", [awaitPromise]); // INV-WATERMARK, INV-SERVED
  if (standing === "unlisted") return refuseAbsent(life, refusedHere, rules); // 3, INV-SERVED
  const refusal = doubt === null ? finalRefusal(stage.past, rules) : null;
  if (refusal !== null) return refuseAbsent(life, { refusal }, rules); // 3
  return go(life, "ready", enqueue);
}

function post({ attempts, doubt, past }: Stage, postedAt: Stage["postedAt"]): Step {
  return stay({ at: "posting", attempts: attempts + 1, postedAt, doubt, past });
}

/** It waits for something, and something else happens. */
function onWaiting(stage: Stage, event: LifeEvent): Step {
  if (event.kind === "room") {
    const again = stage.doubt === null ? doubtAgain(stage) : null;
    if (again !== null) return go(withDoubt(stage, again), "parking", [remember, withdraw, park]); // INV-DOUBT
    return go(stage, "parking", [withdraw, park]); // INV-DOUBT
  }
  return event.kind === "lost" ? go(stage, "lost") : impossible(stage, event);
}

function onBusy(stage: Stage, event: LifeEvent): Step {
  return event.kind === "lost" ? go(stage, "lost") : impossible(stage, event);
}

/** Parts that still held the record may raise these events after it has left. */
function isLate({ kind }: LifeEvent): boolean {
  return lateEvents.has(kind); // 6
}

function impossible(stage: Stage, event: LifeEvent): never {
  assert.fail(`a record that is ${stage.at} can't be ${event.kind}`); // 6
}

const lateEvents: ReadonlySet<LifeEvent["kind"]> = new Set([
  ...(["promised", "released", "rested", "reviewed", "lost"] as const),
  ...(["found", "missed", "undecided", "unread", "unlike", "unreadable"] as const),
]);

const refusedHere = { refusal: unlistedRefusal, past: { isRefusedHere: true } } as const;
const sayDuplicate: Effect = { kind: "say-duplicate" };
const sayDeadLettered: Effect = { kind: "say-dead-lettered" };
const withdraw: Effect = { kind: "withdraw" };
const park: Effect = { kind: "park" };
const awaitRelease: Effect = { kind: "await-release" };
const remember: Effect = { kind: "remember-doubt" };
const awaitTenant: Effect = { kind: "await-tenant" };
const awaitPromise: Effect = { kind: "await-promise" };
const enterLane: readonly Effect[] = [{ kind: "enter-lane" }];
const enqueue: readonly Effect[] = [{ kind: "enqueue", where: "back" }];
const settleHead: readonly Effect[] = [{ kind: "settle", leavesLane: true }];
const settleAway: readonly Effect[] = [{ kind: "settle", leavesLane: false }];
