/**
 * Rows of a record's life: its next stage after a create of it was answered, or was not.
 *
 * 1. INV-READ-BACK: a create that may have been carried out is read back before the next one: the record is in doubt. Where
 *    Graph has shown that it honours our ids, an outage is not read back: the next create with the same id tells, by 201 or
 *    409. The record stays in doubt until then, for the next owner.
 * 2. INV-GLOBAL-FAULT: a fault of the whole service stops the worker and dead-letters nothing.
 * 3. INV-ATTEMPTS: attempts are spent only while others succeed, and never by an outage (see `spends`). A blocked tenant's
 *    records are dead-lettered only when they have waited for tenantBlockedMaxMs.
 * 4. INV-READ-BACK: nothing in doubt is dead-lettered as refused; it is read back first, and posted once more.
 */
import assert from "node:assert/strict";
import type { GraphObject, GraphReply } from "../../graph-port.ts";
import type { Unknown } from "../../policy/classify.ts";
import type { Problem } from "../../problem.ts";
import { idsRefused, routeMissing } from "../fault.ts";
import type { Life, Past, Plain } from "../intake/stage.ts";
import { carriesId, isToldByCreate, type Known, raiseDoubt } from "./doubt.ts";
import type { Answered, Effect, Failure, TenantNow } from "./life-events.ts";
import { blockedRefusal } from "./refusals.ts";
import { deadLetter, go, register, type Step, withDoubt, withPast } from "./step.ts";

/** A record that fails alone is not distinguished from an outage of its tenant before this. */
const loneFailureMs = 300_000;
const remember: Effect = { kind: "remember-doubt" };
const lookAgain: Effect = { kind: "back-off", backoff: "none", atLeastMs: 0, report: null };
const enqueueInFront: Effect = { kind: "enqueue", where: "front" };
const readById: readonly Effect[] = [{ kind: "read-by-id" }];

export function onAnswered(stage: Plain, { verdict, reply, atMs, tenant }: Answered, known: Known): Step {
  if (verdict.kind === "created") return onCreated(stage, verdict.object, { reply, known });
  assert(tenant !== null, "what failed comes with what is known of its tenant");
  const failure: Failure = { verdict: verdict.kind, detail: verdict.detail, reply };
  const report: Effect = { kind: "report", failure, retryInMs: 0 };
  switch (verdict.kind) {
    case "conflict":
      return onConflict(stage, failure);
    case "refused":
      return onRefused(stage, verdict.code, { failure, atMs, known });
    case "unknown":
      return onUnknown(stage, verdict, { failure, atMs, known, tenant });
    case "unavailable":
      return go(stage, "backing-off", [backOff(0, failure)]);
    case "batch-refused":
      return again(withPast(stage, { goesAlone: true }), known, [report]);
    case "throttled":
      return again(stage, known, [report]); // Its tenant's queue is closed for as long as it has to be.
    case "tenant-blocked":
      return onBlocked(stage, failure, { known, tenant, more: [] });
    case "no-route": {
      if (!known.shown.route) return go(stage, "queued", [report, fault(routeMissing(verdict.detail))]); // INV-GLOBAL-FAULT
      // It answered others, so it is this tenant that lacks the service.
      const block: Effect = { kind: "block-tenant", detail: verdict.detail };
      return onBlocked(stage, failure, { known, tenant, more: [block] });
    }
  }
}

/** Its partition was lost meanwhile: what was created is still registered if that is soon enough, all else is the next owner's. */
export function onAnsweredTooLate(stage: Plain, event: Answered, known: Known): Step {
  const { doubt, attempts, postedAt, past } = stage;
  const { effects } = onAnswered({ at: "posting", doubt, attempts, postedAt, past }, event, known);
  return go(stage, "lost", effects.flatMap(beyondTheRecord));
}

function beyondTheRecord(effect: Effect): readonly Effect[] {
  switch (effect.kind) {
    case "register":
    case "report":
    case "block-tenant":
    case "fault":
      return [effect];
    case "back-off":
      return effect.report === null ? [] : [{ kind: "report", failure: effect.report, retryInMs: 0 }];
    default:
      return [];
  }
}

function onCreated(
  stage: Life,
  object: GraphObject,
  { reply, known }: { reply: GraphReply; known: Known },
): Step {
  const refusesIds = stage.past.withoutId && !known.shown.ids;
  return register(stage, { object, shownBy: "created", reply }, refusesIds ? [fault(idsRefused)] : []); // INV-GLOBAL-FAULT
}

