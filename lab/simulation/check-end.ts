/** What must be there when all has settled: an outcome for each input that the log did not lose. */
import type { LogRecord } from "../../src/ports.ts";
import { hasOutcome } from "./check-commits.ts";
import { tells } from "./check-lost.ts";
import type { Run } from "./check-run.ts";
import { type Evidence, isDeadLettered, type RecordState } from "./check-state.ts";
import type { Entry } from "./history.ts";
import { placeOf } from "./origins.ts";
import type { Input } from "./workload.ts";

export function checkEnd(evidence: Evidence): string[] {
  const { run, state } = evidence;
  const violations = checkGaps(run, state);
  for (const [place, inputs] of run.inputsAt) {
    for (const input of inputs) {
      const isElsewhere = isTaken(run, state, input) || state.movedHome.has(input);
      const problem = isElsewhere ? null : missing(evidence, input);
      if (problem !== null) violations.push(`at the end: input ${input.number} (${place}) ${problem}`);
    }
  }
  return violations;
}

/** Retention deleted records that were settled neither before nor after: some worker must stop and report it. */
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

function missing({ run, graph, state }: Evidence, input: Input): string | null {
  const isDead = isDeadLettered(state, input);
  if (input.intent.kind === "bad") return isDead ? null : `(${input.intent.sort}) has no dead letter`;
  const { number, isRefused, tenantId } = run.workload.identities[input.intent.identity]!;
  if (isDead || tenantId === run.defectiveTenant || state.adopted.has(number)) return null;
  if (isRefused) return `of refused identity ${number} has no dead letter`;
  if ((graph.created.get(number)?.length ?? 0) === 0) return `of identity ${number} has no object`;
  return state.registered.has(number) ? null : `of identity ${number} has no registered record`;
}

/**
 * Of the record itself: it may never have been read. Of a copy in the retry topic: only a worker can have made it, so one
 * must have said that it is gone, unless the topic went together with what is committed of it.
 */
function isTaken(run: Run, state: RecordState, input: Input): boolean {
  const lost = (state.copies.get(input) ?? []).filter((record) => state.lost.has(record));
  if (lost.some(({ topic }) => topic === "enrolled")) return true;
  return lost.length > 0 && run.entries.some((entry) => isGap(entry) || isDropped(entry));
}

/** Afterwards the lost records are not registered: a worker stopped because of it, or was allowed to continue without them. */
function isGap(entry: Entry): boolean {
  const isSentAgain = entry.kind === "exit" && entry.text.startsWith("parked-copy-lost");
  return tells(entry, "retry") && !isSentAgain;
}

function isDropped(entry: Entry): boolean {
  return (
    entry.kind === "log-lost" && entry.topic === "retry" && entry.partition === null && !entry.mustBeTold
  );
}
