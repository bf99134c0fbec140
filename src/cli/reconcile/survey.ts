/**
 * Looks at every tenant until what it finds holds still: lists may lag, and the worker may be at work meanwhile.
 *
 * 1. Each round lists the tenants in question, then reads on in the ledger; `compare` gets both sides of the list.
 * 2. An object counts as missing or orphaned only if each of `rereadCount` lists, `rereadDelayMs` apart, showed it so.
 *    What only the last ones showed is work in progress: neither equal nor a difference.
 * 3. Where a list remains incomplete, no object is called missing.
 */
import type { GraphObject } from "../../graph-port.ts";
import type { EventLog } from "../../ports.ts";
import { type ComparedProperty, compare, type Findings, type Orphan } from "../../reconcile/compare.ts";
import {
  merge,
  newRegistrations,
  type Registration,
  type Registrations,
  takeRecord,
} from "../../reconcile/registrations.ts";
import { sleep } from "../../sleep.ts";
import { type AskParts, type Listing, listWithRetry, type Unanswered } from "./ask-graph.ts";

export interface SurveySettings {
  /** Lower case. */
  readonly tenantIds: readonly string[];
  readonly ignored: ReadonlySet<ComparedProperty>;
  readonly rereadCount: number;
  readonly rereadDelayMs: number;
}

export interface Survey {
  readonly ok: true;
  /** In the order of the tenants. */
  readonly results: ReadonlyMap<string, TenantResult>;
  /** Tenants with registered connectors that were not looked at. */
  readonly notAsked: readonly { readonly tenantId: string; readonly registered: number }[];
  readonly unreadableRecords: number;
}

/** Differences that may have disappeared by the next report. */
export interface InProgress {
  /** In Graph, and not registered so far. */
  readonly unregistered: readonly Orphan[];
  /** Registered a moment ago, and not listed so far. */
  readonly unlisted: readonly Registration[];
}

export type TenantResult =
  | {
      readonly kind: "compared";
      readonly findings: Findings;
      readonly inProgress: InProgress;
      /** Null: with the whole list. Otherwise why Graph may hold more; then nothing counts as missing. */
      readonly incomplete: string | null;
    }
  | Unanswered;

const listsAtOnce = 4;
const none: ReadonlyMap<string, Registration> = new Map();
const nothing: InProgress = { unregistered: [], unlisted: [] };

/** By tenant and Graph id, how many lists in a row showed the object missing or orphaned. */
type Streaks = Map<string, ReadonlyMap<string, number>>;

export async function survey(
  log: EventLog,
  parts: AskParts,
  settings: SurveySettings,
): Promise<Survey | { readonly ok: false; readonly reason: string }> {
  const { clock, signal } = parts;
  const { tenantIds, ignored } = settings;
  const results = new Map<string, TenantResult>(
    tenantIds.map((tenantId) => [tenantId, { kind: "failed", detail: "not asked" }]),
  );
  const offsets: number[] = Array(log.partitionCount).fill(0);
  const registrations = newRegistrations();
  const read = await readOn({ log, signal }, registrations, offsets);
  if (!read.ok) return read;
  const streaks: Streaks = new Map();
  let open: readonly string[] = tenantIds;
  for (let round = 1; open.length > 0; round++) {
    const listings = await listAll(parts, open, registrations); // 1
    const later = newRegistrations();
    const isLast = round >= settings.rereadCount;
    const look = async () => {
      const more = await readOn({ log, signal }, later, offsets);
      for (const [tenantId, listing] of more.ok ? listings : []) {
        results.set(tenantId, resultOf(tenantId, { registrations, later, listing }, ignored));
      }
      return more;
    };
    let more = await look();
    for (const tenantId of listings.keys()) count(streaks, tenantId, results.get(tenantId)!);
    open = open.filter((tenantId) => isUnsettled(results.get(tenantId)!));
    const isPaused = more.ok && open.length > 0 && (await sleep(clock, settings.rereadDelayMs, signal));
    // What the last list showed for the first time is registered by now, if a worker made it.
    if (isPaused && isLast) more = await look();
    if (!more.ok) return more;
    merge(registrations, later);
    if (!isPaused || isLast) break;
  }
  for (const [tenantId, result] of results) {
    results.set(tenantId, withoutYoung(result, streaks.get(tenantId), settings.rereadCount)); // 2
  }
  return {
    ok: true,
    results,
    notAsked: notAskedOf(registrations, tenantIds),
    unreadableRecords: registrations.unreadableRecords,
  };
}

