/** Records: what is registered, dead-lettered, moved, and what committed offsets pass. */
import type { Header, LogRecord } from "../ports.ts";
import type { GraphFindings } from "./check-graph.ts";
import type { Run } from "./checker.ts";
import type { Entry } from "./history.ts";
import { carriedOrigin, inputOf, originOf, placeOf } from "./origins.ts";
import type { Input } from "./workload.ts";

interface Registered {
  readonly graphId: string;
  readonly key: string;
  /** All that may not differ between two records of one identity. */
  readonly fixed: string;
}

interface DeadLetter {
  readonly code: string;
}

interface State {
  readonly registered: Map<number, Registered>;
  readonly identityOfKey: Map<string, number>;
  /** By origin of the refused record. */
  readonly dead: Map<string, DeadLetter>;
  /** Where each origin is stored, in order of storing, and which copy each place holds. */
  readonly places: Map<string, LogRecord[]>;
  readonly copyAt: Map<string, number>;
  /** Input records by partition, in order, and how many of them committed offsets have passed. */
  readonly lines: Map<string, { records: LogRecord[]; passed: number }>;
  readonly starts: Map<string, number>;
}

export function checkRecords(run: Run, graph: GraphFindings): string[] {
  const state: State = {
    registered: new Map(),
    identityOfKey: new Map(),
    dead: new Map(),
    places: new Map(),
    copyAt: new Map(),
    lines: new Map(),
    starts: new Map(),
  };
  const violations: string[] = [];
  for (const entry of run.entries) {
    if (entry.kind === "stored") violations.push(...checkStored(run, graph, state, entry));
    if (entry.kind === "truncated") state.starts.set(`${entry.topic}/${entry.partition}`, entry.start);
    if (entry.kind === "commit") violations.push(...checkCommit(run, state, entry));
    if (entry.kind === "threw") violations.push(`at ${entry.tMs} ms ${entry.by} threw: ${entry.text}`);
  }
  if (run.isSettled) violations.push(...checkEnd(run, graph, state));
  return violations;
}

function checkStored(
  run: Run,
  graph: GraphFindings,
  state: State,
  entry: Extract<Entry, { kind: "stored" }>,
): string[] {
  const { record } = entry;
  const where = `at ${entry.tMs} ms ${entry.by} stores ${placeOf(record)}:`;
  const problem = ((): string | null => {
    switch (record.topic) {
      case "registered":
        return checkRegistered(run, graph, state, record);
      case "dlq":
        return checkDead(run, graph, state, record);
      default:
        return checkInput(run, state, record);
    }
  })();
  return problem === null ? [] : [`${where} ${problem}`];
}

