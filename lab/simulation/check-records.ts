/** Records: what is registered, dead-lettered, moved, and what committed offsets pass. */
import type { LogRecord } from "../../src/ports.ts";
import { checkCommit, createPartitionCheck, harm, noteTold } from "./check-commits.ts";
import { checkEnd } from "./check-end.ts";
import type { Lost } from "./check-lost.ts";
import { readPauses } from "./check-pauses.ts";
import { checkRegistered } from "./check-registered.ts";
import type { GraphFindings, Run } from "./check-run.ts";
import { checkUnlisted, createLists, isHarmed, noteList, unlistedCode } from "./check-served.ts";
import { type Evidence, knownBy, type RecordState } from "./check-state.ts";
import type { Entry } from "./history.ts";
import {
  carriedOrigin,
  inputAt,
  inputOf,
  isCopyInEnrolled,
  keepsHeaders,
  originOf,
  parse,
  placeOf,
  sameAtItsPlace,
  sameBytes,
} from "./origins.ts";
import type { Input } from "./workload.ts";

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
        return checkRegistered(evidence, entry);
      case "dlq":
        return checkDead(evidence, entry);
      default:
        return checkInput(evidence, entry);
    }
  })();
  return problem === null ? [] : [`${where} ${problem}`];
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
  if (input === null) return `a dead letter of ${reason.id}, which is not an input`;
  const earlier = state.dead.get(input);
  const isHeldBack = state.pauses.isHeldBack(by, tMs);
  state.dead.set(input, earlier ?? { code: reason.code, by, isHeldBack });
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
    // A second copy of it, by an append that arrived late or by the next owner, says nothing new.
    if (earlier?.code === unlistedCode) return null;
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
  if (input === null) return `a record of origin ${origin}, which is not an input`;
  copiesOf(state, input).push(record);
  // A copy in the enrolled topic is an input of its own, and the outcome of the one that it was made of.
  const isCopy = isCopyInEnrolled(entry);
  if (isCopy) {
    const madeOf = inputAt(carriedOrigin(record) ?? "", record, knownBy(evidence));
    if (madeOf === null) return "a copy of a record that is not in an input";
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

/** Null: it is not an enrollment of any tenant. */
function tenantOf({ workload }: Run, { intent }: Input): string | null {
  if (intent.kind === "valid") return workload.identities[intent.identity]!.tenantId;
  // Valid except for its tenant, which is not served: it is handled like all others.
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
