/** Which charts a run gives: pace, CPU, memory and latency of those who were compared in it. */
import type { Contender } from "../contenders.ts";
import { type Measures, rounded } from "../numbers.ts";
import type { Bar, BarChart } from "./bar-chart.ts";

/** What was measured, as `bench --json` prints it. */
export interface Run {
  readonly results: readonly ScenarioResult[];
  /** Where and when; null: the run does not say. */
  readonly about: About | null;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly runs: number;
  readonly measures: Readonly<Partial<Record<Contender, Measures>>>;
}

export interface About {
  readonly machine: string;
  readonly node: string;
  readonly broker: string;
  /** YYYY-MM-DD, UTC. */
  readonly date: string;
  /** Tiny sizes: nothing was measured. */
  readonly isSmoke: boolean;
}

export interface NamedChart {
  /** Without the extension. */
  readonly name: string;
  readonly chart: BarChart;
}

interface Subject {
  readonly name: string;
  readonly title: string;
  readonly axisTitle: string;
  readonly better: BarChart["better"];
  /** Measures by name, and what is added to the contender's name where there are several. */
  readonly measures: Readonly<Record<string, string>>;
}

/** The scenarios that compare: what the work was, and what it shows. CPU and memory of a worker that idles between events show nothing. */
const work: Readonly<Record<string, { readonly setting: string; readonly shows: readonly string[] }>> = {
  drain: { setting: "20,000 waiting, Graph 100 ms", shows: ["pace", "cpu", "memory"] },
  cpu: { setting: "50,000 waiting, Graph 0 ms", shows: ["pace", "cpu", "memory"] },
  latency: { setting: "20 events/s, Graph 50 ms", shows: ["latency"] },
};

const subjects: readonly Subject[] = [
  {
    name: "pace",
    title: "Pace",
    axisTitle: "registered events per second",
    better: "more",
    measures: { eventsPerSecond: "" },
  },
  {
    name: "cpu",
    title: "CPU",
    axisTitle: "CPU time for each event, microseconds",
    better: "less",
    measures: { cpuUsPerEvent: "" },
  },
  {
    name: "memory",
    title: "Memory",
    axisTitle: "largest resident memory of the process, MB",
    better: "less",
    measures: { rssMb: "" },
  },
  {
    name: "latency",
    title: "Latency",
    axisTitle: "from enrolled to registered, less Graph's own time, milliseconds",
    better: "less",
    measures: { p50Ms: "p50", p99Ms: "p99", p50MsEmbedded: "embedded, p50", p99MsEmbedded: "embedded, p99" },
  },
];

/** In the order of the charts. */
const order: readonly Contender[] = ["registrar", "bento", "naive", "floor"];
const floorNote = "floor: the libraries alone, without the work (lab/bench/README.md)";

/** Scenario by scenario. None: nothing in it was compared. */
export function chartsOf({ results, about }: Run): NamedChart[] {
  return results.flatMap((result) => {
    const { setting, shows } = work[result.scenario] ?? { setting: "", shows: [] };
    return subjects.flatMap((one) =>
      shows.includes(one.name) ? chartOf(one, { result, setting, about }) : [],
    );
  });
}

interface Measured {
  readonly result: ScenarioResult;
  readonly setting: string;
  readonly about: About | null;
}

function chartOf(one: Subject, { result, setting, about }: Measured): NamedChart[] {
  const names = Object.entries(one.measures);
  const bars = order.flatMap((who): Bar[] =>
    names.flatMap(([measure, suffix]) => {
      const value = result.measures[who]?.[measure];
      if (value === undefined) return [];
      const kind = who === "registrar" ? "own" : who === "floor" ? "bound" : "other";
      return [{ label: suffix === "" ? who : `${who}, ${suffix}`, value, text: valueText(value), kind }];
    }),
  );
  // One bar compares nothing.
  if (bars.length < 2) return [];
  const notes = [
    `Scenario ${result.scenario}, ${result.runs === 1 ? "one run" : `medians of ${result.runs} runs`}.`,
    ...(about?.isSmoke ? ["A smoke run, with a few events instead: it measures nothing."] : []),
    ...(result.measures.floor === undefined || one.name === "memory" ? [] : [floorNote]),
    ...(about === null
      ? []
      : [`${about.machine}; node ${about.node}; broker: ${about.broker}; ${about.date}.`]),
  ];
  const { title, axisTitle, better } = one;
  const chart = { title: `${title}: ${setting}`, axisTitle, better, bars, notes };
  return [{ name: `${result.scenario}-${one.name}`, chart }];
}

function valueText(value: number): string {
  return rounded(value).toLocaleString("en", { maximumFractionDigits: 6 });
}
