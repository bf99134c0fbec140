/** Records: what is registered, dead-lettered, moved, and what committed offsets pass. */
import type { LogRecord } from "../../src/ports.ts";
import { checkCommit, createPartitionCheck, harm, noteTold } from "./check-commits.ts";
import { checkEnd } from "./check-end.ts";
import { objectKey } from "./check-graph.ts";
import type { Lost } from "./check-lost.ts";
import { readPauses } from "./check-pauses.ts";
import type { GraphFindings, Run } from "./check-run.ts";
import { checkUnlisted, createLists, isHarmed, noteList, unlistedCode } from "./check-served.ts";
import type { Evidence, RecordState } from "./check-state.ts";
import type { Entry } from "./history.ts";
import {
  carriedOrigin,
  inputAt,
  inputOf,
  isCopyInEnrolled,
  type KnownInputs,
  keepsHeaders,
  originOf,
  parse,
  placeOf,
  sameAtItsPlace,
  sameBytes,
} from "./origins.ts";
import type { Input } from "./workload.ts";

interface RegisteredEvent {
  readonly id: string;
  readonly data: Record<string, string> & {
    readonly sourceEvent: { readonly topic: string; readonly partition: number; readonly offset: number };
  };
}

export function checkRecords(run: Run, graph: GraphFindings, lost: Lost): string[] {
  const state: RecordState = {
    registered: new Map(),
    identityOfKey: new Map(),
    arrived: new Map(),
    dead: new Map(),
    sameAtItsPlace: sameAtItsPlace(run.inputsAt),
    adopted: new Set(),
    copies: new Map(),
    movedHome: new Set(),
    registeredFrom: new Set(),
    lists: createLists(),
    pauses: readPauses(run.entries),
    partitions: new Map(),
    madeAgain: new Set(),
    lost,
  };
  const evidence: Evidence = { run, graph, state };
  const violations: string[] = [];
  for (const entry of run.entries) {
    if (entry.kind === "tenants") noteList(state.lists, entry);
    if (entry.kind === "stored") violations.push(...checkStored(evidence, entry));
    if (entry.kind === "commit") violations.push(...checkCommit(run, state, entry));
    if (entry.kind === "log-lost") harm(state, entry);
    if (entry.kind === "exit") noteTold(state, entry);
    if (entry.kind === "threw") violations.push(`at ${entry.tMs} ms ${entry.by} threw: ${entry.text}`);
  }
  if (run.isSettled) violations.push(...checkEnd(evidence));
  return violations;
}

function checkStored(evidence: Evidence, entry: Extract<Entry, { kind: "stored" }>): string[] {
  const { record } = entry;
  const where = `at ${entry.tMs} ms ${entry.by} stores ${placeOf(record)}:`;
  const problem = ((): string | null => {
    switch (record.topic) {
      case "registered":
        return checkRegistered(evidence, record);
      case "dlq":
        return checkDead(evidence, entry);
      default:
        return checkInput(evidence, entry);
    }
  })();
  return problem === null ? [] : [`${where} ${problem}`];
}

