/** Medians, percentiles and how numbers are written. */

/** What was measured, by name; the names are those of the README. */
export type Measures = Record<string, number>;

/** The middle one, or the mean of the two in the middle. Rejects an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that at least `share` (0 to 1) of all are not above. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error("no values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Each name's median over the runs that have it. */
export function medians(runs: readonly Measures[]): Measures {
  const names = new Set(runs.flatMap((run) => Object.keys(run)));
  const result: Measures = {};
  for (const name of names) {
    result[name] = rounded(median(runs.flatMap((run) => (name in run ? [run[name]!] : []))));
  }
  return result;
}

/** To four significant digits; whole numbers stay. */
export function rounded(value: number): number {
  return Number.isInteger(value) || Math.abs(value) >= 1000
    ? Math.round(value)
    : Number(value.toPrecision(4));
}
