/**
 * Label values that are known before anything happened. A series that begins with its first event has no rate and no
 * increase for that event, so an alert notices only the second one. So each begins at 0.
 */
import { refusalCodes } from "../domain/refusal.ts";
import type { GraphChange, GraphSilence } from "../graph-port.ts";
import type { RegistrarEvent } from "../observer.ts";
import type { Verdict } from "../policy/classify.ts";
import type { CommitResult, InputTopic } from "../ports.ts";

/** A union's members, none forgotten. */
function membersOf<T extends string>(members: Readonly<Record<T, true>>): readonly T[] {
  return Object.keys(members) as T[];
}

type EventOf<K extends RegistrarEvent["kind"]> = Extract<RegistrarEvent, { readonly kind: K }>;

export const inputTopicLabels = membersOf<InputTopic>({ enrolled: true, retry: true });
export const outcomeLabels = membersOf<EventOf<"record-registered">["outcome"]>({
  created: true,
  recovered: true,
});
export const commitLabels = membersOf<CommitResult>({ committed: true, superseded: true, unknown: true });
export const requestLabels = membersOf<EventOf<"graph-request">["operation"]>({
  create: true,
  batch: true,
  list: true,
  get: true,
});
export const verdictLabels = membersOf<Exclude<Verdict["kind"], "created">>({
  conflict: true,
  throttled: true,
  unavailable: true,
  unknown: true,
  refused: true,
  "batch-refused": true,
  "tenant-blocked": true,
  "no-route": true,
});
const silenceLabels = membersOf<GraphSilence["reason"]>({
  timeout: true,
  reset: true,
  connect: true,
  credential: true,
  application: true,
  malformed: true,
});
export const answerLabels = ["2xx", "3xx", "4xx", "429", "5xx", ...silenceLabels];
export const changeLabels = membersOf<GraphChange>({
  microseconds: true,
  milliseconds: true,
  seconds: true,
  utc: true,
  "trimmed-names": true,
  "name-case": true,
});
/** What the registrar asks of the log; a test holds them against its source. */
export const logOperationLabels = [
  "append",
  "positions",
  "commit",
  "read parked records",
  "read dead letters",
  "read suspect records",
  "survey",
  "read ledger",
  "save snapshot",
  "take up parked records",
];
/** Refusals of the record itself, then Graph's, by the statuses that HTTP servers refuse a body with, then ours. */
export const deadLetterLabels = [
  ...refusalCodes,
  ...[400, 406, 409, 411, 412, 413, 414, 415, 422, 428, 431].map((status) => `graph-${status}`),
  "tenant-blocked",
  "attempts-exhausted",
];
