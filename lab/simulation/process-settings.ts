/** What one life of a worker is started with: the core's settings, and its adapters' time limits that agree with them. */
import type { RegistrarSettings } from "../../src/registrar/settings.ts";
import type { Dice } from "./dice.ts";
import type { MemberTiming } from "./member-timing.ts";

export interface ProcessSettings
  extends Omit<RegistrarSettings, "isTenantAllowed" | "sabotage">,
    MemberTiming {
  readonly commitTimeoutMs: number;
  /** How long after its time-out an append, or a create, may still take effect while the process lives. */
  readonly lateMaxMs: number;
}

const longestOrphanMs = 40_000;

/** `isParking`: windows and rates that make tenants wait in the retry topic much of the time. */
export function makeProcessSettings(dice: Dice, isParking: boolean): ProcessSettings {
  const sessionTimeoutMs = dice.pick([6_000, 10_000, 30_000]);
  const publishTimeoutMs = dice.pick([3_000, 8_000]);
  const requestTimeoutMs = dice.pick([3_000, 10_000]);
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: sessionTimeoutMs * dice.pick([1, 2]),
    heartbeatMs: Math.floor(sessionTimeoutMs / dice.pick([3, 4])),
    marginMs: dice.pick([500, 1_000]),
    commitTimeoutMs: 3_000,
    lateMaxMs: Math.floor(publishTimeoutMs * 0.9),
    orphanMs: dice.pick([0, 10_000, longestOrphanMs]),
    cloud: "global",
    sendId: dice.chance(0.7),
    requestTimeoutMs,
    publishTimeoutMs,
    settleMs: requestTimeoutMs + publishTimeoutMs + dice.pick([0, 2_000]),
    maxInFlight: dice.pick([1, 4, 32]),
    batchMax: dice.pick([1, 5, 20]),
    writesPer20s: isParking ? dice.int(5, 20) : dice.pick([20, 100]),
    listsPer20s: dice.pick([5, 100]),
    windowRecords: isParking ? dice.int(2, 8) : dice.pick([3, 20, 1_000]),
    attemptAhead: dice.pick([1, 5, 50, 500]),
    maxAttempts: 16,
    rereadCount: 3,
    rereadDelayMs: dice.pick([1_000, 2_000]),
    tenantBlockedMaxMs: 24 * 3_600_000,
    snapshotIntervalMs: 5_000,
    snapshotEntriesMin: 1,
    commitIntervalMs: dice.pick([0, 100, 1_000]),
    onRetentionGap: "stop",
  };
}

/** Another worker's settings, of the same deployment: it agrees with `base` in what all workers must have in common. */
export function variantOf(
  dice: Dice,
  base: ProcessSettings,
  isParking: boolean,
  mixesIds: boolean,
): ProcessSettings {
  const other = makeProcessSettings(dice, isParking);
  // Far apart, so that it shows whose limits are waited for.
  const orphanMs = base.orphanMs === 0 ? longestOrphanMs : 0;
  return { ...other, orphanMs, sendId: mixesIds ? other.sendId : base.sendId };
}
