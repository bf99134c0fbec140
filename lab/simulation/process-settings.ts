/** What one life of a worker is started with: the core's settings, and its adapters' time limits that agree with them. */
import type { RegistrarSettings } from "../../src/registrar/settings.ts";
import type { MemberTiming } from "./member-timing.ts";
import type { Rng } from "./rng.ts";

export interface ProcessSettings extends Omit<RegistrarSettings, "tenants" | "sabotage">, MemberTiming {
  readonly commitTimeoutMs: number;
  /** How long after its time-out an append, or a create, may still take effect while the process lives. */
  readonly lateMaxMs: number;
}

const longestOrphanMs = 40_000;

/** `isParking`: windows and rates that make tenants wait in the retry topic much of the time. */
export function makeProcessSettings(rng: Rng, isParking: boolean): ProcessSettings {
  const sessionTimeoutMs = rng.pick([6_000, 10_000, 30_000]);
  const publishTimeoutMs = rng.pick([3_000, 8_000]);
  const requestTimeoutMs = rng.pick([3_000, 10_000]);
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: sessionTimeoutMs * rng.pick([1, 2]),
    heartbeatMs: Math.floor(sessionTimeoutMs / rng.pick([3, 4])),
    marginMs: rng.pick([500, 1_000]),
    commitTimeoutMs: 3_000,
    lateMaxMs: Math.floor(publishTimeoutMs * 0.9),
    orphanMs: rng.pick([0, 10_000, longestOrphanMs]),
    sendId: rng.chance(0.7),
    requestTimeoutMs,
    publishTimeoutMs,
    settleMs: requestTimeoutMs + publishTimeoutMs + rng.pick([0, 2_000]),
    maxInFlight: rng.pick([1, 4, 32]),
    batchMax: rng.pick([1, 5, 20]),
    writesPer20s: isParking ? rng.int(5, 20) : rng.pick([20, 100]),
    listsPer20s: rng.pick([5, 100]),
    windowRecords: isParking ? rng.int(2, 8) : rng.pick([3, 20, 1_000]),
    attemptAhead: rng.pick([1, 5, 50, 500]),
    maxAttempts: 16,
    rereadCount: 3,
    rereadDelayMs: rng.pick([1_000, 2_000]),
    tenantBlockedMaxMs: 24 * 3_600_000,
    snapshotIntervalMs: 5_000,
    snapshotEntriesMin: 1,
    commitIntervalMs: rng.pick([0, 100, 1_000]),
    onRetentionGap: "stop",
  };
}

interface FleetTraits {
  readonly isParking: boolean;
  /** Workers differ in whether they send ids. */
  readonly mixesIds: boolean;
}

/** Another worker's settings, of the same deployment: it agrees with `base` in what all workers must have in common. */
export function variantOf(
  rng: Rng,
  base: ProcessSettings,
  { isParking, mixesIds }: FleetTraits,
): ProcessSettings {
  const other = makeProcessSettings(rng, isParking);
  // Far apart, so that it shows whose limits are waited for.
  const orphanMs = base.orphanMs === 0 ? longestOrphanMs : 0;
  return { ...other, orphanMs, sendId: mixesIds ? other.sendId : base.sendId };
}
