/**
 * The tenants that a worker serves, as its parts ask for them; the list may be replaced by another one.
 *
 * 1. What a removed tenant was served with is kept: what was begun for it is finished with that.
 */
import type { ServedTenants } from "../ports.ts";
import { isPaused, type TenantChanges } from "./changes.ts";
import type { Tenant } from "./definition.ts";
import type { TenantList } from "./parse.ts";

export interface Served extends ServedTenants {
  /** As the list says it, or as it last did; null: never heard of. */
  entryOf(tenantId: string): Tenant | null;
  list(): TenantList;
  /** `changes`: between the present list and this one. */
  replace(list: TenantList, changes: TenantChanges): void;
}

/** More than these are forgotten, the oldest first. */
const formerMax = 10_000;

/** `cloud`: of those that name none. */
export function createServed(first: TenantList, cloud: string): Served {
  let list = first;
  let clouds = cloudsOf(list, cloud);
  const former = new Map<string, Tenant>();
  const listeners: ((tenantIds: ReadonlySet<string>) => void)[] = [];
  const entryOf = (tenantId: string): Tenant | null => list.get(tenantId) ?? former.get(tenantId) ?? null;
  return {
    entryOf,
    list: () => list,
    standingOf(tenantId) {
      const tenant = list.get(tenantId);
      if (tenant === undefined) return "unlisted";
      return isPaused(tenant) ? "paused" : "served";
    },
    cloudOf: (tenantId) => entryOf(tenantId)?.cloud ?? cloud,
    clouds: () => clouds,
    writesPer20sOf: (tenantId) => entryOf(tenantId)?.writesPer20s ?? null,
    onChange: (listener) => void listeners.push(listener),
    replace(next, changes) {
      if (changes.removed.length >= formerMax) former.clear();
      for (const tenantId of changes.removed.slice(-formerMax)) keep(tenantId); // 1
      for (const tenantId of changes.added) former.delete(tenantId);
      list = next;
      clouds = cloudsOf(list, cloud);
      const { added, removed, paused, resumed, changed } = changes;
      const tenantIds = new Set<string>();
      for (const some of [added, removed, paused, resumed, changed]) for (const id of some) tenantIds.add(id);
      for (const listener of listeners) listener(tenantIds);
    },
  };

  function keep(tenantId: string): void {
    const tenant = list.get(tenantId);
    if (tenant === undefined) return;
    if (former.size >= formerMax) former.delete(former.keys().next().value!);
    former.set(tenantId, tenant);
  }
}

/** Without any tenant, the one for all. */
function cloudsOf(list: TenantList, cloud: string): string[] {
  const clouds = new Set<string>();
  for (const tenant of list.values()) clouds.add(tenant.cloud ?? cloud);
  return clouds.size === 0 ? [cloud] : [...clouds];
}

/** A fixed list: these tenants, all alike. */
export function listOf(tenantIds: readonly string[]): TenantList {
  return new Map(tenantIds.map((tenantId) => [tenantId, { tenantId }]));
}
