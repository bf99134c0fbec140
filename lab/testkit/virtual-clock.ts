/** A clock that moves only on request. */
import type { Clock } from "../../src/ports.ts";

export interface VirtualClock extends Clock {
  advance(ms: number): void;
  readonly pendingTimers: number;
}

export function virtualClock(): VirtualClock {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    nowMs: () => now,
    wallMs: () => Date.UTC(2026, 0, 1) + now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      now += ms;
      for (const timer of [...timers].sort((a, b) => a.at - b.at)) {
        if (timer.at > now || !timers.delete(timer)) continue;
        timer.callback();
      }
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}
