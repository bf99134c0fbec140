/** How often each fault of the network and of Graph happens in one seed. Each is off in about half of the runs. */

import { calmLog, type GraphFaultRates, type LogFaultRates } from "./fault-rates.ts";
import type { ProcessSettings } from "./process-settings.ts";
import type { Rng } from "./rng.ts";

export interface FaultLevel {
  /** The upper bound of most rates. */
  readonly harm: number;
  readonly isParking: boolean;
}

export function makeLogFaultRates(rng: Rng, { harm, isParking }: FaultLevel): LogFaultRates {
  const rate = (): number => (rng.chance(0.5) ? rng.next() * harm : 0);
  return {
    ...calmLog,
    latencyMaxMs: rng.pick([2, 20, 200]),
    slow: rate(),
    loseRequest: rate() / 2,
    loseReply: isParking ? rng.next() * 0.2 : rate(),
    loseHeartbeat: rng.chance(0.3) ? rng.next() * 0.7 : 0,
    appendFails: rate(),
    // Records that are stored twice, while others of the same append are still on the way.
    appendPartly: isParking && rng.chance(0.5) ? rng.next() * 0.8 : rate(),
    appendLate: isParking ? rng.next() * 0.4 : rate(),
    commitLate: rate(),
    scanFails: rate(),
    positionsFail: rate(),
    unsyncedRate: rng.chance(0.5) ? rng.next() : 0,
  };
}

export function makeGraphFaultRates(
  rng: Rng,
  { harm, isParking }: FaultLevel,
  listLagMaxMs: number,
): GraphFaultRates {
  const rate = (): number => (rng.chance(0.5) ? rng.next() * harm : 0);
  return {
    latencyMaxMs: rng.pick([20, 200, 2_000]),
    slow: rate(),
    refuseConnection: rate(),
    resetBefore: rate(),
    resetAfter: isParking ? rng.next() * 0.3 : rate(),
    resetThenEffect: rate(),
    silent: rate(),
    silentThenEffect: rate(),
    malformed: rate(),
    throttle: rate() * 2,
    unavailable: rate(),
    error500: rate(),
    error504: rate(),
    quirk400: rate(),
    batchRefused: rate(),
    errorHasEffect: rng.pick([0, 0.5, 1]),
    listLagMaxMs: rng.pick([0, 0, listLagMaxMs]),
  };
}

/** Where nothing else protects, lists lag less than the last re-read comes after the first, for every worker. */
export function listLagBoundMs(settings: readonly ProcessSettings[]): number {
  return Math.min(
    ...settings.map(({ rereadCount, rereadDelayMs }) => Math.floor((rereadCount - 1) * rereadDelayMs * 0.9)),
  );
}
