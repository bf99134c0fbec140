/**
 * Rows of a record's life: what a read of Graph says about a create in doubt, or about a create that was answered 409.
 *
 * 1. INV-READ-BACK: found is found. Absent is said by doubt.ts.
 * 2. A read without a result proves nothing: the lists are read next, and after a 409 the record stays in doubt.
 * 3. INV-ATTEMPTS: what is dead-lettered in doubt, its tenant being blocked, says that an object may exist.
 */

import type { InConflict, InDoubt } from "../intake/stage.ts";
import { inDoubt } from "./answered.ts";
import { afterMissingList, type Known, orphansAfter } from "./doubt.ts";
import type { Effect, LifeEvent } from "./life-events.ts";
import { blockedRefusal, finalRefusal } from "./refusals.ts";
import { deadLetter, go, goInDoubt, register, type Step, stay, withDoubt, withPast } from "./step.ts";

const remember: Effect = { kind: "remember-doubt" };

/** Null: no read's affair. */
export function onRead(stage: InDoubt, event: LifeEvent, known: Known): Step | null {
  const { rules } = known;
  const { doubt } = stage;
  switch (event.kind) {
    case "found":
      return register(stage, { object: event.object, shownBy: "read-back", reply: null }); // INV-READ-BACK
    case "missed": {
      if (event.by === "id") {
        if (event.startedMs >= doubt.absentAfterMs) return onAbsent(stage, event, known); // INV-READ-BACK
        return { stage, effects: [{ kind: "read-back", notBeforeMs: doubt.absentAfterMs }] };
      }
      const next = afterMissingList(doubt, event.startedMs, rules);
      return next === null
        ? onAbsent(stage, event, known)
        : goInDoubt({ ...stage, doubt: next }, "reading-back", [remember]);
    }
    case "undecided": {
      const next = { ...doubt, nextReadAtMs: event.startedMs + rules.rereadDelayMs };
      return goInDoubt({ ...stage, doubt: next }, "reading-back", [remember]);
    }
    case "unread":
    case "unlike":
      return goInDoubt({ ...withPast(stage, { needsList: true }), doubt }, "reading-back", [
        { kind: "read-back", notBeforeMs: 0 },
      ]); // 2
    case "unreadable":
      if (event.waitedMs <= rules.tenantBlockedMaxMs) return stay(stage);
      return deadLetter(stage, blockedRefusal(stage, event.waitedMs, event.detail)); // INV-ATTEMPTS
    default:
      return null;
  }
}

/** It surely was not created, or the next create would tell. */
function onAbsent(
  stage: InDoubt,
  { by, startedMs }: Extract<LifeEvent, { kind: "missed" }>,
  { rules, shown }: Known,
): Step {
  const { vagueRefusals } = stage.past;
  const orphansUntilMs = orphansAfter(stage, startedMs);
  const listMisses = by === "list" ? stage.past.listMisses + 1 : 0;
  const forget: Effect = { kind: "forget-doubt", handsOn: orphansUntilMs > 0 };
  const detail = vagueRefusals.at(-1);
  // It may be the id that Graph refuses: without one, the next create tells.
  const isPerhapsId = detail !== undefined && rules.sendId && !shown.ids;
  const life = withPast(stage, {
    withoutId: isPerhapsId || stage.past.withoutId,
    orphansUntilMs,
    listMisses,
  });
  // Without a pause, a server that fails everything would be asked again immediately. No create follows a final refusal.
  const backoff = finalRefusal(life.past, rules) !== null ? "none" : detail === undefined ? "retry" : "vague";
  return go(withDoubt(life, null), "backing-off", [
    forget,
    { kind: "back-off", backoff, atLeastMs: 0, report: null },
  ]);
}

/** Null: no read's affair. */
export function onConflictRead(stage: InConflict, event: LifeEvent, known: Known): Step | null {
  const { detail, reply } = stage.refusal;
  const failure = { verdict: "conflict", detail, reply } as const;
  switch (event.kind) {
    case "found":
      return register(stage, { object: event.object, shownBy: "conflict", reply: event.reply }); // 1
    case "missed":
    case "unlike": {
      if (!stage.past.wasConflict || stage.doubt !== null) {
        // It says that the object exists, so it may only not be shown yet: the lists are spaced, another read by id is not.
        const life = withPast(stage, { wasConflict: true, needsList: true });
        return inDoubt(life, failure, { known, atMs: event.atMs, askedMs: 0 });
      }
      const message = `Graph says that it exists, but shows no object of this identity: ${detail}`;
      return deadLetter(stage, { code: "graph-409", message, pointers: [] }, { reply });
    }
    case "unread":
      return inDoubt(stage, failure, { known, atMs: event.atMs, askedMs: 0 }); // 2
    default:
      return null;
  }
}
