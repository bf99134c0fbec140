/**
 * How the list of tenants changes in a run: who is added, removed, paused, resumed, and when each worker hears of it. Drawn by a
 * generator of its own, so that runs without changes keep their course.
 */
import type { Standing } from "../../src/ports.ts";
import type { Rng } from "./rng.ts";

/** The list as it is from one moment on: of each tenant of the workload, by its index there modulo their number. */
export interface TenantVersion {
  readonly standings: readonly Standing[];
  /** When each worker slot gets it; a later version may overtake it. */
  readonly reachesMs: readonly number[];
}

export interface TenantPlan {
  /** In order, the first in force from the start; one alone: nothing changes. */
  readonly versions: readonly TenantVersion[];
  /** From this version on every second tenant is in another cloud than the others; before, it is not listed. Null: all are in one. */
  readonly otherCloudFrom: number | null;
  /** Limits of their own, by tenant. */
  readonly writesPer20s: readonly (number | null)[];
}

const tenantsMax = 5;
const calmAheadMs = 2_000;

export function drawTenantPlan(rng: Rng, workers: number, activeMs: number): TenantPlan {
  const all = (standing: Standing): Standing[] => Array.from({ length: tenantsMax }, () => standing);
  const slots = <T>(of: () => T): T[] => Array.from({ length: workers }, of);
  const start = { standings: all("served"), reachesMs: slots(() => 0) };
  if (!rng.chance(0.3))
    return { versions: [start], otherCloudFrom: null, writesPer20s: all("served").map(() => null) };

  let standings: readonly Standing[] = all("served").map(() => (rng.chance(0.2) ? draw(rng) : "served"));
  const versions: TenantVersion[] = [{ ...start, standings }];
  const times = Array.from({ length: rng.int(1, 12) }, () => rng.int(0, activeMs - calmAheadMs)).sort(
    (a, b) => a - b,
  );
  for (const atMs of times) {
    const changed = rng.int(0, tenantsMax - 1);
    standings = standings.map((standing, index) => (index === changed ? other(rng, standing) : standing));
    const lagMaxMs = rng.pick([0, 2_000, 40_000]);
    versions.push({ standings, reachesMs: slots(() => Math.min(activeMs, atMs + rng.int(0, lagMaxMs))) });
  }
  // Records of a paused tenant never settle, but all must settle, and all workers agree in the end.
  const last = standings.map(
    (standing): Standing => (standing === "paused" ? rng.pick(["served", "unlisted"]) : standing),
  );
  versions.push({ standings: last, reachesMs: slots(() => activeMs) });
  const writesPer20s = all("served").map(() => (rng.chance(0.2) ? rng.pick([5, 50]) : null));
  const hasTwoClouds = rng.chance(0.3);
  // A cloud that is none's at the start of the workers' lives comes with a later list.
  const comesLater = rng.chance(0.5);
  const from = comesLater ? rng.int(1, versions.length - 1) : 0;
  return { versions, otherCloudFrom: hasTwoClouds ? from : null, writesPer20s };
}

function draw(rng: Rng): Standing {
  return rng.pick(["served", "paused", "unlisted"]);
}

function other(rng: Rng, standing: Standing): Standing {
  const others: readonly Standing[] = ["served", "served", "paused", "unlisted"];
  return rng.pick(others.filter((one) => one !== standing));
}
