/** The last hour as bars, one a minute: an inline SVG of attributes alone, since the pages' policy allows no style in it. */
import type { Minute } from "../../index/enrollment-index.ts";
import { type Html, html, type Part } from "./html.ts";
import { table } from "./layout.ts";
import { count, time } from "./shown.ts";

const stepX = 10;
const height = 100;

export interface Series {
  readonly name: string;
  /** Of the style sheet. */
  readonly className: string;
  readonly of: (minute: Minute) => number;
}

/** Series are stacked. */
export function chart(
  { id, title }: { readonly id: string; readonly title: string },
  minutes: readonly Minute[],
  series: readonly Series[],
): Html {
  const totals = minutes.map((minute) => series.reduce((sum, { of }) => sum + of(minute), 0));
  const most = Math.max(1, ...totals);
  const all = totals.reduce((sum, total) => sum + total, 0);
  const words = `${title}, by minute: ${count(all)} in the last ${minutes.length} minutes, at most ${count(Math.max(0, ...totals))} in one.`;
  return html`<figure class="chart">
<svg class="chart" role="img" aria-labelledby="${id}-words" viewBox="0 0 ${minutes.length * stepX} ${height + 4}" preserveAspectRatio="none">
<title id="${id}-words">${words}</title>
${minutes.map((minute, at) => bars(minute, { at, most }, series))}
<line class="axis" x1="0" x2="${minutes.length * stepX}" y1="${height + 2}" y2="${height + 2}"></line>
</svg>
<figcaption>${title}: ${series.map(({ name, className }, at) => html`${at > 0 && ", "}${swatch(className)} ${name}`)}. At most ${count(Math.max(0, ...totals))} a minute.</figcaption>
<details id="${id}-figures"><summary>${title} as figures</summary>
${table(`${title} by minute, those in which something happened`, ["Minute", ...series.map(({ name }) => ({ number: name }))], figures(minutes, totals, series))}
</details></figure>`;
}

function bars(
  minute: Minute,
  { at, most }: { readonly at: number; readonly most: number },
  series: readonly Series[],
): Part {
  let top = height;
  return series.map(({ className, of }) => {
    const high = Math.round((of(minute) / most) * height * 10) / 10;
    if (high === 0) return null;
    top = Math.round((top - high) * 10) / 10;
    return html`<rect class="${className}" x="${at * stepX + 1}" y="${top + 2}" width="${stepX - 2}" height="${high}"></rect>`;
  });
}

function figures(minutes: readonly Minute[], totals: readonly number[], series: readonly Series[]): Html[] {
  const rows = minutes.map(
    (minute) =>
      html`<tr><td>${time(minute.atMs)}</td>${series.map(({ of }) => html`<td class="number">${count(of(minute))}</td>`)}</tr>`,
  );
  return rows.filter((_, at) => totals[at]! > 0).reverse();
}

function swatch(className: string): Html {
  return html`<svg class="swatch" width="12" height="12" aria-hidden="true"><rect class="${className}" width="12" height="12"></rect></svg>`;
}
