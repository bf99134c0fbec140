/**
 * When a record was produced, from the timestamp that its producer gave it. Kafka means milliseconds since 1970, and
 * nothing holds a producer to it: seconds, micro- and nanoseconds occur, -1 for none, and nonsense. So a number counts in the
 * unit in which it is a day of these two centuries; there is at most one.
 */
const fromMs = Date.UTC(2000, 0, 1);
const toMs = Date.UTC(2200, 0, 1);
/** Milliseconds, micro-, nanoseconds, seconds. */
const unitsMs = [1, 1e-3, 1e-6, 1e3];

/** Milliseconds since 1970, always a valid Date; null: unknown. */
export function recordTimeMs(timestamp: number): number | null {
  for (const unitMs of unitsMs) {
    const ms = Math.floor(timestamp * unitMs);
    if (ms >= fromMs && ms < toMs) return ms;
  }
  return null;
}
