/** The network between one process and the broker: latency, lost requests, lost replies, and cuts. */
import type { Broker } from "./broker.ts";
import type { Dice } from "./dice.ts";
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
  setCut(cut: boolean): void;
  isReachable(): boolean;
  latencyMs(): number;
  weather(): LogWeather;
}

export function createLink(
  process: SimProcess,
  broker: Broker,
  scheduler: Scheduler,
  dice: Dice,
  weather: () => LogWeather,
): Link {
  let isCut = false;
  const latencyMs = (): number => {
    const { latencyMaxMs, slow } = weather();
    return dice.chance(slow) ? dice.int(500, 2_500) : dice.int(0, latencyMaxMs);
  };
  const isReachable = (): boolean => broker.isUp() && !isCut;
  return {
    ask(kind, timeoutMs, onTimeout, handle, extraLoss = 0) {
      return process.request(kind, timeoutMs, onTimeout, (answer) => {
        if (!isReachable() || dice.chance(weather().loseRequest + extraLoss)) return;
        scheduler.after(latencyMs(), () => {
          // What a process had just sent when it died may never have left its machine.
          if (!isReachable() || (process.isDead() && dice.chance(0.3))) return;
          handle((result) => {
            if (!isReachable() || dice.chance(weather().loseReply + extraLoss)) return;
            scheduler.after(latencyMs(), () => answer(result));
          });
        });
      });
    },
    setCut(cut) {
      isCut = cut;
      if (!cut) broker.wake();
    },
    isReachable,
    latencyMs,
    weather,
  };
}
