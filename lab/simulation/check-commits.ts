/** What committed offsets pass: nothing without an outcome, but for what the log itself lost. */
import type { LogRecord } from "../../src/ports.ts";
import { tells } from "./check-lost.ts";
import type { Run } from "./check-run.ts";
import { isDeadLettered, type PartitionCheck, type RecordState } from "./check-state.ts";
import type { Entry } from "./history.ts";
import { inputOf, placeOf } from "./origins.ts";

export function checkCommit(
  run: Run,
  state: RecordState,
  entry: Extract<Entry, { kind: "commit" }>,
): string[] {
  const place = `${entry.topic}/${entry.partition}`;
  const checked = state.partitions.get(place);
  const violations: string[] = [];
  if (checked?.lostFrom?.isTold && entry.offset <= checked.lostFrom.offset) {
    checked.lostFrom = null;
    checked.passed = 0;
  }
  while (checked !== undefined && checked.passed < checked.records.length) {
    const record = checked.records[checked.passed]!;
    if (record.offset >= entry.offset) break;
    checked.passed++;
    if (checked.lostFrom !== null || state.lost.has(record) || hasOutcome(run, state, record)) continue;
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
  for (const [place, checked] of state.partitions) {
    if (place !== `${topic}/${partition}` && (partition !== null || !place.startsWith(`${topic}/`))) continue;
    checked.records = checked.records.filter((record) => !state.lost.has(record));
    checked.passed = Math.min(checked.passed, checked.records.length);
    checked.lostFrom = { offset: end, isTold: false };
  }
  if (partition === null) state.madeAgain.add(topic);
}

/** One without records yet may be of a topic that was made again, of which offsets of the old one are committed. */
export function createPartitionCheck(state: RecordState, topic: LogRecord["topic"]): PartitionCheck {
  const lostFrom = state.madeAgain.has(topic) ? { offset: 0, isTold: false } : null;
  return { records: [], passed: 0, lostFrom };
}

export function noteTold(state: RecordState, entry: Entry): void {
  for (const topic of state.madeAgain) if (tells(entry, topic)) state.madeAgain.delete(topic);
  for (const [place, { lostFrom }] of state.partitions) {
    if (lostFrom !== null && tells(entry, place.split("/")[0] as LogRecord["topic"])) lostFrom.isTold = true;
  }
}

export function hasOutcome(run: Run, state: RecordState, record: LogRecord): boolean {
  const input = inputOf(record, run);
  if (input === null || isDeadLettered(state, input)) return true;
  const { intent } = input;
  if (
    intent.kind === "valid" &&
    (state.registered.has(intent.identity) || state.adopted.has(intent.identity))
  )
    return true;
  return state.copies.get(input)!.at(-1) !== record;
}
