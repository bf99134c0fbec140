/** Registered records: whose object each names, and under which key. */
import { objectKey } from "./check-graph.ts";
import type { Run } from "./check-run.ts";
import { isHarmed, unlistedCode } from "./check-served.ts";
import { type Evidence, knownBy, type RecordState } from "./check-state.ts";
import type { Entry } from "./history.ts";
import { type KnownInputs, parse } from "./origins.ts";
import type { Input } from "./workload.ts";

interface RegisteredEvent {
  readonly id: string;
  readonly data: Record<string, string> & {
    readonly sourceEvent: { readonly topic: string; readonly partition: number; readonly offset: number };
  };
}

export function checkRegistered(
  evidence: Evidence,
  { record, by }: Extract<Entry, { kind: "stored" }>,
): string | null {
  const { run, graph, state } = evidence;
  const event = parse(record.value) as RegisteredEvent | null;
  if (event === null) return "a registered record that is not JSON";
  const { data } = event;
  const graphId = data.id!;
  const identity = graph.identityOf.get(objectKey(data.tenantId!, graphId));
  if (identity === undefined)
    return `a registered record with id ${graphId}, which is not of an enrollment's object`;
  const input = sourceInputOf(knownBy(evidence), data.sourceEvent, identity);
  const dead = input === null ? undefined : state.dead.get(input);
  const isExcused = dead?.isHeldBack || isHarmed(run) || isSecondCopy(state, input, { deadBy: dead?.by, by });
  if (input !== null && dead?.code === unlistedCode && !isExcused)
    return `input ${input.number} is registered, and was refused for its tenant`;
  if (input !== null) state.registeredFrom.add(input);
  const source = input?.intent.kind === "valid" ? input.intent.identity : null;
  if (source !== null && source !== identity) {
    state.adopted.add(source);
    // An id of the worker's own (UUID version 5) says that it is another's.
    if (graphId[14] !== "5" && (isGone(run, state, identity) || isSurplus(evidence, identity, graphId)))
      return null;
    return `identity ${source} with the id of an object that was made for identity ${identity}`;
  }
  const { tenantId } = run.workload.identities[identity]!;
  const key = record.key === null ? "" : new TextDecoder().decode(record.key);
  if (key !== event.id || key !== data.idempotencyKey) return "key, event id and idempotencyKey differ";
  if (record.partition !== run.workload.homeOf(tenantId)) return "outside the tenant's home partition";
  const owner = state.identityOfKey.get(key);
  if (owner !== undefined && owner !== identity)
    return `identities ${owner} and ${identity} share the key ${key}`;
  state.identityOfKey.set(key, identity);
  const objects = graph.created.get(identity) ?? [];
  const { tenantId: tenant, connectorName, machineName, enrollmentDateTime } = data;
  const fixed = [
    tenant,
    connectorName,
    machineName,
    enrollmentDateTime,
    data.lastCheckinDateTime,
    data.connectorVersion,
  ].join("|");
  const earlier = state.registered.get(identity);
  state.registered.set(identity, earlier ?? { graphId, key, fixed });
  if (earlier === undefined) return null;
  if (earlier.key !== key) return `identity ${identity} under two keys`;
  // Only a create that outlived the settle time can lead to a second id; it is counted with its object.
  if (objects.some(({ isLate }) => isLate)) return null;
  if (earlier.graphId !== graphId)
    return `identity ${identity} with a second id ${graphId}, after ${earlier.graphId}`;
  return earlier.fixed === fixed ? null : `identity ${identity} registered again with other properties`;
}

/**
 * Of a record that one worker dead-lettered from a copy in the retry topic, another one takes up a second copy: what stands there is
 * looked for in the dead-letter topic only as far back as commits say (docs/SEMANTICS.md, What remains).
 */
function isSecondCopy(
  state: RecordState,
  input: Input | null,
  { deadBy, by }: { readonly deadBy: string | undefined; readonly by: string },
): boolean {
  const copies = input === null ? [] : (state.copies.get(input) ?? []);
  return by !== deadBy && copies.filter(({ topic }) => topic === "retry").length > 1;
}

/**
 * The log lost its record before it was settled: no worker knows to which enrollment its object belongs, and one that looks
 * alike may adopt it (docs/SEMANTICS.md, What remains).
 */
function isGone(run: Run, state: RecordState, identity: number): boolean {
  const inputs = run.workload.inputs.filter(
    ({ intent }) => intent.kind === "valid" && intent.identity === identity,
  );
  return inputs.flatMap((input) => state.copies.get(input) ?? []).some((record) => state.lost.has(record));
}

/**
 * A process stood still inside a create for so long that the identity was given another object: this one belongs to none, and one that
 * looks like it may take it (docs/SEMANTICS.md, What remains).
 */
function isSurplus({ graph, state }: Evidence, identity: number, graphId: string): boolean {
  const objects = graph.created.get(identity) ?? [];
  const isOfIdentity = objects.some(({ object }) => object.id === graphId);
  const isRepeated = objects.length > 1 && objects.some(({ isLate }) => isLate);
  return isOfIdentity && isRepeated && state.registered.get(identity)?.graphId !== graphId;
}

/**
 * The input that it says it is about: of those that stood there, one of the identity that the object was made for, or else
 * the newest. Null: none stood there.
 */
function sourceInputOf(
  { inputsAt, arrived }: KnownInputs,
  { topic, partition, offset }: RegisteredEvent["data"]["sourceEvent"],
  madeFor: number,
): Input | null {
  const place = `${topic.replace(/^connector\./, "")}/${partition}/${offset}`;
  const inputs = (inputsAt.get(place) ?? []).slice(0, arrived?.get(place));
  const isMadeFor = ({ intent }: Input): boolean => intent.kind === "valid" && intent.identity === madeFor;
  return inputs.find(isMadeFor) ?? inputs.at(-1) ?? null;
}
