/** Points in time by both clocks: the monotonic one stands still in a suspended machine, the wall clock may be set back. */
import type { Clock } from "./ports.ts";

export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.nowMs(), wallMs: clock.wallMs() };
}

/** The longer of what the two clocks say. */
export function elapsedMs(from: Moment, to: Moment): number {
  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}

/** By how much the two clocks differ about the time between. */
export function disagreementMs(from: Moment, to: Moment): number {
  return Math.abs(to.monotonicMs - from.monotonicMs - (to.wallMs - from.wallMs));
}
