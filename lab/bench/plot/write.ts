/** `--plot`: charts as files, from what `bench --json` printed, now or earlier. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../../src/problem.ts";
import { barChart } from "./bar-chart.ts";
import { chartsOf, type NamedChart } from "./charts.ts";
import { parseRun } from "./saved-run.ts";

export interface Source {
  /** As people know it: the file. */
  readonly name: string;
  readonly text: string;
}

const code = "plot";

export function readSources(files: readonly string[]): readonly Source[] | Problem {
  try {
    return files.map((name) => ({ name, text: readFileSync(name, "utf8") }));
  } catch (error) {
    const fix = "Name files that hold what bench --json printed: --plot DIR --from FILE ...";
    return { code, message: `A run can't be read: ${(error as Error).message}.`, fix };
  }
}

/** Returns the files that it wrote, or why none. Files of the same names in `directory` are replaced. */
export function writeCharts(
  sources: readonly Source[],
  scenarios: readonly string[],
  directory: string,
): readonly string[] | Problem {
  const charts = new Map<string, NamedChart["chart"]>();
  for (const { name: source, text } of sources) {
    const parsed = parseRun(text, scenarios);
    if (!parsed.ok) return refused(source, parsed.reason);
    for (const { name, chart } of chartsOf(parsed.run)) {
      if (charts.has(name))
        return refused(source, `${name}.svg is drawn from another of these files already`);
      charts.set(name, chart);
    }
  }
  if (charts.size === 0) return nothing;
  try {
    mkdirSync(directory, { recursive: true });
    return [...charts].map(([name, chart]) => {
      const file = join(directory, `${name}.svg`);
      writeFileSync(file, barChart(chart));
      return file;
    });
  } catch (error) {
    const message = `The charts can't be written to ${directory}: ${(error as Error).message}.`;
    return { code, message, fix: "Name a directory that you may write to: --plot DIR" };
  }
}

const nothing: Problem = {
  code,
  message: "There is nothing to draw: no scenario of this run compares the registrar with another program.",
  fix: "Measure one that does: npm run bench -- --scenario drain --plot DIR (or cpu, or latency)",
};

function refused(source: string, reason: string): Problem {
  const fix =
    "Name what one run of bench --json printed: npm run --silent bench -- --scenario drain --json > FILE";
  return { code, message: `${source} can't be drawn: ${reason}.`, fix };
}