/** 409: what stands under our id is read; a list would find it too, but may lag. */
function onConflict({ doubt, attempts, postedAt, past }: Life, { detail, reply }: Failure): Step {
  const refusal = { detail, reply };
  return { stage: { at: "conflict", refusal, doubt, attempts, postedAt, past }, effects: readById };
}

function onRefused(
  stage: Life,
  code: string,
  { failure, atMs, known }: { failure: Failure; atMs: number; known: Known },
): Step {
  if (stage.doubt !== null) return inDoubt(stage, failure, { known, atMs, askedMs: 0 }); // INV-READ-BACK
  if (known.rules.sendId && !known.shown.ids && !stage.past.withoutId) {
    // The record, or the id in it? Nothing was created, so once more without id is an ordinary retry, and it tells.
    const report: Effect = { kind: "report", failure, retryInMs: 0 };
    return go(withPast(stage, { withoutId: true }), "ready", [report, enqueueInFront]);
  }
  const message = `Graph refused it: ${failure.detail}`;
  return deadLetter(stage, { code, message, pointers: [] }, { reply: failure.reply });
}

function onUnknown(
  stage: Life,
  { cause, afterMs, detail }: Unknown,
  { failure, atMs, known, tenant }: { failure: Failure; atMs: number; known: Known; tenant: TenantNow },
): Step {
  const askedMs = afterMs ?? 0;
  if (cause === "outage") {
    const byCreate = known.shown.honoursIds && carriesId(stage, known.rules);
    const doubt = raiseDoubt(stage, known, { reply: failure.reply, atMs, askedMs, byCreate });
    return go(withDoubt(stage, doubt), "backing-off", [remember, backOff(askedMs, failure)]); // INV-READ-BACK
  }
  const { past } = stage;
  const life = withPast(stage, {
    vagueRefusals: cause === "vague" ? [...past.vagueRefusals, detail] : past.vagueRefusals,
    spent: spends(past, tenant, known) ? past.spent + 1 : past.spent, // INV-ATTEMPTS
    tenantCreates: tenant.creates,
    allCreates: tenant.allCreates,
  });
  return inDoubt(life, failure, { known, atMs, askedMs });
}

/**
 * Others of its tenant were created since it was last posted: then it is the record. Only others of other tenants: it
 * may be its tenant's trouble, so that counts only if no other record of the tenant fails, and only after a while; with
 * others failing, after as long as a blocked tenant is waited for.
 */
function spends(past: Past, tenant: TenantNow, { rules }: Known): boolean {
  if (tenant.creates > past.tenantCreates) return true;
  if (tenant.allCreates === past.allCreates) return false;
  return tenant.failingForMs >= (tenant.isAlone ? loneFailureMs : rules.tenantBlockedMaxMs);
}

/** It is read back before the next create. */
export function inDoubt(
  life: Life,
  failure: Failure,
  { known, atMs, askedMs }: { known: Known; atMs: number; askedMs: number },
): Step {
  const doubt = raiseDoubt(life, known, { reply: failure.reply, atMs, askedMs, byCreate: false });
  const wait: Effect = { kind: "back-off", backoff: "none", atLeastMs: askedMs, report: failure };
  return go(withDoubt(life, doubt), "backing-off", [remember, wait]); // INV-READ-BACK
}

function onBlocked(
  stage: Life,
  failure: Failure,
  { known, tenant, more }: { known: Known; tenant: TenantNow; more: readonly Effect[] },
): Step {
  // How long the tenant was blocked, not how old the record is: a backlog may be old already when it is first tried.
  const { blockedForMs } = tenant;
  if (blockedForMs > known.rules.tenantBlockedMaxMs) {
    const refusal = blockedRefusal(stage, blockedForMs, failure.detail);
    return deadLetter(stage, refusal, { reply: failure.reply, before: more }); // INV-ATTEMPTS
  }
  return again(stage, known, [{ kind: "report", failure, retryInMs: 0 }, ...more]);
}

/** To the front of its tenant's queue, unless it has to be read back by now. */
function again(life: Life, known: Known, before: readonly Effect[]): Step {
  const mayPost = life.doubt === null || isToldByCreate(life, known);
  return mayPost
    ? go(life, "ready", [...before, enqueueInFront])
    : go(life, "backing-off", [...before, lookAgain]);
}

function backOff(atLeastMs: number, report: Failure): Effect {
  return { kind: "back-off", backoff: "retry", atLeastMs, report };
}

function fault(what: Problem): Effect {
  return { kind: "fault", fault: what };
}