function checkRegistered(evidence: Evidence, record: LogRecord): string | null {
  const { run, graph, state } = evidence;
  const event = parse(record.value) as RegisteredEvent | null;
  if (event === null) return "a registered record that is not JSON";
  const { data } = event;
  const graphId = data.id!;
  const identity = graph.identityOf.get(objectKey(data.tenantId!, graphId));
  if (identity === undefined)
    return `a registered record with id ${graphId}, which is no object's of an enrollment`;
  const input = sourceInputOf(knownBy(evidence), data.sourceEvent, identity);
  const dead = input === null ? undefined : state.dead.get(input);
  if (input !== null && dead?.code === unlistedCode && !dead.isHeldBack && !isHarmed(run))
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
 * The log lost its record before anybody settled it: nobody knows whose object it is that was made of it, and one that looks
 * like it may take it (docs/SEMANTICS.md, What remains).
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

const ofWaiting: ReadonlySet<string> = new Set(["tenant-blocked", "attempts-exhausted", unlistedCode]);

function checkDead(
  evidence: Evidence,
  { record, by, tMs }: Extract<Entry, { kind: "stored" }>,
): string | null {
  const { run, graph, state } = evidence;
  const reason = parse(record.headers.find(([name]) => name === "dead-letter")?.[1] ?? null) as {
    id: string;
    code: string;
  } | null;
  if (reason === null) return "a dead letter without a reason";
  const input = inputAt(reason.id, record, knownBy(evidence));
  if (input === null) return `a dead letter of ${reason.id}, which is no input`;
  const earlier = state.dead.get(input);
  const isHeldBack = state.pauses.isHeldBack(by, tMs);
  state.dead.set(input, earlier ?? { code: reason.code, isHeldBack });
  if (!sameBytes(record.value, input.record.value)) return `dead letter ${reason.id} has another value`;
  if (!keepsHeaders(record.headers, input.record.headers)) return `dead letter ${reason.id} lost a header`;
  // The same refusal again, unless one of them was for how long it had waited: a restart counts from its own beginning. Or for
  // its tenant, which another worker may serve.
  const isOfWaiting = [reason.code, earlier?.code].some((code) => code !== undefined && ofWaiting.has(code));
  if (earlier !== undefined && earlier.code !== reason.code && !isOfWaiting) {
    return `${reason.id} is dead-lettered as ${reason.code} and as ${earlier.code}`;
  }
  if (input.intent.kind === "bad") return null;
  if (reason.code === unlistedCode) {
    if (state.registeredFrom.has(input) && !isHeldBack && !isHarmed(run))
      return `${reason.id} is refused and registered`;
    return checkUnlisted(evidence, { identity: input.intent.identity, by, tMs });
  }
  const { number, isRefused, tenantId } = run.workload.identities[input.intent.identity]!;
  if (isRefused && reason.code.startsWith("graph-4")) return null;
  if ((graph.failures.get(number) ?? 0) >= maxAttempts) return null;
  if (tenantId === run.defectiveTenant && reason.code === "tenant-blocked" && blocks.has(run.defect))
    return null;
  return `valid identity ${number} is dead-lettered as ${reason.code}`;
}

function checkInput(evidence: Evidence, entry: Extract<Entry, { kind: "stored" }>): string | null {
  const { run, state } = evidence;
  const { record } = entry;
  const origin = originOf(record);
  const place = placeOf(record);
  const checked =
    state.partitions.get(`${record.topic}/${record.partition}`) ?? createPartitionCheck(state, record.topic);
  state.partitions.set(`${record.topic}/${record.partition}`, checked);
  checked.records.push(record);
  if (record.topic === "enrolled") state.arrived.set(place, (state.arrived.get(place) ?? 0) + 1);
  const input = inputOf(record, knownBy(evidence));
  if (input === null) return `a record of origin ${origin}, which is no input`;
  copiesOf(state, input).push(record);
  // A copy in the enrolled topic is an input of its own, and the outcome of the one that it was made of.
  const isCopy = isCopyInEnrolled(entry);
  if (isCopy) {
    const madeOf = inputAt(carriedOrigin(record) ?? "", record, knownBy(evidence));
    if (madeOf === null) return "a copy of what is no input";
    copiesOf(state, madeOf).push(record);
    state.movedHome.add(madeOf);
  }
  if (place === origin && !isCopy) return null;
  const tenantId = tenantOf(run, input);
  if (tenantId === null) return `the bad record ${origin} was moved`;
  if (record.partition !== run.workload.homeOf(tenantId))
    return `${origin} was moved to where it doesn't belong`;
  if (!sameBytes(record.value, input.record.value)) return `${origin} was moved with another value`;
  return keepsHeaders(record.headers, input.record.headers) ? null : `${origin} lost a header on the way`;
}

function knownBy({ run, state }: Evidence): KnownInputs {
  return { inputsAt: run.inputsAt, arrived: state.arrived };
}

/** Null: it is no enrollment of any tenant. */
function tenantOf({ workload }: Run, { intent }: Input): string | null {
  if (intent.kind === "valid") return workload.identities[intent.identity]!.tenantId;
  // Valid but for its tenant, which nobody serves: it goes the way of all others.
  return intent.sort === unlistedCode ? workload.foreignTenant : null;
}

function copiesOf(state: RecordState, input: Input): LogRecord[] {
  const copies = state.copies.get(input) ?? [];
  state.copies.set(input, copies);
  return copies;
}

/** As every worker of a run is set. */
const maxAttempts = 16;
/** Defects for which a tenant counts as blocked: nothing of it can be created, or what is in doubt can't be looked up. */
const blocks: ReadonlySet<Run["defect"]> = new Set([
  "blocked",
  "list-refused",
  "list-fails",
  "list-incomplete",
]);
