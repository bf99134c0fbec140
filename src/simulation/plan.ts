/**
 * What one seed decides beside the workload: timing, settings, which classes of fault occur, and when. Each class is
 * off in about half of the runs, so that no fault hides behind a more frequent one.
 */
import type { RegistrarSettings } from "../registrar/settings.ts";
import type { Offsets } from "./broker.ts";
import type { Dice } from "./dice.ts";
import type { IdMode, Trouble } from "./graph-server.ts";
import type { MemberTiming } from "./member.ts";
import type { SendKind, TripWire } from "./process.ts";
import { calmLog, type GraphWeather, type LogWeather } from "./weather.ts";

/** What befalls one worker slot. `wire`: between which of its actions it happens; null: at once. */
export type Incident =
  | { readonly kind: "crash"; readonly wire: TripWire | null }
  | {
      readonly kind: "freeze";
      readonly wire: TripWire | null;
      readonly forMs: number;
    }
  | { readonly kind: "stop" }
  | { readonly kind: "cut"; readonly forMs: number }
  | { readonly kind: "jump"; readonly byMs: number }
  | { readonly kind: "lose-membership" };

export interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Plan {
  readonly partitionCount: number;
  readonly offsets: Offsets;
  /** When each worker slot first starts. */
  readonly startsMs: readonly number[];
  /** Faults happen before this moment, and none after it. */
  readonly activeMs: number;
  readonly timing: MemberTiming & Timeouts;
  readonly settings: Omit<RegistrarSettings, "isTenantAllowed">;
  readonly idMode: IdMode;
  readonly emptyListIsError: boolean;
  readonly normalisesDates: boolean;
  readonly logWeather: LogWeather;
  readonly graphWeather: GraphWeather;
  /** `tenant`: index into the workload's tenants, modulo their number; null: all. */
  readonly troubles: readonly (Window & { readonly tenant: number | null; readonly trouble: Trouble })[];
  readonly brokerOutages: readonly Window[];
  readonly incidents: readonly {
    readonly atMs: number;
    readonly slot: number;
    readonly incident: Incident;
  }[];
  /** When committed offsets expire, or retention takes unsettled records; null: not in this run. */
  readonly commitsExpireAtMs: number | null;
  readonly retentionAtMs: number | null;
  readonly compactionsMs: readonly number[];
  /** Workers keep snapshots of their ledgers on a disk that outlives them. */
  readonly hasSnapshots: boolean;
  /** Tenants have objects that no enrollment of ours made. */
  readonly hasForeignObjects: boolean;
}

export interface Timeouts {
  readonly requestTimeoutMs: number;
  readonly publishTimeoutMs: number;
  readonly commitTimeoutMs: number;
  readonly lateMaxMs: number;
}

export function makePlan(dice: Dice): Plan {
  const sometimes = <T>(value: () => T, otherwise: T, probability = 0.5): T =>
    dice.chance(probability) ? value() : otherwise;
  const workers = dice.pick([1, 2, 2, 3]);
  const activeMs = dice.int(40_000, 150_000);
  const moment = (): number => dice.int(0, activeMs);
  const timing = makeTiming(dice);
  const idMode = dice.chance(0.1)
    ? "refuses"
    : dice.pick<IdMode>(["honours", "ignores", "ignores", "ignores"]);
  const settings = makeSettings(dice, timing);
  // Where the service honours our ids, they protect even when lists lag for longer than any read-back.
  const isIdSafe = idMode === "honours" && settings.sendId && dice.chance(0.5);
  const many = (max: number): unknown[] => Array.from({ length: dice.int(0, max) });
  const harm = dice.pick([0, 0.02, 0.1]);
  const rate = (): number => sometimes(() => dice.next() * harm, 0);
  const isRetentionRun = dice.chance(0.03);

  return {
    partitionCount: dice.int(1, 4),
    offsets: { first: sometimes(() => dice.int(1, 5_000), 0, 0.3), holes: dice.pick([0, 0, 0.2]) },
    startsMs: Array.from({ length: workers }, (_, slot) =>
      slot === 0 || dice.chance(0.5) ? dice.int(0, 1_000) : moment(),
    ),
    activeMs,
    timing,
    settings,
    idMode,
    emptyListIsError: dice.chance(0.2),
    normalisesDates: dice.chance(0.3),
    logWeather: {
      ...calmLog,
      latencyMaxMs: dice.pick([2, 20, 200]),
      slow: rate(),
      loseRequest: rate() / 2,
      loseReply: rate(),
      loseHeartbeat: sometimes(() => dice.next() * 0.7, 0, 0.3),
      appendFails: rate(),
      appendPartly: rate(),
      appendLate: rate(),
      commitLate: rate(),
      scanFails: rate(),
      positionsFail: rate(),
    },
    graphWeather: {
      latencyMaxMs: dice.pick([20, 200, 2_000]),
      slow: rate(),
      refuseConnection: rate(),
      resetBefore: rate(),
      resetAfter: rate(),
      resetThenEffect: rate(),
      silent: rate(),
      silentThenEffect: rate(),
      malformed: rate(),
      throttle: rate() * 2,
      unavailable503: rate(),
      error500: rate(),
      error504: rate(),
      quirk400: rate(),
      errorHasEffect: dice.pick([0, 0.5, 1]),
      listLagMaxMs: dice.pick([0, 0, isIdSafe ? 60_000 : listLagMaxMs(settings)]),
    },
    troubles: sometimes(() => many(3), []).map(() => makeTrouble(dice, activeMs)),
    brokerOutages: sometimes(() => many(2), [], 0.3).map(() =>
      within(moment(), dice.int(500, 40_000), activeMs),
    ),
    incidents: makeIncidents(dice, workers, activeMs, timing, settings.settleMs),
    // Not both: with the committed offset gone, nobody can tell what retention took.
    commitsExpireAtMs: isRetentionRun ? null : sometimes(moment, null, 0.04),
    retentionAtMs: isRetentionRun ? moment() : null,
    compactionsMs: sometimes(() => many(3), [], 0.3).map(moment),
    hasSnapshots: dice.chance(0.4),
    hasForeignObjects: dice.chance(0.3),
  };
}

