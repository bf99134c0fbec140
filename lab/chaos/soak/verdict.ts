/** What the minutes of a soak say: each figure at the start and at the end, and whether it grew. Pure. */
import type { ProcessFigures } from "./figures.ts";
import { type Rule, type Trend, trendOf } from "./trend.ts";

export interface Minute {
  readonly atS: number;
  /** Enrollments until then. */
  readonly emitted: number;
  readonly registered: number;
  /** From the append of an event until its registered record was read. Null: nothing was registered. */
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  /** Records of both inputs; null: the broker was away. */
  readonly lag: number | null;
  /** Entries that the checker keeps. */
  readonly kept: number;
  readonly processes: Readonly<Record<string, ProcessFigures>>;
}

/** A worker remembers every key that it has registered, and serve's index grows on the disk: a rise up to this limit is not a leak. */
const ofProcesses: Readonly<Record<keyof ProcessFigures, { readonly label: string; readonly rule: Rule }>> = {
  rssMb: { label: "RSS, MB", rule: { share: 0.15, amount: 20 } },
  heapMb: { label: "heap, MB", rule: { share: 0.25, amount: 12, by: "least" } },
  fds: { label: "file descriptors", rule: { share: 0.1, amount: 6 } },
  handles: { label: "active handles", rule: { share: 0.1, amount: 6 } },
  cpuPercent: { label: "CPU, % of a processor", rule: { share: 0.5, amount: 5 } },
};

/** Together: partitions, and the connections and memory that they need, move from one to another with each fault. */
const workers = "workers";

/** Faults decide about the worst of a minute: these are wide. */
const ofRun = {
  latencyP50Ms: { label: "latency p50, ms", rule: { share: 1, amount: 50 } },
  latencyP99Ms: { label: "latency p99, ms", rule: { share: 1, amount: 5_000 } },
  lag: { label: "lag, records", rule: { share: 1, amount: 200 } },
  kept: { label: "entries that the checker keeps", rule: { share: 0.2, amount: 200 } },
} as const;

/** Quarters of a shorter run are as long as what a fault leaves behind. */
const leastS = 1_200;

export function trendsOf(minutes: readonly Minute[]): Trend[] {
  const isShort = (minutes.at(-1)?.atS ?? 0) < leastS;
  return allTrends(minutes).map((trend) => (isShort ? { ...trend, verdict: "unknown" } : trend));
}

function allTrends(minutes: readonly Minute[]): Trend[] {
  const run = Object.entries(ofRun).map(([key, { label, rule }]) =>
    trendOf(
      label,
      minutes.map((minute) => minute[key as keyof typeof ofRun]),
      rule,
    ),
  );
  const last = minutes.at(-1)?.processes ?? {};
  const groups = Map.groupBy(Object.keys(last), (name) => (/^worker-\d+$/.test(name) ? workers : name));
  const processes = [...groups].flatMap(([name, members]) =>
    Object.entries(ofProcesses).flatMap(([key, { label, rule }]) => {
      const values = minutes.map((minute) => sumOf(minute, members, key as keyof ProcessFigures));
      return values.every((value) => value === null) ? [] : [trendOf(`${name}: ${label}`, values, rule)];
    }),
  );
  return [...run, ...processes];
}

/** Null: one of them has no such figure, or was down. */
function sumOf({ processes }: Minute, members: readonly string[], key: keyof ProcessFigures): number | null {
  const each = members.map((name) => processes[name]?.[key] ?? null);
  return each.every((value) => value !== null) ? each.reduce((sum, value) => sum + value, 0) : null;
}

export function trendProblems(trends: readonly Trend[]): string[] {
  return trends
    .filter(({ verdict }) => verdict === "grows")
    .map(
      ({ name, start, end, limit }) =>
        `${name} grew from ${shown(start)} to ${shown(end)}, more than ${shown(limit)}`,
    );
}

export function trendTable(trends: readonly Trend[]): string[] {
  const rows = [
    ["figure", "second quarter", "last quarter", "limit", ""],
    ...trends.map(({ name, start, end, limit, verdict }) => [
      name,
      shown(start),
      shown(end),
      shown(limit),
      verdict,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}

export function minuteLine({
  atS,
  emitted,
  registered,
  latencyP50Ms,
  latencyP99Ms,
  lag,
  processes,
}: Minute): string {
  const all = Object.entries(processes).map(
    ([name, { rssMb, heapMb, fds, cpuPercent }]) =>
      `${name} ${shown(rssMb)} MB${heapMb === null ? "" : ` (heap ${shown(heapMb)})`} ${shown(fds)} fds ${shown(cpuPercent)} %`,
  );
  const run = `${emitted} emitted, ${registered} registered, lag ${shown(lag)}, p50 ${shown(latencyP50Ms)} ms, p99 ${shown(latencyP99Ms)} ms`;
  return [`${atS} s: ${run}`, ...all].join("; ");
}

function shown(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}
