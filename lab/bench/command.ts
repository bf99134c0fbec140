/** `bench`: scenarios against baselines. */
import { Command, Option } from "commander";
import { positiveNumber } from "../../src/cli/option-values.ts";
import { exitCodes, fail, print, say } from "../../src/cli/terminal.ts";

const names = [
  ...["drain", "cpu", "latency", "throttle", "throttle-blind"],
  ...["noisy", "blocked", "restart", "memory", "scale", "tenants"],
];
const baselines = ["naive", "bento", "floor"] as const;

interface Flags {
  readonly scenario: string;
  readonly against: (typeof baselines)[number] | "all";
  readonly runs?: number;
  readonly smoke?: true;
  readonly json?: true;
}

export function command(): Command {
  const bench = new Command("bench")
    .description(
      "Measures the worker on real Kafka against other programs that do the same job; see lab/bench/README.md.",
    )
    .addOption(
      new Option("--scenario <name>", "what to measure").choices([...names, "all"]).makeOptionMandatory(),
    )
    .addOption(
      new Option("--against <baseline>", "what to compare with")
        .choices([...baselines, "all"])
        .default("all"),
    )
    .option("--runs <n>", "runs of each; medians are reported; default 3", positiveNumber)
    .option("--smoke", "tiny sizes: shows that it works, measures nothing")
    .option("--json", "the result as JSON, the last line of standard output")
    .action(() => run(bench.opts<Flags>()));
  return bench;
}

async function run(flags: Flags): Promise<void> {
  const { runBench, scenarios } = await import("./run.ts");
  const tell = flags.json ? (line: string) => say(`${line}\n`) : print;
  const runs = flags.runs ?? (flags.smoke ? 1 : 3);
  const outcome = await runBench({
    scenarios: scenarios.filter(({ name }) => flags.scenario === "all" || name === flags.scenario),
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
  if (!flags.json) return;
  const [only] = outcome.results;
  print(
    JSON.stringify(flags.scenario === "all" ? { scenario: "all", runs, results: outcome.results } : only),
  );
}
