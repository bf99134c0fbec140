/** The real clock and randomness: the only place outside adapters that asks the machine for them. */
import { performance } from "node:perf_hooks";
import type { Clock, Random } from "./ports.ts";

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = Math.random;
