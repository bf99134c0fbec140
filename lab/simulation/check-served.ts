/**
 * Who may be served, as each worker's list of tenants says at the time.
 *
 * 1. No create for a tenant that is paused or not listed.
 * 2. A valid record is refused as `tenant-not-allowed` only by a worker on whose list its tenant was missing at some time, and
 *    only if no object was made for its identity before, nor by a create that had begun by then.
 * 3. Such a record is not registered as well.
 */
import type { Run } from "./check-run.ts";
import type { Evidence, Lists } from "./check-state.ts";
import type { Entry } from "./history.ts";
import { inputAt, parse } from "./origins.ts";
import type { Input } from "./workload.ts";

export const unlistedCode = "tenant-not-allowed";

export function createLists(): Lists {
  return { standings: new Map(), unlisted: new Map() };
}

export function noteList(lists: Lists, { by, standings }: Extract<Entry, { kind: "tenants" }>): void {
  lists.standings.set(by, standings);
  const unlisted = lists.unlisted.get(by) ?? new Set();
  lists.unlisted.set(by, unlisted);
  for (const [tenantId, standing] of standings) if (standing === "unlisted") unlisted.add(tenantId);
}

export function checkPosts({ entries }: Run): string[] {
  const lists = createLists();
  const violations: string[] = [];
  for (const entry of entries) {
    if (entry.kind === "tenants") noteList(lists, entry);
    if (entry.kind !== "post") continue;
    const standing = lists.standings.get(entry.by)?.get(entry.tenantId);
    if (standing !== undefined && standing !== "served")
      violations.push(`at ${entry.tMs} ms ${entry.by} posts for ${entry.tenantId}, which is ${standing}`);
  }
  return violations;
}

/** `identity`: of the record that `by` refuses at `tMs`. Null: it may. */
export function checkUnlisted(
  { run, graph, state }: Evidence,
  { identity, by, tMs }: { readonly identity: number; readonly by: string; readonly tMs: number },
): string | null {
  const { tenantId } = run.workload.identities[identity]!;
  if (!state.lists.unlisted.get(by)?.has(tenantId))
    return `identity ${identity} is refused, and its tenant was listed all along`;
  if (isHarmed(run) || tenantId === run.defectiveTenant || state.pauses.isHeldBack(by, tMs)) return null;
  const made = (graph.created.get(identity) ?? []).find(
    ({ isLate, calledAtMs }) => !isLate && calledAtMs < tMs,
  );
  if (made === undefined) return null;
  return `identity ${identity} is refused for its tenant, and ${made.object.id} was made for it by a create of ${made.calledAtMs} ms`;
}

/** What the log loses may be forgotten. */
export function isHarmed({ entries }: Run): boolean {
  return entries.some(
    ({ kind }) => kind === "log-lost" || kind === "truncated" || kind === "commits-expired",
  );
}

/** Identities of which a record was refused for its tenant: another one of theirs may be created much later. */
export function refusedForTenant(run: Run): ReadonlySet<number> {
  const identities = new Set<number>();
  for (const entry of run.entries) {
    if (entry.kind !== "stored" || entry.record.topic !== "dlq") continue;
    const header = entry.record.headers.find(([name]) => name === "dead-letter")?.[1] ?? null;
    const reason = parse(header) as { id: string; code: string } | null;
    if (reason?.code !== unlistedCode) continue;
    const intent: Input["intent"] | undefined = inputAt(reason.id, entry.record, run)?.intent;
    if (intent?.kind === "valid") identities.add(intent.identity);
  }
  return identities;
}
