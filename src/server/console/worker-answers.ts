/** A worker's answers to /readyz and /metrics, read with care: at that address may be anything. */

export interface BlockedTenant {
  readonly tenantId: string;
  /** Graph's words. */
  readonly detail: string;
  /** Wall clock. */
  readonly sinceMs: number;
}

export interface Figures {
  readonly partitions: number;
  /** Records that are not settled. */
  readonly lagRecords: number;
  readonly waiting: number;
  readonly parked: number;
  readonly inFlight: number;
  readonly blockedTenants: number;
  readonly breaker: string;
}

const metricNames = {
  partitions: "partitions",
  lagRecords: "lag_records",
  waiting: "records_waiting",
  parked: "records_parked",
  inFlight: "graph_requests_in_flight",
  blockedTenants: "tenants_blocked",
} as const;

/** Prometheus' text form. Null: it has not all of them. */
export function figuresOf(text: string): Figures | null {
  const values = new Map<string, number>();
  let breaker: string | null = null;
  for (const line of text.split("\n")) {
    const [, name, labels, value] = /^connector_registrar_([a-z_]+)(?:\{([^}]*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined) continue;
    if (name === "breaker_state" && value === "1")
      breaker = /state="(closed|open|probing)"/.exec(labels!)?.[1] ?? null;
    else if (labels === undefined) values.set(name, Number(value));
  }
  const found = Object.entries(metricNames).map(([member, name]) => [member, values.get(name)] as const);
  if (breaker === null || found.some(([, value]) => !Number.isFinite(value))) return null;
  return { ...(Object.fromEntries(found) as Omit<Figures, "breaker">), breaker };
}

export interface Ready {
  readonly ready: boolean;
  readonly notReady: readonly string[];
  readonly blocked: readonly BlockedTenant[] | null;
}

/** Null: no worker answers like this. */
export function readyOf(text: string): Ready | null {
  try {
    const { ready, notReady, blockedTenants } = JSON.parse(text) as Record<string, unknown>;
    if (typeof ready !== "boolean" || !Array.isArray(notReady)) return null;
    const blocked = Array.isArray(blockedTenants) ? blockedTenants.filter(isBlockedTenant) : null;
    return { ready, notReady: notReady.map(String), blocked };
  } catch {
    return null;
  }
}

function isBlockedTenant(value: unknown): value is BlockedTenant {
  const { tenantId, detail, sinceMs } = (value ?? {}) as Record<string, unknown>;
  return typeof tenantId === "string" && typeof detail === "string" && typeof sinceMs === "number";
}
