/** What strikes when in a soak, by one seed. Pure. Times count from when the first record is emitted. */

import { seededRandom, shuffle } from "../../../src/cli/samples/random.ts";
import type { Random } from "../../../src/ports.ts";

/** What Graph does for a while: more faults than usual, limits below the rate, no service at all, no fault. */
export type FaultRates = "rough" | "throttling" | "outage" | "calm";

export type SoakFault =
  | { readonly kind: "kill"; readonly atMs: number; readonly worker: number; readonly restartAfterMs: number }
  | { readonly kind: "freeze"; readonly atMs: number; readonly worker: number; readonly forMs: number }
  /** All but the lasting worker, one after the other, in good order. */
  | { readonly kind: "rolling-update"; readonly atMs: number }
  | { readonly kind: "broker-restart"; readonly atMs: number; readonly downMs: number }
  /** `pick`: whose, in [0, 1). */
  | { readonly kind: "reload"; readonly atMs: number; readonly how: "pause" | "bad"; readonly pick: number }
  | { readonly kind: "graph"; readonly atMs: number; readonly faultRates: FaultRates; readonly forMs: number }
  /** The worker's wall clock is set so far ahead or back, and right again after a while. */
  | {
      readonly kind: "clock-step";
      readonly atMs: number;
      readonly worker: number;
      readonly byS: number;
      readonly forMs: number;
    };

export interface SoakPlanSettings {
  readonly durationMs: number;
  readonly seed: number;
  readonly workers: number;
  readonly clockSteps: boolean;
  readonly sessionTimeoutMs: number;
  readonly settleMs: number;
}

/** It is frozen, and its clock is stepped, but it is never ended: what grows can be seen in it. The last one. */
export function lastingWorker(workers: number): number {
  return workers - 1;
}

/** In an hour; each at least once in any run. */
const anHour = {
  kill: 12,
  freeze: 8,
  "rolling-update": 3,
  "broker-restart": 2,
  reload: 20,
  graph: 20,
  "clock-step": 12,
} as const;
const hourMs = 3_600_000;

/** Of the run: before it all start, after it all settle. */
const from = 0.04;
const to = 0.96;

const allFaultRates: readonly FaultRates[] = ["rough", "throttling", "outage", "calm"];
const stepsS = [-60, -20, -5, 5, 20, 60];

export function planSoak(settings: SoakPlanSettings): SoakFault[] {
  const random = seededRandom(settings.seed);
  const kinds = shuffle(
    Object.entries(anHour).flatMap(([kind, count]) =>
      kind === "clock-step" && !settings.clockSteps
        ? []
        : Array<SoakFault["kind"]>(Math.max(1, Math.round((count * settings.durationMs) / hourMs))).fill(
            kind as SoakFault["kind"],
          ),
    ),
    random,
  );
  const stretchMs = (settings.durationMs * (to - from)) / kinds.length;
  return kinds.map((kind, index) => {
    const atMs = Math.floor(settings.durationMs * from + (index + random()) * stretchMs);
    return faultOf({ kind, atMs }, settings, random);
  });
}

function faultOf(
  { kind, atMs }: Pick<SoakFault, "kind" | "atMs">,
  { workers, sessionTimeoutMs, settleMs }: SoakPlanSettings,
  random: Random,
): SoakFault {
  const below = (limit: number) => Math.floor(random() * limit);
  switch (kind) {
    case "kill":
      return { kind, atMs, worker: below(lastingWorker(workers)), restartAfterMs: below(2_000) };
    case "freeze": {
      const past = random() < 0.3 ? settleMs + 2_000 : 0;
      return { kind, atMs, worker: below(workers), forMs: sessionTimeoutMs + past + 1_000 + below(2_000) };
    }
    case "rolling-update":
      return { kind, atMs };
    case "broker-restart":
      return { kind, atMs, downMs: below(3_000) };
    case "reload":
      return { kind, atMs, how: random() < 0.7 ? "pause" : "bad", pick: random() };
    case "graph":
      return {
        kind,
        atMs,
        faultRates: allFaultRates[below(allFaultRates.length)]!,
        forMs: 8_000 + below(12_000),
      };
    case "clock-step": {
      const byS = stepsS[below(stepsS.length)]!;
      return { kind, atMs, worker: below(workers), byS, forMs: 5_000 + below(15_000) };
    }
  }
}
