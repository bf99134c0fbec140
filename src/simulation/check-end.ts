/** What must be there when all has settled: an outcome for each input that the log did not lose. */
import type { LogRecord } from "../ports.ts";
import { hasOutcome } from "./check-commits.ts";
import type { GraphFindings } from "./check-graph.ts";
import { tells } from "./check-lost.ts";
import type { RecordState } from "./check-records.ts";
import type { Run } from "./checker.ts";
import { placeOf } from "./origins.ts";
import type { Input } from "./workload.ts";

export function checkEnd(run: Run, graph: GraphFindings, state: RecordState): string[] {
  const violations = checkGaps(run, state);
  for (const [place, inputs] of run.inputsAt) {
    for (const input of inputs) {
      const isElsewhere = isTaken(state, input) || state.movedHome.has(input);
      const problem = isElsewhere ? null : missing(run, graph, state, input);
      if (problem !== null) violations.push(`at the end: input ${input.number} (${place}) ${problem}`);
    }
  }
  return violations;
}

/** Retention took records that nobody settled before or after: some worker must stop and say so. */
function checkGaps(run: Run, state: RecordState): string[] {
  if (run.entries.some((entry) => tells(entry, "enrolled"))) return [];
  const isTruncated = run.entries.some(({ kind }) => kind === "truncated");
  const lost: LogRecord[] = isTruncated
    ? [...state.lost].filter(({ topic }) => topic === "enrolled" || topic === "retry")
    : [];
  return lost
    .filter((record) => !hasOutcome(run, state, record))
    .map((record) => `retention took ${placeOf(record)} before it was settled, and no worker said so`);
}

function missing(run: Run, graph: GraphFindings, state: RecordState, input: Input): string | null {
  const isDead = state.dead.has(input);
  if (input.intent.kind === "bad") return isDead ? null : `(${input.intent.sort}) has no dead letter`;
  const { number, isRefused, tenantId } = run.workload.identities[input.intent.identity]!;
  if (isDead || tenantId === run.defectiveTenant) return null;
  if (isRefused) return `of refused identity ${number} has no dead letter`;
  if ((graph.created.get(number)?.length ?? 0) === 0) return `of identity ${number} has no object`;
  return state.registered.has(number) ? null : `of identity ${number} has no registered record`;
}

/** Of the record, or of a copy of it: then its loss was reported, and is allowed. */
function isTaken(state: RecordState, input: Input): boolean {
  return (state.copies.get(input) ?? []).some((record) => state.lost.has(record));
}
