/** An axis that begins at 0 (below it only for values that are), with some four to eight round ticks. */

export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

const wantedTicks = 5;
const leastSpan = 1e-6;

/** The values are finite, and less than 1e15 away from 0. */
export function axisFor(values: readonly number[]): Axis {
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  // All of them as good as 0: any axis does.
  const span = most - least < leastSpan ? 1 : most - least;
  const step = roundStep(span / wantedTicks);
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil(most / step));
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  const ticks = [];
  for (let i = first; i <= last; i++)
    ticks.push({ value: i * step + 0, text: tickText(i * step + 0, decimals) }); // + 0: no -0
  return { from: first * step, to: last * step, ticks };
}

/** The next of 1, 2, 5, 10, 20, 50, ... */
function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) ?? 10);
}

function tickText(value: number, decimals: number): string {
  return value.toLocaleString("en", {
    minimumFractionDigits: Math.min(decimals, 20),
    maximumFractionDigits: Math.min(decimals, 20),
  });
}
