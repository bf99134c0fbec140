/**
 * What one seed decides beside the workload: timing, settings, which classes of fault occur, and when. Each class is
 * off in about half of the runs, so that no fault hides behind a more frequent one.
 */

import type { Offsets } from "./broker.ts";
import type { GraphFaultRates, LogFaultRates } from "./fault-rates.ts";
import type { Defect, IdMode, Trouble } from "./graph-server.ts";
import { asItCame, drawNormalForm, type NormalForm } from "./normal-form.ts";
import { listLagBoundMs, makeGraphFaultRates, makeLogFaultRates } from "./plan-fault-rates.ts";
import {
  type At,
  type Incident,
  makeIncidents,
  makeParkedLoss,
  makeReplacements,
  makeWorldEvents,
  type WorldEvent,
} from "./plan-incidents.ts";
import { drawTenantPlan, type TenantPlan } from "./plan-tenants.ts";
import { makeProcessSettings, type ProcessSettings, variantOf } from "./process-settings.ts";
import type { Rng } from "./rng.ts";
import type { TimeSpan } from "./time-span.ts";

export interface Plan {
  readonly partitionCount: number;
  readonly offsets: Offsets;
  /** When each worker slot first starts. */
  readonly startsMs: readonly number[];
  /** Faults happen before this moment, and none after it but those that never end. */
  readonly activeMs: number;
  /** What lives of workers are started with: slot by slot, or drawn for each life where the configuration changes. */
  readonly settings: readonly ProcessSettings[];
  readonly changesSettings: boolean;
  /** Monotonic clocks run faster or slower by up to this share. */
  readonly clockErrorMax: number;
  /** How often what a process sent arrives long after it vanished. */
  readonly orphanRate: number;
  readonly isParking: boolean;
  readonly idMode: IdMode;
  readonly emptyListIsError: boolean;
  readonly normalForm: NormalForm;
  readonly refusesBatches: boolean;
  readonly logFaultRates: LogFaultRates;
  readonly graphFaultRates: GraphFaultRates;
  /** `tenant`: index into the workload's tenants, modulo their number; null: all. */
  readonly troubles: readonly (TimeSpan & { readonly tenant: number | null; readonly trouble: Trouble })[];
  /** What fails permanently for one tenant from some moment on; null: nothing. `pick`: which of its records, if only one. */
  readonly defect: {
    readonly fromMs: number;
    readonly tenant: number;
    readonly kind: Defect;
    readonly pick: number;
  } | null;
  readonly brokerOutages: readonly TimeSpan[];
  readonly incidents: readonly (At<Incident> & { readonly slot: number })[];
  readonly worldEvents: readonly At<WorldEvent>[];
  /** When committed offsets expire, or retention takes unsettled records; null: not in this run. */
  readonly commitsExpireAtMs: number | null;
  readonly retentionAtMs: number | null;
  /** Workers keep snapshots of their ledgers on a disk that outlives them. */
  readonly hasSnapshots: boolean;
  /** Tenants have objects that no enrollment of ours made. */
  readonly hasForeignObjects: boolean;
  readonly tenants: TenantPlan;
  /** By slot: its workers have the slot's name as their instance id. */
  readonly isStatic: readonly boolean[];
}