function checkRegistered(run: Run, graph: GraphFindings, state: State, record: LogRecord): string | null {
  const event = parse(record.value) as { id: string; data: Record<string, string> } | null;
  if (event === null) return "a registered record that is not JSON";
  const { data } = event;
  const identity = run.workload.identityOf(data.tenantId!, data as never);
  if (identity === null) return "a registered record of an enrollment that nobody asked for";
  const { tenantId } = run.workload.identities[identity]!;
  const key = record.key === null ? "" : new TextDecoder().decode(record.key);
  if (key !== event.id || key !== data.idempotencyKey) return "key, event id and idempotencyKey differ";
  if (record.partition !== run.workload.homeOf(tenantId)) return "outside the tenant's home partition";
  const owner = state.identityOfKey.get(key);
  if (owner !== undefined && owner !== identity)
    return `identities ${owner} and ${identity} share the key ${key}`;
  state.identityOfKey.set(key, identity);
  const graphId = data.id!;
  const objects = graph.created.get(identity) ?? [];
  if (!objects.some(({ object }) => object.id === graphId))
    return `identity ${identity} with an id that isn't its object's`;
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

function checkDead(run: Run, graph: GraphFindings, state: State, record: LogRecord): string | null {
  const reason = parse(record.headers.find(([name]) => name === "dead-letter")?.[1] ?? null) as {
    id: string;
    code: string;
  } | null;
  if (reason === null) return "a dead letter without a reason";
  const input = run.inputAt.get(reason.id);
  if (input === undefined) return `a dead letter of ${reason.id}, which is no input`;
  const earlier = state.dead.get(reason.id);
  state.dead.set(reason.id, earlier ?? { code: reason.code });
  if (!sameBytes(record.value, input.record.value)) return `dead letter ${reason.id} has another value`;
  if (!keepsHeaders(record.headers, input.record.headers)) return `dead letter ${reason.id} lost a header`;
  if (earlier !== undefined && earlier.code !== reason.code) {
    return `${reason.id} is dead-lettered as ${reason.code} and as ${earlier.code}`;
  }
  if (input.intent.kind === "bad") return null;
  const { number, isRefused } = run.workload.identities[input.intent.identity]!;
  if (isRefused && reason.code.startsWith("graph-4")) return null;
  if ((graph.failures.get(number) ?? 0) >= run.maxAttempts) return null;
  return `valid identity ${number} is dead-lettered as ${reason.code}`;
}

function checkInput(run: Run, state: State, record: LogRecord): string | null {
  const origin = originOf(record);
  const place = placeOf(record);
  const line = state.lines.get(`${record.topic}/${record.partition}`) ?? { records: [], passed: 0 };
  state.lines.set(`${record.topic}/${record.partition}`, line);
  line.records.push(record);
  // A copy in the enrolled topic is an input of its own, and the outcome of the one that it was made of.
  const madeOf = record.topic === "enrolled" ? carriedOrigin(record) : null;
  if (madeOf !== null) placesOf(state, madeOf).push(record);
  state.copyAt.set(place, placesOf(state, origin).push(record));
  const input = run.inputAt.get(madeOf ?? origin);
  if (input === undefined) return `a record of origin ${madeOf ?? origin}, which is no input`;
  if (place === origin && madeOf === null) return null;
  if (input.intent.kind === "bad") return `the bad record ${origin} was moved`;
  const { tenantId } = run.workload.identities[input.intent.identity]!;
  if (record.partition !== run.workload.homeOf(tenantId))
    return `${origin} was moved to where it doesn't belong`;
  if (!sameBytes(record.value, input.record.value)) return `${origin} was moved with another value`;
  return keepsHeaders(record.headers, input.record.headers) ? null : `${origin} lost a header on the way`;
}

function placesOf(state: State, origin: string): LogRecord[] {
  const places = state.places.get(origin) ?? [];
  state.places.set(origin, places);
  return places;
}

function checkCommit(run: Run, state: State, entry: Extract<Entry, { kind: "commit" }>): string[] {
  const place = `${entry.topic}/${entry.partition}`;
  const line = state.lines.get(place);
  const violations: string[] = [];
  while (line !== undefined && line.passed < line.records.length) {
    const record = line.records[line.passed]!;
    if (record.offset >= entry.offset) break;
    line.passed++;
    const isGone = record.offset < (state.starts.get(place) ?? 0);
    if (isGone || hasOutcome(run, state, record)) continue;
    violations.push(
      `at ${entry.tMs} ms ${entry.by} commits ${place}@${entry.offset}: ${placeOf(record)} has no outcome yet`,
    );
  }
  return violations;
}

/** Retention took records that nobody settled before or after: some worker must stop and say so. */
function checkGaps(run: Run, state: State): string[] {
  const isTold = run.entries.some(
    (entry) => entry.kind === "exit" && entry.how === "fault" && entry.text.startsWith("retention-gap"),
  );
  if (isTold) return [];
  const lost = [...state.lines].flatMap(([place, { records }]) =>
    records.filter(
      (record) => record.offset < (state.starts.get(place) ?? 0) && !hasOutcome(run, state, record),
    ),
  );
  return lost.map(
    (record) => `retention took ${placeOf(record)} before it was settled, and no worker said so`,
  );
}

function hasOutcome(run: Run, state: State, record: LogRecord): boolean {
  const origin = originOf(record);
  const input = inputOf(record, run.inputAt);
  if (input === null || state.dead.has(origin)) return true;
  if (input.intent.kind === "valid" && state.registered.has(input.intent.identity)) return true;
  return state.places.get(origin)!.length > state.copyAt.get(placeOf(record))!;
}

function checkEnd(run: Run, graph: GraphFindings, state: State): string[] {
  const violations = checkGaps(run, state);
  for (const [origin, input] of run.inputAt) {
    const isElsewhere = isTakenByRetention(state, origin) || isMovedHome(state, origin);
    const problem = isElsewhere ? null : missing(run, graph, state, origin, input);
    if (problem !== null) violations.push(`at the end: input ${input.number} (${origin}) ${problem}`);
  }
  return violations;
}

function missing(run: Run, graph: GraphFindings, state: State, origin: string, input: Input): string | null {
  if (input.intent.kind === "bad")
    return state.dead.has(origin) ? null : `(${input.intent.sort}) has no dead letter`;
  const { number, isRefused } = run.workload.identities[input.intent.identity]!;
  if (state.dead.has(origin)) return null;
  if (isRefused) return `of refused identity ${number} has no dead letter`;
  if ((graph.created.get(number)?.length ?? 0) === 0) return `of identity ${number} has no object`;
  return state.registered.has(number) ? null : `of identity ${number} has no registered record`;
}

/** Then its copy is an input, and is asked for. */
function isMovedHome(state: State, origin: string): boolean {
  return state.places.get(origin)!.some((copy) => copy.topic === "enrolled" && placeOf(copy) !== origin);
}

/** Of the record, or of a copy of it: then whoever lost it was told, and may have lost it. */
function isTakenByRetention(state: State, origin: string): boolean {
  return state.places.get(origin)!.some(({ topic, partition, offset }) => {
    return offset < (state.starts.get(`${topic}/${partition}`) ?? 0);
  });
}

function keepsHeaders(headers: readonly Header[], original: readonly Header[]): boolean {
  const own = headers.filter(([name]) => !addedHeaders.has(name));
  return (
    own.length === original.length &&
    own.every(([name, value], index) => name === original[index]![0] && sameBytes(value, original[index]![1]))
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

function parse(bytes: Uint8Array | null): unknown {
  try {
    return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** Headers that the worker may add to what it moves. */
const addedHeaders: ReadonlySet<string> = new Set(["origin", "in-doubt", "dead-letter"]);
