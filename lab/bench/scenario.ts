/** What a scenario is. */
import type { Bench, Contender } from "./contenders.ts";
import type { Measures } from "./numbers.ts";

export type Results = Partial<Record<Contender, Measures>>;

export interface Target {
  /** As in the README's table. */
  readonly text: string;
  /** Null: what it compares with was not measured. */
  readonly reached: (results: Results) => boolean | null;
}

export interface Scenario {
  readonly name: string;
  readonly setUp: string;
  readonly contenders: readonly Contender[];
  readonly targets: readonly Target[];
  readonly run: (bench: Bench, contender: Contender) => Promise<Measures>;
}

type Who = Contender;

export function atLeast(who: Who, name: string, least: number, text: string): Target {
  return { text, reached: (results) => compare(results[who]?.[name], (value) => value >= least) };
}

export function atMost(who: Who, name: string, most: number, text: string): Target {
  return { text, reached: (results) => compare(results[who]?.[name], (value) => value <= most) };
}

/** The registrar's value is at least (or at most) `factor` times the other's. */
export function against(
  other: Who,
  name: string,
  bound: "at least" | "at most",
  factor: number,
  text: string,
): Target {
  return {
    text,
    reached: (results) =>
      compare(results[other]?.[name], (theirs) => {
        const ours = results.registrar?.[name] ?? Number.NaN;
        return bound === "at least" ? ours >= factor * theirs : ours <= factor * theirs;
      }),
  };
}

function compare(value: number | undefined, holds: (value: number) => boolean): boolean | null {
  return value === undefined ? null : holds(value);
}
