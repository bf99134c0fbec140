/** Points in time by both clocks, for what must hold although the machine was suspended in between. */
import type { Clock } from "./ports.ts";

export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.nowMs(), wallMs: clock.wallMs() };
}

/** The longer of what the two clocks say: the monotonic one stands still in a suspended machine. */
export function elapsedMs(from: Moment, to: Moment): number {
  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}
