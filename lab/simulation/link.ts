/** The network between one process and the broker: latency, lost requests, lost replies, and cuts. */
import type { Broker } from "./broker.ts";
import type { SimContext } from "./context.ts";
import type { FaultClass } from "./fault-classes.ts";
import type { LogFaultRates } from "./fault-rates.ts";
import { createPath, type PathSettings, type Way } from "./path.ts";
import type { Call, SimProcess } from "./process.ts";

/** `extraLoss`: how often it gets lost, beyond what any call does. */
interface LinkCall<T> extends Call<T> {
  readonly extraLoss?: number;
}

export interface Link {
  /** Sends a request that the broker handles if it arrives; the answer may get lost too. */
  ask<T>(call: LinkCall<T>, handle: (answer: (result: T) => void) => void): Promise<T>;
  cut(way: Way): void;
  repair(): void;
  isReachable(): boolean;
  latencyMs(): number;
  faultRates(): LogFaultRates;
  strike(fault: FaultClass): void;
}

/** One worker's process, and its way to the broker. */
export interface Client {
  readonly process: SimProcess;
  readonly link: Link;
}

export interface LinkSettings extends PathSettings {
  readonly broker: Broker;
  readonly faultRates: () => LogFaultRates;
}

export function createLink(
  process: SimProcess,
  context: Pick<SimContext, "scheduler" | "rng">,
  settings: LinkSettings,
): Link {
  const { broker, faultRates, strike } = settings;
  const { rng } = context;
  const path = createPath(process, context, settings);
  const latencyMs = (): number => {
    const { latencyMaxMs, slow } = faultRates();
    return rng.chance(slow) ? rng.int(500, 2_500) : rng.int(0, latencyMaxMs);
  };
  const loses = (fault: FaultClass, probability: number): boolean => {
    if (!rng.chance(probability)) return false;
    strike(fault);
    return true;
  };
  return {
    ask({ extraLoss = 0, ...call }, handle) {
      return process.request(call, (answer, isWanted) => {
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
    strike,
  };
}
