/** `bench`: scenarios against baselines, as tables, JSON and charts. */
import { Command, Option } from "commander";
import { positiveNumber } from "../../src/cli/option-values.ts";
import { exitCodes, fail, print, say } from "../../src/cli/terminal.ts";
import type { Problem } from "../../src/problem.ts";
import type { Source } from "./plot/write.ts";
import type { BenchOutcome } from "./run.ts";

const names = [
  ...["drain", "cpu", "latency", "throttle", "throttle-blind"],
  ...["noisy", "blocked", "restart", "memory", "scale", "tenants", "tenants-known"],
];
/** Those that are charts: what `--plot` runs where nothing else is asked for. */
const compared = ["drain", "cpu", "latency"];
const baselines = ["naive", "bento", "floor"] as const;

interface Flags {
  readonly scenario?: string;
  readonly against: (typeof baselines)[number] | "all";
  readonly runs?: number;
  readonly smoke?: true;
  readonly json?: true;
  readonly plot?: string;
  readonly from?: readonly string[];
}

export function command(): Command {
  const bench = new Command("bench")
    .description(
      "Measures the worker on real Kafka against other programs that do the same job; see lab/bench/README.md.",
    )
    .addOption(new Option("--scenario <name>", "what to measure").choices([...names, "all"]))
    .addOption(
      new Option("--against <baseline>", "what to compare with")
        .choices([...baselines, "all"])
        .default("all"),
    )
    .option("--runs <n>", "runs of each; medians are reported; default 3", positiveNumber)
    .option("--smoke", "tiny sizes: shows that it works, measures nothing")
    .option("--json", "the result as JSON, the last line of standard output")
    .option(
      "--plot <dir>",
      `charts of pace, CPU, memory and latency as SVG files; without --scenario, of ${compared.join(", ")}`,
    )
    .option("--from <file...>", "with --plot: draws these files of --json, no runs")
    .action(() => run(bench.opts<Flags>()));
  return bench;
}

async function run(flags: Flags): Promise<void> {
  if (flags.from !== undefined) return drawSaved(flags);
  if (flags.scenario === undefined && flags.plot === undefined) {
    const fix = `Type --scenario all, or one of ${names.join(", ")}.`;
    return fail({ code: "bench", message: "What to measure is not said.", fix }, exitCodes.usage);
  }
  const { runBench, scenarios } = await import("./run.ts");
  const tell = flags.json ? (line: string) => say(`${line}\n`) : print;
  const runs = flags.runs ?? (flags.smoke ? 1 : 3);
  const wanted =
    flags.scenario === undefined ? compared : flags.scenario === "all" ? names : [flags.scenario];
  const outcome = await runBench({
    scenarios: scenarios.filter(({ name }) => wanted.includes(name)),
    against: flags.against === "all" ? baselines : [flags.against],
    runs,
    smoke: flags.smoke === true,
    bento: process.env.BENTO || null,
    say: tell,
  });
  if (!outcome.ok) {
    const fix = outcome.missing
      ? "Type KAFKA_BROKERS=host:port, or install Docker, or Java with Maven; see lab/bench/README.md."
      : "Nothing is reported; the lines above tell how far it came.";
    const problem = { code: "bench", message: `The benchmark ended early: ${outcome.reason}.`, fix };
    return fail(problem, outcome.missing ? exitCodes.usage : exitCodes.failed);
  }
  const line = resultLine(outcome, runs);
  if (flags.plot !== undefined) {
    const problem = await draw([{ name: "This run", text: line }], flags.plot, tell);
    if (problem !== null) fail(problem, exitCodes.failed);
  }
  if (flags.json) print(line);
}

function resultLine({ results, about }: BenchOutcome & { ok: true }, runs: number): string {
  return JSON.stringify(
    results.length === 1 ? { ...results[0], about } : { scenario: "all", runs, results, about },
  );
}

/** No measuring: the other options have no meaning here. */
async function drawSaved({ plot, from, scenario }: Flags): Promise<void> {
  if (plot === undefined || scenario !== undefined) {
    const message = "--from draws runs that were measured before, with --plot and without --scenario.";
    return fail({ code: "bench", message, fix: "Type --plot DIR --from FILE." }, exitCodes.usage);
  }
  const { readSources } = await import("./plot/write.ts");
  const sources = readSources(from!);
  if ("fix" in sources) return fail(sources, exitCodes.usage);
  const problem = await draw(sources, plot, print);
  if (problem !== null) fail(problem, exitCodes.usage);
}

/** Null: done. */
async function draw(
  sources: readonly Source[],
  directory: string,
  tell: (line: string) => void,
): Promise<Problem | null> {
  const { writeCharts } = await import("./plot/write.ts");
  const written = writeCharts(sources, names, directory);
  if ("fix" in written) return written;
  for (const file of written) tell(`drawn: ${file}`);
  return null;
}
