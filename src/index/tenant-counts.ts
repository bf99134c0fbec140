/** How many enrollments each tenant has, from the totals that are kept up with the rows. */
import { enrollmentStates, type TenantCounts } from "./enrollment-index.ts";
import type { Store } from "./store.ts";

export function tenantCounts({ tallies, texts }: Store): TenantCounts[] {
  const found = new Map<number, { -readonly [name in keyof TenantCounts]: TenantCounts[name] }>();
  for (const state of enrollmentStates)
    for (const [tenant, count] of tallies.totals(`tenant-${state}`)) {
      const tenantId = texts.textOf(tenant);
      const counts = found.get(tenant) ?? { tenantId, waiting: 0, registered: 0, refused: 0 };
      counts[state] = count;
      found.set(tenant, counts);
    }
  return [...found.values()].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}
