/**
 * A run that `bench --json` printed, read back. The file may hold the result alone, in any layout, or all that was printed: then
 * the result is its last line that is not empty. It may come from anywhere: what is not a result of the benchmark is refused,
 * with the place of what is wrong.
 */
import type { Contender } from "../contenders.ts";
import type { Measures } from "../numbers.ts";
import type { About, Run, ScenarioResult } from "./charts.ts";

export type Parsed =
  | { readonly ok: true; readonly run: Run }
  | { readonly ok: false; readonly reason: string };

const contenders: readonly Contender[] = ["registrar", "naive", "bento", "floor"];
const largest = 1e15;

class Unreadable extends Error {}

export function parseRun(text: string, scenarios: readonly string[]): Parsed {
  const value = parsedJson(text) ?? parsedJson(text.trimEnd().split("\n").at(-1)!);
  if (value === undefined) return { ok: false, reason: "neither it nor its last line is JSON" };
  try {
    return { ok: true, run: readRun(value, scenarios) };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, reason: error.message };
    throw error;
  }
}

/** Undefined: it is none. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readRun(value: unknown, scenarios: readonly string[]): Run {
  const whole = object(value, "the result");
  const list = whole.results === undefined ? [whole] : array(whole.results, "results");
  const results = list.map((one, i) =>
    readResult(one, whole.results === undefined ? "" : `results[${i}].`, scenarios),
  );
  const twice = results.find(
    ({ scenario }, i) => results.findIndex((one) => one.scenario === scenario) !== i,
  );
  if (twice !== undefined) throw new Unreadable(`the scenario ${twice.scenario} is in it twice`);
  return { results, about: readAbout(whole.about) };
}

function readResult(value: unknown, at: string, scenarios: readonly string[]): ScenarioResult {
  const result = object(value, at === "" ? "the result" : at.slice(0, -1));
  const { scenario, runs } = result;
  if (typeof scenario !== "string" || !scenarios.includes(scenario))
    throw new Unreadable(`${at}scenario is ${shown(scenario)}, which is not a scenario of this benchmark`);
  if (!Number.isSafeInteger(runs) || (runs as number) < 1)
    throw new Unreadable(`${at}runs is ${shown(runs)}, not a whole number above 0`);
  const measures: Partial<Record<Contender, Measures>> = {};
  for (const who of contenders)
    if (Object.hasOwn(result, who)) measures[who] = readMeasures(result[who], `${at}${who}`);
  return { scenario, runs: runs as number, measures };
}

function readMeasures(value: unknown, at: string): Measures {
  const entries = Object.entries(object(value, at));
  for (const [name, number] of entries)
    if (typeof number !== "number" || !Number.isFinite(number) || Math.abs(number) > largest)
      throw new Unreadable(`${at}.${shortened(name)} is ${shown(number)}, not a number that was measured`);
  return Object.fromEntries(entries) as Measures;
}

function readAbout(value: unknown): About | null {
  if (value === undefined) return null;
  const about = object(value, "about");
  const text = (name: "machine" | "node" | "broker" | "date") => {
    const one = about[name];
    if (typeof one !== "string") throw new Unreadable(`about.${name} is ${shown(one)}, not a text`);
    return one;
  };
  const isSmoke = about.isSmoke === true;
  return {
    machine: text("machine"),
    node: text("node"),
    broker: text("broker"),
    date: text("date"),
    isSmoke,
  };
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Unreadable(`${at} is ${shown(value)}, not an object`);
}

function array(value: unknown, at: string): unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw new Unreadable(`${at} is ${shown(value)}, not a list that holds something`);
}

/** Quoted, so that a terminal takes nothing of it for a command. */
function shown(value: unknown): string {
  return value === undefined ? "absent" : shortened(JSON.stringify(value));
}

function shortened(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/g, "?");
  return safe.length <= 60 ? safe : `${safe.slice(0, 57)}...`;
}
