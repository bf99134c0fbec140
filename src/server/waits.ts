/** Requests that wait for an outcome: how many may, and the end of all of them when the service stops. */
import type { Waits } from "./parts.ts";

export function createWaits(max: number): Waits {
  const stops = new Set<() => void>();
  let stopped = false;
  return {
    enter(stop) {
      if (stopped || stops.size >= max) return false;
      stops.add(stop);
      return true;
    },
    leave: (stop) => void stops.delete(stop),
    count: () => stops.size,
    stopAll() {
      stopped = true;
      for (const stop of stops) stop();
    },
    get stopped() {
      return stopped;
    },
  };
}
