/**
 * Looks at every tenant until what it finds holds still: lists may lag, and the worker may be at work meanwhile.
 *
 * 1. Each round lists the tenants in question, then reads on in the ledger; `compare` gets both sides of the list.
 * 2. Missing and orphaned objects count only after `rereadCount` lists, `rereadDelayMs` apart.
 * 3. Where a list remains incomplete, no object is called missing.
 */
import type { EventLog } from "../../ports.ts";
import { type ComparedProperty, compare, type Findings } from "../../reconcile/compare.ts";
import { type Ledger, merge, newLedger, type Registration, takeRecord } from "../../reconcile/ledger.ts";
import { pause } from "../pause.ts";
import { type AskParts, type Listing, listPatiently, type Unanswered } from "./ask-graph.ts";

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

export type TenantResult =
  | {
      readonly kind: "compared";
      readonly findings: Findings;
      /** Null: with the whole list. Otherwise why Graph may hold more; then nothing counts as missing. */
      readonly incomplete: string | null;
    }
  | Unanswered;

const listsAtOnce = 4;
const none: ReadonlyMap<string, Registration> = new Map();

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
  const ledger = newLedger();
  const read = await readOn(log, ledger, offsets, signal);
  if (!read.ok) return read;
  let open: readonly string[] = tenantIds;
  for (let round = 1; open.length > 0; round++) {
    const listings = await listAll(parts, open, ledger); // 1
    const later = newLedger();
    const more = await readOn(log, later, offsets, signal);
    if (!more.ok) return more;
    for (const [tenantId, listing] of listings) {
      const before = ledger.tenants.get(tenantId) ?? none;
      const after = later.tenants.get(tenantId) ?? none;
      results.set(tenantId, resultOf(tenantId, before, after, listing, ignored));
    }
    merge(ledger, later);
    open = open.filter((tenantId) => isUnsettled(results.get(tenantId)!)); // 2
    if (round >= settings.rereadCount || open.length === 0) break;
    if (!(await pause(clock, settings.rereadDelayMs, signal))) break;
  }
  const asked = new Set(tenantIds);
  const notAsked = [...ledger.tenants]
    .filter(([tenantId]) => !asked.has(tenantId))
    .map(([tenantId, registrations]) => ({ tenantId, registered: registrations.size }));
  return { ok: true, results, notAsked, unreadableRecords: ledger.unreadableRecords };
}

/** Reads `connector.registered` on to its present end. */
async function readOn(
  log: EventLog,
  ledger: Ledger,
  offsets: number[],
  signal: AbortSignal,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }> {
  for (const [partition, offset] of offsets.entries()) {
    const result = await log.scan(
      "registered",
      partition,
      offset,
      (records) => {
        for (const record of records) takeRecord(ledger, record);
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
  ledger: Ledger,
): Promise<Map<string, Listing>> {
  const listings = new Map<string, Listing>();
  const queue = [...tenantIds];
  const work = async () => {
    for (let tenantId = queue.shift(); tenantId !== undefined; tenantId = queue.shift()) {
      if (parts.signal.aborted) return;
      listings.set(tenantId, await listPatiently(parts, tenantId, !ledger.tenants.has(tenantId)));
    }
  };
  await Promise.all(Array.from({ length: listsAtOnce }, work));
  return listings;
}

function resultOf(
  tenantId: string,
  before: ReadonlyMap<string, Registration>,
  later: ReadonlyMap<string, Registration>,
  listing: Listing,
  ignored: ReadonlySet<ComparedProperty>,
): TenantResult {
  if (listing.kind !== "listed") return listing;
  const findings = compare(tenantId, before, later, listing.objects, ignored);
  if (listing.incomplete === null) return { kind: "compared", findings, incomplete: null };
  const unseen = findings.missing.length;
  const incomplete = `${listing.incomplete}; ${unseen} registered objects are not in the part that was listed`;
  return { kind: "compared", findings: { ...findings, missing: [] }, incomplete }; // 3
}

function isUnsettled(result: TenantResult): boolean {
  if (result.kind !== "compared") return false;
  const { missing, orphaned } = result.findings;
  return missing.length > 0 || orphaned.length > 0 || result.incomplete !== null;
}
