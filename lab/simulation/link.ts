/** The network between one process and the broker: latency, lost requests, lost replies, and cuts. */
import type { Broker } from "./broker.ts";
import type { Dice } from "./dice.ts";
import type { FaultClass } from "./fault-classes.ts";
import { createPath, type PathSettings, type Way } from "./path.ts";
import type { SendKind, SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { LogWeather } from "./weather.ts";

export interface Link {
  /** Sends a request that the broker handles if it arrives; the answer may get lost too. */
  ask<T>(
    kind: SendKind,
    timeoutMs: number,
    onTimeout: () => T,
    handle: (answer: (result: T) => void) => void,
    extraLoss?: number,
  ): Promise<T>;
  cut(way: Way): void;
  repair(): void;
  isReachable(): boolean;
  latencyMs(): number;
  weather(): LogWeather;
  strike(fault: FaultClass): void;
}

export function createLink(
  process: SimProcess,
  broker: Broker,
  scheduler: Scheduler,
  dice: Dice,
  weather: () => LogWeather,
  kernel: PathSettings,
): Link {
  const path = createPath(process, scheduler, dice, kernel);
  const latencyMs = (): number => {
    const { latencyMaxMs, slow } = weather();
    return dice.chance(slow) ? dice.int(500, 2_500) : dice.int(0, latencyMaxMs);
  };
  const loses = (fault: FaultClass, probability: number): boolean => {
    if (!dice.chance(probability)) return false;
    kernel.strike(fault);
    return true;
  };
  return {
    ask(kind, timeoutMs, onTimeout, handle, extraLoss = 0) {
      return process.request(kind, timeoutMs, onTimeout, (answer, isWanted) => {
        if (loses("request lost", weather().loseRequest + extraLoss)) return;
        const arrive = (): void => {
          if (!broker.isUp()) return;
          handle((result) => {
            if (!broker.isUp() || loses("reply lost", weather().loseReply + extraLoss)) return;
            path.back(latencyMs(), () => answer(result));
          });
        };
        path.there(latencyMs(), arrive, isWanted);
      });
    },
    cut: path.cut,
    repair() {
      path.repair();
      broker.wake();
    },
    isReachable: () => broker.isUp() && path.isOpen(),
    latencyMs,
    weather,
    strike: kernel.strike,
  };
}
