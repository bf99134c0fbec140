/** The network between one process and the broker: latency, lost requests, lost replies, and cuts. */
import type { Broker } from "./broker.ts";
import type { FaultClass } from "./fault-classes.ts";
import type { LogFaultRates } from "./fault-rates.ts";
import { createPath, type PathSettings, type Way } from "./path.ts";
import type { SendKind, SimProcess } from "./process.ts";
import type { Rng } from "./rng.ts";
import type { Scheduler } from "./scheduler.ts";

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
  faultRates(): LogFaultRates;
  strike(fault: FaultClass): void;
}

export function createLink(
  process: SimProcess,
  broker: Broker,
  scheduler: Scheduler,
  rng: Rng,
  faultRates: () => LogFaultRates,
  kernel: PathSettings,
): Link {
  const path = createPath(process, scheduler, rng, kernel);
  const latencyMs = (): number => {
    const { latencyMaxMs, slow } = faultRates();
    return rng.chance(slow) ? rng.int(500, 2_500) : rng.int(0, latencyMaxMs);
  };
  const loses = (fault: FaultClass, probability: number): boolean => {
    if (!rng.chance(probability)) return false;
    kernel.strike(fault);
    return true;
  };
  return {
    ask(kind, timeoutMs, onTimeout, handle, extraLoss = 0) {
      return process.request(kind, timeoutMs, onTimeout, (answer, isWanted) => {
        if (loses("request lost", faultRates().loseRequest + extraLoss)) return;
        const arrive = (): void => {
          if (!broker.isUp()) return;
          handle((result) => {
            if (!broker.isUp() || loses("reply lost", faultRates().loseReply + extraLoss)) return;
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
    faultRates,
    strike: kernel.strike,
  };
}
