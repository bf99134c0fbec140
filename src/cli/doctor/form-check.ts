/**
 * What `doctor` finds out about Graph's way of keeping values: what was enrolled against what the lists show of it.
 *
 * 1. Only objects that are registered for an enrollment say anything: their ids are ours.
 * 2. Bounded: the newest records of each partition, a few enrollments of each tenant, one time limit. Reads only.
 * 3. What was enrolled counts where it is still in the log, under the same key; else what was registered, which Graph's
 *    answer to the create may have changed already: then only what the list changes on top is seen.
 */
import { openLog } from "../../compose.ts";
import type { Settings } from "../../config/table.ts";
import { decode } from "../../domain/decode.ts";
import { identify } from "../../domain/identity.ts";
import { readRegistered } from "../../domain/registered-properties.ts";
import { changesBetween, changeTexts, type Identifying } from "../../domain/same-enrollment.ts";
import type { GraphChange, GraphObject } from "../../graph-port.ts";
import type { Position } from "../../observer.ts";
import type { Clock, EventLog, LogRecord, Topic } from "../../ports.ts";
import { type Finding, note, ok } from "./finding.ts";

/** Objects by tenant. */
export type Lists = ReadonlyMap<string, readonly GraphObject[]>;

interface Pair {
  readonly idempotencyKey: string;
  readonly tenantId: string;
  readonly kept: GraphObject;
  readonly registered: Identifying;
  readonly source: Position;
  sent: Identifying | null;
}

const recordsMax = 500;
const pairsOfTenantMax = 20;
const limitMs = 10_000;

export async function checkForms(settings: Settings, clock: Clock, lists: Lists): Promise<Finding[]> {
  if ([...lists.values()].every((objects) => objects.length === 0)) return [];
  const opening = await openLog({ ...settings, topicsCreate: false }, clock);
  // Why not is said where the log is checked.
  if (!opening.ok) return [];
  const late = new AbortController();
  const cancel = clock.after(limitMs, () => late.abort());
  try {
    const pairs = await findPairs(opening.log, lists, late.signal);
    await findSent(opening.log, pairs, late.signal);
    return report(pairs);
  } finally {
    cancel();
    await opening.log.close();
  }
}

/** The newest of each tenant. */
async function findPairs(log: EventLog, lists: Lists, signal: AbortSignal): Promise<readonly Pair[]> {
  const byId = new Map(
    [...lists].map(([tenantId, objects]) => [tenantId, new Map(objects.map((each) => [each.id, each]))]),
  );
  const survey = await log.survey();
  if (!survey.ok) return [];
  const pairs = new Map<string, Pair[]>();
  for (const [partition, { start, end }] of survey.topics.registered.bounds.entries()) {
    await scanSome(
      log,
      { topic: "registered", partition, from: Math.max(start, end - recordsMax), end, signal },
      (record) => {
        const pair = pairOf(record, byId);
        if (pair === null) return;
        const known = pairs.get(pair.tenantId) ?? [];
        pairs.set(pair.tenantId, [...known, pair].slice(-pairsOfTenantMax));
      },
    );
  }
  return [...pairs.values()].flat();
}

function pairOf(record: LogRecord, byId: ReadonlyMap<string, ReadonlyMap<string, GraphObject>>): Pair | null {
  const read = readRegistered(record);
  if (read === null) return null;
  const { idempotencyKey, tenantId, graphId, registered, source } = read;
  const kept = byId.get(tenantId)?.get(graphId); // 1
  return kept === undefined ? null : { idempotencyKey, tenantId, kept, registered, source, sent: null };
}

/** Fills in what was enrolled, where it is still there. */
async function findSent(log: EventLog, pairs: readonly Pair[], signal: AbortSignal): Promise<void> {
  const byPlace = Map.groupBy(pairs, ({ source }) => `${source.topic}/${source.partition}`);
  for (const same of byPlace.values()) {
    const { topic, partition } = same[0]!.source;
    const byOffset = Map.groupBy(same, ({ source }) => source.offset);
    const last = Math.max(...byOffset.keys());
    const first = Math.max(Math.min(...byOffset.keys()), last - recordsMax);
    await scanSome(log, { topic, partition, from: first, end: last + 1, signal }, (record) => {
      for (const pair of byOffset.get(record.offset) ?? []) pair.sent = sentIn(record, pair);
    });
  }
}

function sentIn(record: LogRecord, { tenantId, idempotencyKey }: Pair): Identifying | null {
  const decoded = decode(record, () => true);
  if (!decoded.ok) return null;
  const { details } = decoded.enrollment;
  return identify(tenantId, details)?.idempotencyKey === idempotencyKey ? details : null; // 3
}

interface Some {
  readonly topic: Topic;
  readonly partition: number;
  readonly from: number;
  readonly end: number;
  readonly signal: AbortSignal;
}

/** What can't be read is left out. */
async function scanSome(
  log: EventLog,
  { topic, partition, from, end, signal }: Some,
  onRecord: (record: LogRecord) => void,
): Promise<void> {
  if (from >= end) return;
  const enough = new AbortController();
  const take = (records: readonly LogRecord[]): void => {
    for (const record of records) {
      if (record.offset < end) onRecord(record);
      if (record.offset >= end - 1) enough.abort();
    }
  };
  await log.scan(topic, partition, from, take, AbortSignal.any([signal, enough.signal]));
}

function report(pairs: readonly Pair[]): Finding[] {
  if (pairs.length === 0) {
    return [
      note(
        "graph",
        "whether Graph changes the values that it keeps is not known: nothing registered lately is in its lists",
      ),
    ];
  }
  const found = pairs.map(({ sent, registered, kept }) => changesBetween(sent ?? registered, kept));
  const changed = found.filter((changes) => changes.length > 0).length;
  const looked = pairs.length === 1 ? "one registered connector" : `${pairs.length} registered connectors`;
  const changes = (Object.keys(changeTexts) as GraphChange[]).filter((change) =>
    found.flat().includes(change),
  );
  if (changed > 0) {
    const texts = changes.map((change) => changeTexts[change]).join(", ");
    return [
      note(
        "graph",
        `Graph changes what it is given: ${texts} (${changed} of ${looked}); objects are recognised all the same`,
      ),
    ];
  }
  const gone = pairs.filter(({ sent }) => sent === null).length;
  const unless =
    gone === 0 ? "" : `; of ${gone} the enrolled record is gone, so only the registered one was compared`;
  return [ok("graph", `Graph keeps what it is given, by ${looked}${unless}`)];
}
