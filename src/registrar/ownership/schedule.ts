/** One piece of work that several ask for: it is done at the earliest time that was asked for, then forgotten. */
import type { Clock } from "../../ports.ts";

export interface Schedule {
  at(atMs: number): void;
  cancel(): void;
}

export function createSchedule(clock: Clock, work: () => void): Schedule {
  let planned: { readonly atMs: number; readonly cancel: () => void } | null = null;
  return {
    at(atMs) {
      if (planned !== null && planned.atMs <= atMs) return;
      planned?.cancel();
      const cancel = clock.after(Math.max(0, atMs - clock.nowMs()), () => {
        planned = null;
        work();
      });
      planned = { atMs, cancel };
    },
    cancel: () => planned?.cancel(),
  };
}
