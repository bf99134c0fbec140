/** What differs between two lists of tenants. Yields as parseTenants does. */
import type { Tenant } from "./definition.ts";
import type { TenantList } from "./parse.ts";

/** Tenant ids. One that is paused and changed otherwise stands in both. */
export interface TenantChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly paused: readonly string[];
  readonly resumed: readonly string[];
  /** Another cloud, application, credential or limit. */
  readonly changed: readonly string[];
}

const entriesPerStep = 512;

export function* changesBetween(before: TenantList, after: TenantList): Generator<void, TenantChanges> {
  const changes = {
    added: [] as string[],
    removed: [] as string[],
    paused: [] as string[],
    resumed: [] as string[],
    changed: [] as string[],
  };
  let seen = 0;
  for (const [tenantId, now] of after) {
    const then = before.get(tenantId);
    if (then === undefined) changes.added.push(tenantId);
    else {
      if (isPaused(now) !== isPaused(then)) changes[isPaused(now) ? "paused" : "resumed"].push(tenantId);
      if (!hasSameTerms(then, now)) changes.changed.push(tenantId);
    }
    if (++seen % entriesPerStep === 0) yield;
  }
  for (const tenantId of before.keys()) {
    if (!after.has(tenantId)) changes.removed.push(tenantId);
    if (++seen % entriesPerStep === 0) yield;
  }
  return changes;
}

export function isPaused({ paused }: Tenant): boolean {
  return paused === true;
}

function hasSameTerms(a: Tenant, b: Tenant): boolean {
  const isPlain = a.credential === undefined && b.credential === undefined;
  const hasSameCredential = isPlain || JSON.stringify(a.credential) === JSON.stringify(b.credential);
  return (
    hasSameCredential && a.cloud === b.cloud && a.clientId === b.clientId && a.writesPer20s === b.writesPer20s
  );
}
