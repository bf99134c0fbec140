/**
 * The way between one process and a service: each direction can be cut by itself, and the kernels at both ends continue
 * to send what was handed to them.
 *
 * 1. A request that a cut holds up arrives when the cut ends, if its caller still waits for it: one that was given up is
 *    reset. An answer that a cut holds up arrives when it ends.
 * 2. What a process had sent when it vanished may be lost, may arrive as if it lived, or up to `orphanMs` later.
 */

import type { SimContext } from "./context.ts";
import type { FaultClass } from "./fault-classes.ts";
import type { SimProcess } from "./process.ts";

export type Way = "both" | "there" | "back";

export interface Path {
  there(latencyMs: number, arrive: () => void, isWanted: () => boolean): void;
  back(latencyMs: number, arrive: () => void): void;
  cut(way: Way): void;
  repair(): void;
  /** In both directions. */
  isOpen(): boolean;
}

interface Held {
  readonly arrive: () => void;
  readonly isWanted: () => boolean;
}

export interface PathSettings {
  readonly orphanMs: number;
  /** How often what was sent arrives long after its process vanished. */
  readonly orphanRate: number;
  readonly strike: (fault: FaultClass) => void;
}

const lostWithProcess = 0.3;
const resendMaxMs = 200;

export function createPath(
  process: SimProcess,
  { scheduler, rng }: Pick<SimContext, "scheduler" | "rng">,
  { orphanMs, orphanRate, strike }: PathSettings,
): Path {
  let thereCut = false;
  let backCut = false;
  let requests: Held[] = [];
  let answers: Held[] = [];
  const always = (): boolean => true;

  const reach = (held: Held): void => {
    if (thereCut) requests.push(held);
    else held.arrive();
  };
  const orphanLeftMs = (): number => (process.diedAtMs() ?? 0) + orphanMs - scheduler.nowMs();

  return {
    there(latencyMs, arrive, isWanted) {
      scheduler.after(latencyMs, () => {
        if (!process.isDead()) return reach({ arrive, isWanted });
        if (rng.chance(lostWithProcess)) return; // 2
        const leftMs = Math.floor(orphanLeftMs());
        if (leftMs <= 0 || !rng.chance(orphanRate)) return reach({ arrive, isWanted });
        scheduler.after(rng.int(0, leftMs), () => {
          if (!thereCut) strike("sent after its process vanished");
          reach({ arrive, isWanted });
        });
      });
    },
    back(latencyMs, arrive) {
      scheduler.after(latencyMs, () => {
        if (backCut) answers.push({ arrive, isWanted: always });
        else arrive();
      });
    },
    cut(way) {
      thereCut ||= way !== "back";
      backCut ||= way !== "there";
    },
    repair() {
      thereCut = backCut = false;
      const [late, lateAnswers] = [requests, answers];
      requests = [];
      answers = [];
      for (const { arrive, isWanted } of late) {
        const goesOn = process.isDead() ? orphanLeftMs() > 0 : isWanted(); // 1, 2
        if (!goesOn || (process.isDead() && rng.chance(lostWithProcess))) continue;
        strike(process.isDead() ? "sent after its process vanished" : "delivered after a cut");
        scheduler.after(rng.int(0, resendMaxMs), arrive);
      }
      for (const { arrive } of lateAnswers) scheduler.after(rng.int(0, resendMaxMs), arrive);
    },
    isOpen: () => !thereCut && !backCut,
  };
}
