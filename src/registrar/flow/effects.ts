/** Carries out what the table of a record's life says, by the part that can. Nothing is decided here. */
import assert from "node:assert/strict";
import type { Position } from "../../observer.ts";
import { backoffMs } from "../../policy/backoff.ts";
import type { LogRecord } from "../../ports.ts";
import { settleTaken } from "../intake/parking.ts";
import { isTainted } from "../intake/stage.ts";
import { settle as settleSlot } from "../intake/window.ts";
import type { UnsettledRecord, Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { enterLane, leaveLane, withdraw } from "./lanes.ts";
import type { Effect, Failure } from "./life-events.ts";
import type { Outcomes } from "./outcomes.ts";
import type { ReadBack } from "./read-back.ts";
import type { Tenants } from "./tenants.ts";
import type { Turns } from "./turns.ts";

export interface EffectParts {
  readonly outcomes: Outcomes;
  readonly dispatcher: Pick<Dispatcher, "enqueue" | "requeue">;
  readonly tenants: Pick<Tenants, "block" | "closedUntilMs">;
  readonly readBack: Pick<ReadBack, "request" | "requestById">;
  readonly turns: Turns;
}

type OfAny = Extract<Effect, { kind: "dead-letter" | "move-home" | "settle" }>;
type BackOff = Extract<Effect, { kind: "back-off" }>;

const backoffs = {
  retry: { baseMs: 250, capMs: 30_000 },
  /** For refusals that name no reason: what passes by itself gets some time to. */
  vague: { baseMs: 5_000, capMs: 60_000 },
};

export function createEffects(
  core: Core,
  parts: EffectParts,
): (unsettled: UnsettledRecord, effect: Effect) => void {
  const { ports, shown, outside } = core;
  const { clock, random, observe, traces } = ports;
  const { outcomes, dispatcher, tenants, readBack, turns } = parts;
  return carryOut;

  function carryOut(unsettled: UnsettledRecord, effect: Effect): void {
    switch (effect.kind) {
      case "dead-letter":
        return outcomes.deadLetter(unsettled, effect.refusal, effect.reply);
      case "move-home":
        return outcomes.moveHome(unsettled, effect.home, effect.tenantId);
      case "settle":
        return settle(unsettled, effect.leavesLane);
      default:
        carryOutFor(enrollmentOf(unsettled, effect), effect);
    }
  }

  function carryOutFor(work: Work, effect: Exclude<Effect, OfAny>): void {
    const { partition, idempotencyKey } = work;
    const { tenantId } = work.enrollment;
    switch (effect.kind) {
      case "register":
        shown.of(tenantId).learn(work, effect.object, effect.shownBy);
        return outcomes.register(work, effect);
      case "withdraw":
        return withdraw(work);
      case "park":
        return outcomes.park(work);
      case "say-duplicate":
        return observe({ kind: "record-duplicate", at: positionOf(work.record), idempotencyKey });
      case "say-dead-lettered":
        return observe({ kind: "dead-letter-found", at: positionOf(work.record) });
      case "enter-lane":
        if (enterLane(work)) turns.take(work, "first", false);
        return;
      case "await-release":
        return void partition.waitingSuspects.add(work);
      case "await-promise":
        partition.waitingForPromise.add(work);
        return outside.commitNow();
      case "await-tenant":
        return outside.paused(partition);
      case "enqueue":
        return effect.where === "back" ? dispatcher.enqueue(work) : dispatcher.requeue(work);
      case "back-off":
        return backOff(work, effect);
      case "remember-doubt":
        assert(work.stage.doubt !== null, "there is no doubt to remember");
        return void partition.doubts.set(idempotencyKey, work.stage.doubt);
      case "forget-doubt":
        partition.handsOnLimits ||= effect.handsOn;
        return void partition.doubts.delete(idempotencyKey);
      case "read-back":
        return readBack.request(work, effect.notBeforeMs);
      case "read-by-id":
        return readBack.requestById(work);
      case "report":
        return report(work, effect.failure, effect.retryInMs);
      case "block-tenant":
        return tenants.block(tenantId, "creates", effect.detail);
      case "fault":
        return outside.fault(effect.fault);
    }
  }

  function settle(unsettled: UnsettledRecord, leavesLane: boolean): void {
    const { partition, slot, topic } = unsettled;
    const staysTainted = isTainted(unsettled.stage);
    if (topic === "enrolled") settleSlot(partition.window, slot, staysTainted);
    else settleTaken(partition.parking, slot, staysTainted);
    traces?.settled(unsettled.record);
    const next = leavesLane ? leaveLane(enrollmentOf(unsettled, { kind: "settle", leavesLane })) : undefined;
    if (next !== undefined) turns.goOnWith(next);
    outside.settled(unsettled.partition);
  }

  function backOff(work: Work, { backoff, atLeastMs, report: failure }: BackOff): void {
    const drawnMs = backoff === "none" ? 0 : backoffMs(work.stage.attempts, random, backoffs[backoff]);
    const retryInMs = Math.max(atLeastMs, drawnMs);
    if (failure !== null) report(work, failure, retryInMs);
    clock.after(retryInMs, () => turns.take(work, "rested"));
  }

  function report(work: Work, { verdict, detail, reply }: Failure, atLeastMs: number): void {
    const requestId = reply.kind === "answer" ? reply.requestId : null;
    const { tenantId } = work.enrollment;
    const at = positionOf(work.record);
    const retryInMs = Math.max(atLeastMs, tenants.closedUntilMs(tenantId) - clock.nowMs());
    observe({ kind: "attempt-failed", at, tenantId, verdict, detail, retryInMs, requestId });
  }
}

function enrollmentOf(unsettled: UnsettledRecord, { kind }: Effect): Work {
  assert(unsettled.lane !== null, `only an enrollment can ${kind}`);
  return unsettled;
}

function positionOf({ topic, partition, offset }: LogRecord): Position {
  return { topic, partition, offset };
}
