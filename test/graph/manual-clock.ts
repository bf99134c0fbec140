import type { Clock } from "../../src/ports.ts";

/** Time that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Runs what falls due, in order of time. */
  advance(byMs: number): void;
  /** How many callbacks are waiting. */
  waiting(): number;
}

export function createManualClock(startWallMs = Date.now()): ManualClock {
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    wallMs: () => startWallMs + nowMs,
    after: (delayMs, callback) => {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (byMs) => {
      const endMs = nowMs + byMs;
      for (;;) {
        const due = [...timers].filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
        const [first] = due;
        if (first === undefined) break;
        timers.delete(first);
        nowMs = first.dueMs;
        first.callback();
      }
      nowMs = endMs;
    },
    waiting: () => timers.size,
  };
}

/** Lets the event loop turn until the condition holds; fails after far more turns than anything here needs. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await turn();
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
