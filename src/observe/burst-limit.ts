/** Lets the first lines of a kind through in each period, and counts the rest: an outage must not flood the log. */
import type { Clock } from "../ports.ts";

export interface BurstLimitSettings {
  /** Lines of one kind that pass in a period. */
  readonly lines: number;
  readonly periodMs: number;
}

export interface BurstLimit {
  /** Whether the next line of this kind may be written. */
  passes(kind: string): boolean;
  /** Reports what is still unreported, stops the timers. */
  close(): void;
}

/** `report` is called at the end of each period in which lines of a kind were held back. */
export function openBurstLimit(
  settings: BurstLimitSettings,
  clock: Clock,
  report: (kind: string, suppressed: number) => void,
): BurstLimit {
  const periods = new Map<string, { lines: number; suppressed: number; cancel: () => void }>();
  const end = (kind: string) => {
    const suppressed = periods.get(kind)?.suppressed ?? 0;
    periods.delete(kind);
    if (suppressed > 0) report(kind, suppressed);
  };
  return {
    passes(kind) {
      let period = periods.get(kind);
      if (!period) {
        period = { lines: 0, suppressed: 0, cancel: clock.after(settings.periodMs, () => end(kind)) };
        periods.set(kind, period);
      }
      if (period.lines >= settings.lines) {
        period.suppressed += 1;
        return false;
      }
      period.lines += 1;
      return true;
    },
    close() {
      for (const [kind, period] of periods) {
        period.cancel();
        end(kind);
      }
    },
  };
}
