/**
 * For how long one tenant has failed while others were served. An outage of all says nothing about a tenant: time counts
 * only between two failures with something created in between, so one failure after an outage counts for little. Pure.
 */

export interface Failing {
  readonly inARow: number;
  /** What counts, up to the last failure. */
  readonly forMs: number;
  readonly lastAtMs: number;
  /** The last failure was this tenant's own, as far as is known. */
  readonly isOwn: boolean;
  /** How many objects had been created by then, of all tenants. */
  readonly served: number;
}

export interface Failure {
  readonly atMs: number;
  /** How many objects had been created by then, of all tenants. */
  readonly served: number;
  /** The failure itself says that it is this tenant's. */
  readonly isOwn: boolean;
}

/** `failing` null: the last one succeeded. */
export function fail(failing: Failing | null, { atMs, served, isOwn }: Failure): Failing {
  if (failing === null) return { inARow: 1, forMs: 0, lastAtMs: atMs, isOwn, served };
  const counts = isOwn || served > failing.served;
  return {
    inARow: failing.inARow + 1,
    forMs: failing.forMs + (counts ? atMs - failing.lastAtMs : 0),
    lastAtMs: atMs,
    isOwn: counts,
    served,
  };
}
