/** What a row of the table says: the next stage, and what is to be done then, in this order. */
import type { Refusal } from "../../domain/refusal.ts";
import type { GraphReply } from "../../graph-port.ts";
import type { Doubt, InDoubt, Life, Past, Plain, Stage } from "../intake/stage.ts";
import type { Effect, Registering } from "./life-events.ts";

export interface Step {
  readonly stage: Stage;
  readonly effects: readonly Effect[];
}

const nothing: readonly Effect[] = [];

export function stay(stage: Stage): Step {
  return { stage, effects: nothing };
}

/** Member by member: this is done several times for each record. */
export function go(life: Life, at: Plain["at"], effects: readonly Effect[] = nothing): Step {
  const { doubt, attempts, postedAt, past } = life;
  return { stage: { at, doubt, attempts, postedAt, past }, effects };
}

export function goInDoubt(life: InDoubtLife, at: InDoubt["at"], effects: readonly Effect[]): Step {
  const { doubt, attempts, postedAt, past } = life;
  return { stage: { at, doubt, attempts, postedAt, past }, effects };
}

type InDoubtLife = Life & { readonly doubt: Doubt };

/** `effects` begin with what carries its outcome to the log. */
export function register(
  { attempts, postedAt, past }: Life,
  shown: Registering,
  effects: readonly Effect[] = nothing,
): Step {
  const graphId = shown.object.id;
  // What is found is no longer in doubt.
  const stage = {
    at: "publishing",
    outcome: "registered",
    graphId,
    doubt: null,
    attempts,
    postedAt,
    past,
  } as const;
  return { stage, effects: [{ kind: "register", ...shown }, ...effects] };
}

export function deadLetter(
  { doubt, attempts, postedAt, past }: Life,
  refusal: Refusal,
  { reply = null, before = nothing }: { reply?: GraphReply | null; before?: readonly Effect[] } = {},
): Step {
  const stage = {
    at: "publishing",
    outcome: "dead-letter",
    graphId: null,
    doubt,
    attempts,
    postedAt,
    past,
  } as const;
  return { stage, effects: [...before, { kind: "dead-letter", refusal, reply }] };
}

export function withDoubt<D extends Doubt | null>(
  { attempts, postedAt, past }: Life,
  doubt: D,
): Life & { readonly doubt: D } {
  return { doubt, attempts, postedAt, past };
}

export function withPast(life: Life, changes: Partial<Past>): Life {
  const { doubt, attempts, postedAt, past } = life;
  return { doubt, attempts, postedAt, past: { ...past, ...changes } };
}
