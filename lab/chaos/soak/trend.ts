/**
 * Whether a figure grew over a run: the median of the last quarter of its minutes, or the least, against that of the second quarter,
 * since the first one warms up. Pure.
 */

export interface Rule {
  /** A rise is not a trend below this share, or below this amount in the figure's own unit. */
  readonly share: number;
  readonly amount: number;
  /** What stands for a quarter, in place of the median: of what rises until it is collected, the least. */
  readonly by?: "least";
}

export interface Trend {
  readonly name: string;
  /** Of the second quarter. Null: too few minutes. */
  readonly start: number | null;
  /** Of the last quarter. */
  readonly end: number | null;
  /** What `end` may reach. */
  readonly limit: number | null;
  /** "unknown": too few minutes. */
  readonly verdict: "flat" | "grows" | "unknown";
}

/** Below it, a quarter is too short to have a median worth the name. */
const leastPerQuarter = 3;

export function trendOf(
  name: string,
  values: readonly (number | null)[],
  { share, amount, by }: Rule,
): Trend {
  const quarter = values.length / 4;
  const part = (from: number, to: number) =>
    values.slice(Math.round(from * quarter), Math.round(to * quarter)).filter((value) => value !== null);
  const second = part(1, 2);
  const last = part(3, 4);
  if (second.length < leastPerQuarter || last.length < leastPerQuarter)
    return { name, start: null, end: null, limit: null, verdict: "unknown" };
  const [start, end] = [second, last].map((part) =>
    by === "least" ? Math.min(...part) : medianOf(part),
  ) as [number, number];
  const limit = start + Math.max(start * share, amount);
  return { name, start, end, limit, verdict: end > limit ? "grows" : "flat" };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that this share of all does not exceed; null: there is none. */
export function percentileOf(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
