/** Which tenants Graph refuses, and in which words: kept from the events, for /readyz and the console. */
import type { Observer } from "../observer.ts";
import type { Clock } from "../ports.ts";

export interface BlockedTenant {
  readonly tenantId: string;
  /** Graph's words. */
  readonly detail: string;
  /** Wall clock. */
  readonly sinceMs: number;
}

export interface BlockedTenants {
  readonly observe: Observer;
  /** Of these, the first ones that are blocked. */
  of(tenantIds: readonly string[]): readonly BlockedTenant[];
}

/** Tenants that are shown at a time; more are counted, by the metrics. */
const shownMax = 100;
const keptMax = 10_000;
const detailMax = 1_000;

export function openBlockedTenants(clock: Pick<Clock, "wallMs">): BlockedTenants {
  const known = new Map<string, BlockedTenant>();
  return {
    observe(event) {
      if (event.kind === "tenant-unblocked") known.delete(event.tenantId);
      if (event.kind !== "tenant-blocked") return;
      const { tenantId, detail } = event;
      const sinceMs = known.get(tenantId)?.sinceMs ?? clock.wallMs();
      if (known.size >= keptMax && !known.has(tenantId)) return;
      known.set(tenantId, { tenantId, detail: detail.slice(0, detailMax), sinceMs });
    },
    of(tenantIds) {
      const unsaid = (tenantId: string) => ({ tenantId, detail: "", sinceMs: clock.wallMs() });
      return tenantIds.slice(0, shownMax).map((tenantId) => known.get(tenantId) ?? unsaid(tenantId));
    },
  };
}