export function makePlan(rng: Rng): Plan {
  const sometimes = <T>(value: () => T, otherwise: T, probability = 0.5): T =>
    rng.chance(probability) ? value() : otherwise;
  const isParking = rng.chance(0.15);
  const workers = rng.pick([1, 2, 2, 3]);
  const activeMs = rng.int(40_000, 150_000);
  const moment = (): number => rng.int(0, activeMs);
  const drawn = makeSettings(rng, workers, isParking);
  const idMode = isParking
    ? rng.pick<IdMode>(["ignores", "ignores", "ignores", "honours"])
    : sometimes<IdMode>(() => "refuses", rng.pick<IdMode>(["honours", "ignores", "ignores", "ignores"]), 0.1);
  // Where the service honours our ids, they protect even when lists lag for longer than any read-back.
  const isIdSafe = protectsByIds({ idMode, settings: drawn }) && rng.chance(0.5);
  const many = (max: number): unknown[] => Array.from({ length: rng.int(0, max) });
  const harm = isParking ? rng.pick([0.05, 0.2, 0.5]) : rng.pick([0, 0.02, 0.1]);
  const level = { harm, isParking };
  const isRetentionRun = !isParking && rng.chance(0.03);
  const isStatic = drawStatic(rng.fork("static members"), workers);
  const scene = { workers, activeMs, settings: drawn[0]!, isParking };
  const worldEvents = isRetentionRun
    ? []
    : [...makeWorldEvents(rng, scene), ...makeParkedLoss(rng.fork("parked loss"), scene)];
  const isHarmed = worldEvents.some(({ what }) => harms.has(what.kind));

  const defect = sometimes(
    () => makeDefect(rng, activeMs),
    null,
    isHarmed || isRetentionRun || isParking ? 0 : 0.06,
  );
  const isImpatient = defect !== null && rng.chance(0.5);
  const settings = isImpatient ? drawn.map((one) => ({ ...one, tenantBlockedMaxMs: 60_000 })) : drawn;

  return {
    partitionCount: rng.int(1, 4),
    offsets: { first: sometimes(() => rng.int(1, 5_000), 0, 0.3), holes: rng.pick([0, 0, 0.2]) },
    startsMs: Array.from({ length: workers }, (_, slot) =>
      slot === 0 || rng.chance(0.5) ? rng.int(0, 1_000) : moment(),
    ),
    activeMs,
    settings,
    changesSettings: rng.chance(0.3),
    clockErrorMax: rng.pick([0, 0, 0.005]),
    orphanRate: sometimes(() => rng.next(), 0),
    isParking,
    idMode,
    emptyListIsError: rng.chance(0.2),
    normalForm: sometimes(() => drawNormalForm(rng), asItCame, 0.3),
    refusesBatches: rng.chance(0.03),
    logFaultRates: makeLogFaultRates(rng, level),
    graphFaultRates: makeGraphFaultRates(rng, level, isIdSafe ? 60_000 : listLagBoundMs(drawn)),
    troubles: sometimes(() => many(3), [])
      .map(() => makeTrouble(rng, activeMs))
      .filter(({ trouble }) => !isImpatient || !blockingTroubles.has(trouble)),
    defect,
    brokerOutages: sometimes(() => many(2), [], 0.3).map(() =>
      within(moment(), rng.int(500, 40_000), activeMs),
    ),
    incidents: [...makeIncidents(rng, scene), ...makeReplacements(rng.fork("static"), scene, isStatic)].sort(
      (a, b) => a.atMs - b.atMs,
    ),
    worldEvents,
    // Not with a harmed log: without the committed offset it is not known what is missing.
    commitsExpireAtMs: isRetentionRun || isHarmed ? null : sometimes(moment, null, 0.04),
    retentionAtMs: isRetentionRun ? moment() : null,
    hasSnapshots: rng.chance(0.4),
    hasForeignObjects: rng.chance(0.3),
    tenants: drawTenantPlan(rng.fork("tenants"), workers, activeMs),
    isStatic,
  };
}

/** The log loses what it had acknowledged. */
const harms: ReadonlySet<WorldEvent["kind"]> = new Set(["lose-end", "recreate", "lose-parked"]);

/** These would have records dead-lettered where a blocked tenant's wait for a minute only. */
const blockingTroubles: ReadonlySet<Trouble> = new Set(["401", "403", "credential"]);

/** Graph honours the ids that every worker sends: not even a create that outlives every wait can make a second object. */
export function protectsByIds({ idMode, settings }: Pick<Plan, "idMode" | "settings">): boolean {
  return idMode === "honours" && settings.every(({ sendId }) => sendId);
}

/** In some runs most workers have an instance id, in the others none has. */
function drawStatic(rng: Rng, workers: number): boolean[] {
  const share = rng.chance(0.15) ? 0.8 : 0;
  return Array.from({ length: workers }, () => rng.chance(share));
}

function makeSettings(rng: Rng, workers: number, isParking: boolean): ProcessSettings[] {
  const base = makeProcessSettings(rng, isParking);
  if (rng.chance(0.6)) return [base];
  const mixesIds = rng.chance(0.1);
  const others = Array.from({ length: Math.max(1, workers - 1) }, () =>
    variantOf(rng, base, { isParking, mixesIds }),
  );
  return [base, ...others];
}

function within(fromMs: number, forMs: number, activeMs: number): TimeSpan {
  return { fromMs, untilMs: Math.min(activeMs, fromMs + forMs) };
}

function makeTrouble(rng: Rng, activeMs: number): Plan["troubles"][number] {
  const span = within(rng.int(0, activeMs), rng.int(1_000, 80_000), activeMs);
  if (rng.chance(0.6)) {
    const trouble = rng.pick<Trouble>(["throttle", "throttle", "401", "403", "credential"]);
    return { ...span, tenant: rng.int(0, 9), trouble };
  }
  const trouble = rng.pick<Trouble>(["connect", "silent", "503", "500", "throttle"]);
  return { ...span, tenant: null, trouble };
}

function makeDefect(rng: Rng, activeMs: number): NonNullable<Plan["defect"]> {
  const kind = rng.pick<Defect>(["blocked", "list-refused", "list-fails", "list-incomplete", "create-fails"]);
  const fromMs = rng.chance(0.7) ? 0 : rng.int(0, activeMs);
  return { fromMs, tenant: rng.int(0, 9), kind, pick: rng.int(0, 99) };
}
