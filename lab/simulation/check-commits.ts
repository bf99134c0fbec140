/** What committed offsets pass: nothing without an outcome, but for what the log itself lost. */
import type { LogRecord } from "../../src/ports.ts";
import { tells } from "./check-lost.ts";
import type { Run } from "./check-run.ts";
import type { Line, RecordState } from "./check-state.ts";
import type { Entry } from "./history.ts";
import { inputOf, placeOf } from "./origins.ts";

export function checkCommit(
  run: Run,
  state: RecordState,
  entry: Extract<Entry, { kind: "commit" }>,
): string[] {
  const place = `${entry.topic}/${entry.partition}`;
  const line = state.lines.get(place);
  const violations: string[] = [];
  if (line?.lostFrom?.isTold && entry.offset <= line.lostFrom.offset) {
    line.lostFrom = null;
    line.passed = 0;
  }
  while (line !== undefined && line.passed < line.records.length) {
    const record = line.records[line.passed]!;
    if (record.offset >= entry.offset) break;
    line.passed++;
    if (line.lostFrom !== null || state.lost.has(record) || hasOutcome(run, state, record)) continue;
    violations.push(
      `at ${entry.tMs} ms ${entry.by} commits ${place}@${entry.offset}: ${placeOf(record)} has no outcome yet`,
    );
  }
  return violations;
}

export function harm(
  state: RecordState,
  { topic, partition, end }: Extract<Entry, { kind: "log-lost" }>,
): void {
  for (const [place, line] of state.lines) {
    if (place !== `${topic}/${partition}` && (partition !== null || !place.startsWith(`${topic}/`))) continue;
    line.records = line.records.filter((record) => !state.lost.has(record));
    line.passed = Math.min(line.passed, line.records.length);
    line.lostFrom = { offset: end, isTold: false };
  }
  if (partition === null) state.madeAgain.add(topic);
}

/** A line without records yet may be of a topic that was made again, of which offsets of the old one are committed. */
export function createLine(state: RecordState, topic: LogRecord["topic"]): Line {
  const lostFrom = state.madeAgain.has(topic) ? { offset: 0, isTold: false } : null;
  return { records: [], passed: 0, lostFrom };
}

export function noteTold(state: RecordState, entry: Entry): void {
  for (const topic of state.madeAgain) if (tells(entry, topic)) state.madeAgain.delete(topic);
  for (const [place, { lostFrom }] of state.lines) {
    if (lostFrom !== null && tells(entry, place.split("/")[0] as LogRecord["topic"])) lostFrom.isTold = true;
  }
}

export function hasOutcome(run: Run, state: RecordState, record: LogRecord): boolean {
  const input = inputOf(record, run.inputsAt);
  if (input === null || state.dead.has(input)) return true;
  if (input.intent.kind === "valid" && state.registered.has(input.intent.identity)) return true;
  return state.copies.get(input)!.at(-1) !== record;
}
