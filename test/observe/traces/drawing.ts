/** A trace as SVG: one row for each span, below the one that it began with. */
import type { ReadSpan } from "./otlp-reader.ts";

export type DrawnSpan = Omit<ReadSpan, "events" | "flags" | "links"> & {
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
};

const width = 960;
const rowHeight = 30;
const left = 250;
const colours: Readonly<Record<number, string>> = { 3: "#2f6fb2", 4: "#2d8a4e", 5: "#7a4fa3" };

/** Widths are of a fixed share: what stands beside a bar must be readable. */
export function draw(spans: readonly DrawnSpan[]): string {
  const sorted = spans.toSorted(
    (a, b) => Number(a.startNs - b.startNs) || a.parentSpanId.length - b.parentSpanId.length,
  );
  const first = sorted[0]!;
  const total = Number(first.endNs - first.startNs);
  const x = (ns: bigint) => left + (Number(ns - first.startNs) / total) * (width - left - 20);
  const rows = sorted.map((span, row) => {
    const y = 50 + row * rowHeight;
    const bar = Math.max(3, x(span.endNs) - x(span.startNs));
    const after = x(span.endNs) + 6;
    const isLate = after > width - 170;
    const at = row === 0 ? x(span.startNs) + 8 : isLate ? x(span.startNs) - 6 : after;
    const indent = span.parentSpanId === "" ? 10 : 28;
    const colour = span.statusCode === 2 ? "#b3392f" : (colours[span.kind] ?? "#666");
    return [
      `<text x="${indent}" y="${y + 15}">${escaped(span.name)}</text>`,
      `<rect x="${x(span.startNs).toFixed(1)}" y="${y}" width="${bar.toFixed(1)}" height="20" rx="2" fill="${colour}"/>`,
      `<text x="${at.toFixed(1)}" y="${y + 15}" ${row === 0 ? 'fill="#fff"' : isLate ? 'text-anchor="end"' : ""}>${noteOf(span)}</text>`,
    ].join("\n");
  });
  const height = 60 + sorted.length * rowHeight;
  const linked = first.links.map(({ traceId }) => traceId).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="10" y="22" font-weight="bold">trace ${first.traceId}</text>
<text x="10" y="40" fill="#555">linked to the installer's trace ${linked}; outcome: ${first.attributes["connector_registrar.outcome"]}</text>
${rows.join("\n")}
</svg>
`;
}

function noteOf({ startNs, endNs, attributes }: DrawnSpan): string {
  const status = attributes["http.response.status_code"] ?? attributes["error.type"] ?? "";
  const retry = attributes["http.response.header.retry-after"];
  const ms = Number(endNs - startNs) / 1e6;
  const note = [`${ms.toFixed(1)} ms`, status, retry === undefined ? "" : `Retry-After ${retry}`];
  return escaped(note.filter((each) => each !== "").join(", "));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