function notAskedOf(registrations: Registrations, tenantIds: readonly string[]): Survey["notAsked"] {
  const asked = new Set(tenantIds);
  return [...registrations.tenants]
    .filter(([tenantId]) => !asked.has(tenantId))
    .map(([tenantId, registrations]) => ({ tenantId, registered: registrations.size }));
}

/** Reads `connector.registered` on to its present end. */
async function readOn(
  { log, signal }: { readonly log: EventLog; readonly signal: AbortSignal },
  registrations: Registrations,
  offsets: number[],
): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }> {
  for (const [partition, offset] of offsets.entries()) {
    const result = await log.scan(
      "registered",
      partition,
      offset,
      (records) => {
        for (const record of records) takeRecord(registrations, record);
      },
      signal,
    );
    if (!result.ok) return result;
    offsets[partition] = result.nextOffset;
  }
  return { ok: true };
}

async function listAll(
  parts: AskParts,
  tenantIds: readonly string[],
  registrations: Registrations,
): Promise<Map<string, Listing>> {
  const listings = new Map<string, Listing>();
  const queue = [...tenantIds];
  const work = async () => {
    for (let tenantId = queue.shift(); tenantId !== undefined; tenantId = queue.shift()) {
      if (parts.signal.aborted) return;
      listings.set(tenantId, await listWithRetry(parts, tenantId, !registrations.tenants.has(tenantId)));
    }
  };
  await Promise.all(Array.from({ length: listsAtOnce }, work));
  return listings;
}

interface Compared {
  readonly registrations: Registrations;
  readonly later: Registrations;
  readonly listing: Listing;
}

function resultOf(
  tenantId: string,
  { registrations, later, listing }: Compared,
  ignored: ReadonlySet<ComparedProperty>,
): TenantResult {
  if (listing.kind !== "listed") return listing;
  const before = registrations.tenants.get(tenantId) ?? none;
  const since = later.tenants.get(tenantId) ?? none;
  const findings = compare({ tenantId, before, later: since, objects: listing.objects, ignored });
  const inProgress = nothing;
  if (listing.incomplete === null) return { kind: "compared", findings, inProgress, incomplete: null };
  const unseen = findings.missing.length;
  const incomplete = `${listing.incomplete}; ${unseen} registered objects are not in the part that was listed`;
  return { kind: "compared", findings: { ...findings, missing: [] }, inProgress, incomplete }; // 3
}

function isUnsettled(result: TenantResult): boolean {
  if (result.kind !== "compared") return false;
  const { missing, orphaned } = result.findings;
  return missing.length > 0 || orphaned.length > 0 || result.incomplete !== null;
}

function count(streaks: Streaks, tenantId: string, result: TenantResult): void {
  if (result.kind !== "compared") return;
  const { missing, orphaned } = result.findings;
  const before = streaks.get(tenantId);
  const ids = [...missing, ...orphaned].map(({ object }) => object.id);
  streaks.set(tenantId, new Map(ids.map((id) => [id, (before?.get(id) ?? 0) + 1])));
}

/** Moves what too few lists showed from the findings to what is in progress. */
function withoutYoung(
  result: TenantResult,
  streak: ReadonlyMap<string, number> | undefined,
  rereadCount: number,
): TenantResult {
  if (result.kind !== "compared") return result;
  const isOld = ({ object }: { readonly object: GraphObject }) =>
    (streak?.get(object.id) ?? 0) >= rereadCount;
  const missing = Map.groupBy(result.findings.missing, isOld);
  const orphaned = Map.groupBy(result.findings.orphaned, isOld);
  return {
    ...result,
    findings: { ...result.findings, missing: missing.get(true) ?? [], orphaned: orphaned.get(true) ?? [] },
    inProgress: { unlisted: missing.get(false) ?? [], unregistered: orphaned.get(false) ?? [] },
  };
}
