/** Exponential back-off with full jitter: many that failed together do not come back together. */
import type { Random } from "../ports.ts";

export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/** Milliseconds to wait after the `failures`-th failure in a row (1, 2, ...): uniform in 0..min(cap, base * 2^n). */
export function backoffMs(failures: number, random: Random, { baseMs, capMs }: Backoff): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
  return Math.ceil(random() * ceilingMs);
}
