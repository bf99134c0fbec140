/** How often each fault of the network and of Graph happens in one seed. Each is off in about half of the runs. */
import type { Dice } from "./dice.ts";
import type { ProcessSettings } from "./process-settings.ts";
import { calmLog, type GraphWeather, type LogWeather } from "./weather.ts";

/** `harm`: the upper bound of most rates. */
export function makeLogWeather(dice: Dice, harm: number, isParking: boolean): LogWeather {
  const rate = (): number => (dice.chance(0.5) ? dice.next() * harm : 0);
  return {
    ...calmLog,
    latencyMaxMs: dice.pick([2, 20, 200]),
    slow: rate(),
    loseRequest: rate() / 2,
    loseReply: isParking ? dice.next() * 0.2 : rate(),
    loseHeartbeat: dice.chance(0.3) ? dice.next() * 0.7 : 0,
    appendFails: rate(),
    // Records that are stored twice, while others of the same append are still on the way.
    appendPartly: isParking && dice.chance(0.5) ? dice.next() * 0.8 : rate(),
    appendLate: isParking ? dice.next() * 0.4 : rate(),
    commitLate: rate(),
    scanFails: rate(),
    positionsFail: rate(),
    unsyncedRate: dice.chance(0.5) ? dice.next() : 0,
  };
}

export function makeGraphWeather(
  dice: Dice,
  harm: number,
  isParking: boolean,
  listLagMaxMs: number,
): GraphWeather {
  const rate = (): number => (dice.chance(0.5) ? dice.next() * harm : 0);
  return {
    latencyMaxMs: dice.pick([20, 200, 2_000]),
    slow: rate(),
    refuseConnection: rate(),
    resetBefore: rate(),
    resetAfter: isParking ? dice.next() * 0.3 : rate(),
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
    errorHasEffect: dice.pick([0, 0.5, 1]),
    listLagMaxMs: dice.pick([0, 0, listLagMaxMs]),
  };
}

/** Where nothing else protects, lists lag less than the last re-read comes after the first, for every worker. */
export function listLagBoundMs(settings: readonly ProcessSettings[]): number {
  return Math.min(
    ...settings.map(({ rereadCount, rereadDelayMs }) => Math.floor((rereadCount - 1) * rereadDelayMs * 0.9)),
  );
}
