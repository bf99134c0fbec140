/**
 * A chart of horizontal bars as SVG, without a library: text in, text out.
 *
 * 1. It brings its own background, light or dark as the reader's system prefers, so that it is readable wherever it is shown.
 * 2. No value is shown by colour alone: each bar has its name on its left and its value on its right.
 * 3. The result is well-formed XML for any text; coordinates are numbers with at most one decimal.
 */
import { type Axis, axisFor } from "./axis.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as it is printed, without its unit. */
  readonly text: string;
  /** `own` is what the chart is about, `other` what it is compared with, `bound` what none can pass. */
  readonly kind: "own" | "other" | "bound";
}

export interface BarChart {
  readonly title: string;
  /** What the axis counts, with its unit. */
  readonly axisTitle: string;
  /** Which end of the axis is the good one. */
  readonly better: "more" | "less";
  readonly bars: readonly Bar[];
  /** Where and when it was measured; one line each. */
  readonly notes: readonly string[];
}

const width = 760;
const labelWidth = 200;
const valueWidth = 110;
const barHeight = 26;
const rowHeight = 38;
const top = 64;
const belowAxis = 52;
const noteHeight = 18;
/** Longer texts would run over the edge. */
const longest = { label: 24, value: 16, line: 108 };

export function barChart(chart: BarChart): string {
  const axis = axisFor(chart.bars.map(({ value }) => value));
  const bottom = top + chart.bars.length * rowHeight;
  const height = bottom + belowAxis + chart.notes.length * noteHeight + 14;
  const xOf = (value: number) =>
    labelWidth + ((value - axis.from) / (axis.to - axis.from)) * (width - labelWidth - valueWidth);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(chart.title)}</title>`,
    `<desc id="desc">${escaped(description(chart))}</desc>`,
    style,
    `<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    line("heading", { x: 20, y: 30 }, cut(chart.title, 80)),
    line("note", { x: 20, y: 50 }, `${chart.better} is better`),
    ...grid(axis, xOf, bottom),
    ...chart.bars.flatMap((bar, row) => barOf(bar, top + row * rowHeight, xOf)),
    line("note", { x: labelWidth, y: bottom + 38 }, cut(chart.axisTitle, longest.line)),
    ...chart.notes.map((note, i) =>
      line("note", { x: 20, y: bottom + belowAxis + 8 + (i + 1) * noteHeight - 6 }, cut(note, longest.line)),
    ),
    "</svg>",
    "",
  ].join("\n");
}

function grid(axis: Axis, xOf: (value: number) => number, bottom: number): string[] {
  return axis.ticks.flatMap(({ value, text }) => {
    const x = rounded(xOf(value));
    return [
      `<line class="${value === 0 ? "axis" : "grid"}" x1="${x}" y1="${top - 4}" x2="${x}" y2="${bottom}"/>`,
      `<text class="tick" x="${x}" y="${bottom + 18}" text-anchor="middle">${escaped(text)}</text>`,
    ];
  });
}

function barOf({ label, value, text, kind }: Bar, y: number, xOf: (value: number) => number): string[] {
  const [left, right] = [xOf(Math.min(0, value)), xOf(Math.max(0, value))];
  // A value that is not 0 is seen, however small it is beside the others.
  const length = value === 0 ? 0 : Math.max(1.5, right - left);
  const middle = rounded(y + barHeight / 2 + 5);
  return [
    `<text class="label" x="${labelWidth - 12}" y="${middle}" text-anchor="end">${escaped(cut(label, longest.label))}</text>`,
    `<rect class="${kind}" x="${rounded(left)}" y="${y}" width="${rounded(length)}" height="${barHeight}"/>`,
    `<text class="value" x="${rounded(left + length + 8)}" y="${middle}">${escaped(cut(text, longest.value))}</text>`,
  ];
}

/** All of it in words, for those who can't see it. */
function description({ axisTitle, better, bars }: BarChart): string {
  const values = bars.map(({ label, text }) => `${label} ${text}`).join("; ");
  return `Bars, ${axisTitle}, ${better} is better: ${values}.`;
}

function line(kind: string, { x, y }: { readonly x: number; readonly y: number }, text: string): string {
  return `<text class="${kind}" x="${x}" y="${y}">${escaped(text)}</text>`;
}

function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** XML has no place for control characters, nor for halves of pairs, even escaped. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\uFFFE\uFFFF]/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

const style = `<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: #1f2328; }
.heading { font-size: 17px; font-weight: 600; }
.note, .tick { font-size: 12px; fill: #59636e; }
.value { font-weight: 600; }
.paper { fill: #ffffff; stroke: #d1d9e0; }
.grid { stroke: #d1d9e0; }
.axis { stroke: #59636e; }
.own { fill: #0969da; }
.other { fill: #8c959f; }
.bound { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 5 3; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.note, .tick { fill: #9198a1; }
.paper { fill: #0d1117; stroke: #3d444d; }
.grid { stroke: #3d444d; }
.axis { stroke: #9198a1; }
.own { fill: #4493f8; }
.other { fill: #656c76; }
.bound { stroke: #9198a1; }
}
</style>`;
