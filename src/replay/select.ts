/**
 * Which dead letters are to go back, and which of them have been already. Nothing is remembered between two replays:
 *
 * 1. A dead letter whose replay was refused again has a successor, the dead letter that names it in `replayed-from`.
 * 2. One whose enrollment was registered since is found in `connector.registered`.
 * 3. One whose replay is still waiting in the input goes twice. That is harmless: the worker ignores duplicates.
 * 4. One of a tenant that is not served would only be refused again: it stays.
 */
import { type DeadLetter, readDeadLetter } from "../domain/dead-letter.ts";
import { readLedgerEntry } from "../domain/registered.ts";
import { replayedFrom, tenantOfKey } from "../domain/replayed-from.ts";
import type { EventLog, LogRecord, ScanResult, Topic } from "../ports.ts";
import { type Content, contentOf } from "./replayed-record.ts";

export interface Filter {
  /** Null: any. */
  readonly codes: ReadonlySet<string> | null;
  /** Lower case. */
  readonly tenantIds: ReadonlySet<string> | null;
  readonly ids: ReadonlySet<string> | null;
  /** When it was refused, milliseconds since 1970; from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Also what was replayed or registered already. */
  readonly again: boolean;
}

export interface Selection {
  readonly ok: true;
  /** Dead letter ids that are to go back. */
  readonly ids: Set<string>;
  /** Distinct dead letters in the topic, and those that the filter lets through. */
  readonly deadLetters: number;
  readonly matched: number;
  /** Of these left out: replayed and refused again; registered since. */
  readonly superseded: number;
  readonly registered: number;
  /** How many of the others, by tenant: it is not served. */
  readonly unserved: ReadonlyMap<string, number>;
  /** Records of the topic without a readable reason. */
  readonly unreadable: number;
}

export type Selected = Selection | { readonly ok: false; readonly reason: string };

/** Holds the ids of all that match in memory, and no record. `isServed` gets tenant ids in lower case. */
export async function select(
  log: EventLog,
  filter: Filter,
  { isServed, signal }: { readonly isServed: (tenantId: string) => boolean; readonly signal: AbortSignal },
): Promise<Selected> {
  const ids = new Set<string>();
  const matched = new Map<string, Content>();
  const successors = new Set<string>();
  let unreadable = 0;
  const read = await scanAll({ log, topic: "dlq" }, signal, (record) => {
    const letter = readDeadLetter(record);
    if (letter === null) {
      unreadable++;
      return;
    }
    ids.add(letter.id);
    const from = replayedFrom(record);
    if (from !== null) successors.add(from);
    const { tenantId: told, idempotencyKey } = contentOf(record);
    const tenantId = told ?? tenantOfKey(record);
    if (matches(letter, tenantId, filter)) matched.set(letter.id, { tenantId, idempotencyKey });
  });
  if (!read.ok) return read;
  const superseded = new Set(filter.again ? [] : [...matched.keys()].filter((id) => successors.has(id)));
  const registered = filter.again ? ok(new Set<string>()) : await findRegistered(log, matched, signal);
  if (!registered.ok) return registered;
  const open = [...matched].filter(([id]) => !superseded.has(id) && !registered.ids.has(id));
  const chosen = new Set<string>();
  const unserved = new Map<string, number>();
  for (const [id, { tenantId }] of open) {
    if (tenantId === null || isServed(tenantId)) chosen.add(id);
    else unserved.set(tenantId, (unserved.get(tenantId) ?? 0) + 1); // 4
  }
  return {
    ok: true,
    ids: chosen,
    deadLetters: ids.size,
    matched: matched.size,
    superseded: superseded.size,
    registered: [...registered.ids].filter((id) => !superseded.has(id)).length,
    unserved,
    unreadable,
  };
}

function matches(letter: DeadLetter, tenantId: string | null, filter: Filter): boolean {
  const { codes, tenantIds, ids, fromMs, toMs } = filter;
  if (codes !== null && !codes.has(letter.refusal.code)) return false;
  if (ids !== null && !ids.has(letter.id)) return false;
  if (tenantIds !== null && (tenantId === null || !tenantIds.has(tenantId))) return false;
  return letter.timeMs >= fromMs && letter.timeMs < toMs;
}

/** Ids of the matched dead letters whose enrollment the topic `connector.registered` holds. */
async function findRegistered(
  log: EventLog,
  matched: ReadonlyMap<string, Content>,
  signal: AbortSignal,
): Promise<
  { readonly ok: true; readonly ids: Set<string> } | { readonly ok: false; readonly reason: string }
> {
  const byKey = new Map<string, string[]>();
  for (const [id, { idempotencyKey: key }] of matched) {
    if (key === null) continue;
    const same = byKey.get(key);
    // One enrollment may have been refused a hundred thousand times.
    if (same === undefined) byKey.set(key, [id]);
    else same.push(id);
  }
  const ids = new Set<string>();
  if (byKey.size === 0) return ok(ids);
  const read = await scanAll({ log, topic: "registered" }, signal, (record) => {
    const key = readLedgerEntry(record)?.idempotencyKey;
    for (const id of (key !== undefined && byKey.get(key)) || []) ids.add(id);
  });
  return read.ok ? ok(ids) : read;
}

function ok(ids: Set<string>): { readonly ok: true; readonly ids: Set<string> } {
  return { ok: true, ids };
}

async function scanAll(
  { log, topic }: { readonly log: EventLog; readonly topic: Topic },
  signal: AbortSignal,
  onRecord: (record: LogRecord) => void,
): Promise<ScanResult> {
  for (let partition = 0; partition < log.partitionCount; partition++) {
    const result = await log.scan(topic, partition, 0, (records) => records.forEach(onRecord), signal);
    if (!result.ok) return result;
  }
  return { ok: true, nextOffset: 0 };
}
