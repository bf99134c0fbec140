/**
 * The end of a record whose object is absent as far as is known: no create follows, whose 201 or 409 would correct that.
 *
 * 1. INV-READ-BACK: what counted as absent before the requests of a vanished owner had ended is looked up once more.
 * 2. INV-READ-BACK: what only lists have called absent is read by its id first. Lists may lag for longer than the re-reads take.
 *    An answer of 404 proves nothing where Graph ignores ids, and costs one request.
 */
import type { Refusal } from "../../domain/refusal.ts";
import type { Life, Past } from "../intake/stage.ts";
import { doubtAgain, doubtOfLists, type Rules } from "./doubt.ts";
import type { Effect } from "./life-events.ts";
import { deadLetter, goInDoubt, type Step, withDoubt, withPast } from "./step.ts";

const remember: Effect = { kind: "remember-doubt" };
const readById: Effect = { kind: "read-by-id" };

interface Refused {
  readonly refusal: Refusal;
  /** Remembered of it if it is refused now. */
  readonly past?: Partial<Past>;
}

export function refuseAbsent(life: Life, { refusal, past = {} }: Refused, rules: Rules): Step {
  const late = doubtAgain(life);
  if (late !== null) {
    const read: Effect = { kind: "read-back", notBeforeMs: late.absentAfterMs };
    return goInDoubt(withDoubt(life, late), "reading-back", [remember, read]); // 1
  }
  const unseen = doubtOfLists(life, rules);
  if (unseen !== null) return goInDoubt(withDoubt(life, unseen), "reading-back", [remember, readById]); // 2
  return deadLetter(withPast(life, past), refusal);
}