/** Where nothing else protects, lists lag less than the last re-read comes after the first. */
function listLagMaxMs(settings: Pick<RegistrarSettings, "rereadCount" | "rereadDelayMs">): number {
  return Math.floor((settings.rereadCount - 1) * settings.rereadDelayMs * 0.9);
}

function makeTiming(dice: Dice): Plan["timing"] {
  const sessionTimeoutMs = dice.pick([6_000, 10_000, 30_000]);
  const publishTimeoutMs = dice.pick([3_000, 8_000]);
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: sessionTimeoutMs * dice.pick([1, 2]),
    heartbeatMs: Math.floor(sessionTimeoutMs / dice.pick([3, 4])),
    marginMs: dice.pick([500, 1_000]),
    requestTimeoutMs: dice.pick([3_000, 10_000]),
    publishTimeoutMs,
    commitTimeoutMs: 3_000,
    lateMaxMs: Math.floor(publishTimeoutMs * 0.9),
  };
}

function makeSettings(dice: Dice, timing: Plan["timing"]): Plan["settings"] {
  const { requestTimeoutMs, publishTimeoutMs } = timing;
  return {
    cloud: "global",
    sendId: dice.chance(0.7),
    requestTimeoutMs,
    publishTimeoutMs,
    settleMs: requestTimeoutMs + publishTimeoutMs + dice.pick([0, 2_000]),
    orphanMs: dice.pick([0, 5_000, 20_000]),
    maxInFlight: dice.pick([1, 4, 32]),
    batchMax: dice.pick([1, 5, 20]),
    writesPer20s: dice.pick([20, 100]),
    listsPer20s: dice.pick([5, 100]),
    windowRecords: dice.pick([3, 20, 1_000]),
    attemptAhead: dice.pick([1, 5, 50, 500]),
    maxAttempts: 16,
    rereadCount: 3,
    rereadDelayMs: 2_000,
    tenantBlockedMaxMs: 24 * 3_600_000,
    snapshotIntervalMs: 5_000,
    snapshotEntriesMin: 1,
    commitIntervalMs: dice.pick([0, 100, 1_000]),
    onRetentionGap: "stop",
  };
}

function within(fromMs: number, forMs: number, activeMs: number): Window {
  return { fromMs, untilMs: Math.min(activeMs, fromMs + forMs) };
}

function makeTrouble(dice: Dice, activeMs: number): Plan["troubles"][number] {
  const window = within(dice.int(0, activeMs), dice.int(1_000, 80_000), activeMs);
  if (dice.chance(0.6)) {
    const trouble = dice.pick<Trouble>(["throttle", "throttle", "401", "403", "credential"]);
    return { ...window, tenant: dice.int(0, 9), trouble };
  }
  const trouble = dice.pick<Trouble>(["connect", "silent", "503", "500", "throttle"]);
  return { ...window, tenant: null, trouble };
}

function makeIncidents(
  dice: Dice,
  workers: number,
  activeMs: number,
  timing: MemberTiming,
  settleMs: number,
): Plan["incidents"] {
  const kinds = (["crash", "freeze", "stop", "cut", "jump", "lose-membership"] as const).filter((kind) =>
    dice.chance(kind === "crash" || kind === "freeze" ? 0.6 : 0.25),
  );
  const pastSession = (): number => timing.sessionTimeoutMs + dice.int(0, timing.rebalanceTimeoutMs + 5_000);
  const freezeMs = (): number =>
    dice.pick([
      dice.int(50, timing.sessionTimeoutMs),
      pastSession(),
      pastSession() + settleMs + dice.int(0, 30_000),
    ]);
  const wire = (): TripWire | null => {
    if (dice.chance(0.2)) return null;
    const kind = dice.pick<SendKind | null>([null, "create", "create", "append", "commit"]);
    return { sends: kind === null ? dice.int(1, 40) : dice.int(1, 6), kind, before: dice.chance(0.5) };
  };
  const incident = (kind: (typeof kinds)[number]): Incident => {
    switch (kind) {
      case "crash":
        return { kind, wire: wire() };
      case "freeze":
        return { kind, wire: wire(), forMs: freezeMs() };
      case "cut":
        return { kind, forMs: dice.int(500, timing.sessionTimeoutMs * 3) };
      case "jump":
        return { kind, byMs: dice.pick([-300_000, -5_000, 5_000, 86_400_000]) };
      default:
        return { kind };
    }
  };
  const count = kinds.length === 0 ? 0 : dice.int(0, 20);
  return Array.from({ length: count }, () => ({
    atMs: dice.int(0, activeMs),
    slot: dice.int(0, workers - 1),
    incident: incident(dice.pick(kinds)),
  })).sort((a, b) => a.atMs - b.atMs);
}
