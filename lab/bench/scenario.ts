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

/** Of the registrar. */
export function atLeast(name: string, least: number, text: string): Target {
  return { text, reached: ({ registrar }) => compare(registrar?.[name], (value) => value >= least) };
}

/** Of the registrar. */
export function atMost(name: string, most: number, text: string): Target {
  return { text, reached: ({ registrar }) => compare(registrar?.[name], (value) => value <= most) };
}

/** The registrar's value is at least, or at most, this multiple of the other's. */
type Times = { readonly text: string } & ({ readonly atLeast: number } | { readonly atMost: number });

export function against(other: Contender, name: string, times: Times): Target {
  return {
    text: times.text,
    reached: (results) =>
      compare(results[other]?.[name], (theirs) => {
        const ours = results.registrar?.[name] ?? Number.NaN;
        return "atLeast" in times ? ours >= times.atLeast * theirs : ours <= times.atMost * theirs;
      }),
  };
}

function compare(value: number | undefined, holds: (value: number) => boolean): boolean | null {
  return value === undefined ? null : holds(value);
}
