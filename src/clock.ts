/** The real clock and randomness: the only place outside adapters that asks the machine for them. */
import { performance } from "node:perf_hooks";
import type { Clock, Random } from "./ports.ts";

const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const dueMs = performance.now() + delayMs;
    let timer = setTimeout(look, Math.min(Math.max(0, delayMs), longestTimerMs));
    // Node's timers count whole milliseconds of a clock that it reads now and then, so they may fire too early.
    function look(): void {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) timer = setTimeout(look, Math.min(Math.ceil(leftMs), longestTimerMs));
      else callback();
    }
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = Math.random;
