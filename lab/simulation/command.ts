/** `simulate`: runs seeds, says which fail and how to see them again. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type FaultClass, faultClasses } from "./fault-classes.ts";
import { runSeed } from "./run-seed.ts";
import { runSeeds, type SeedSummary } from "./run-seeds.ts";
import { isSabotageName, type SabotageName, sabotages } from "./sabotage.ts";
import { traceLines } from "./trace.ts";

const failuresMax = 10;
const usage = `simulate: runs the worker under seeded faults in virtual time and checks the result.

  --seeds N          how many seeds (default 1000)
  --from S           the first seed (default 1)
  --seed S           one seed only
  --trace            with --seed: everything that happened, one line each
  --sabotage NAME    turn one defence of the worker off; the run is meant to fail
  --workers N        threads (default: one for each core)
  --keep-going       do not stop after ${failuresMax} failed seeds
  --json             the result as one line of JSON, and nothing else

Sabotages: ${Object.keys(sabotages).join(", ")}.
Exit code: 0 all passed, 1 a seed failed, 2 wrong arguments.`;
const problemsShown = 5;

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly isSingle: boolean;
  readonly trace: boolean;
  readonly keepGoing: boolean;
  readonly json: boolean;
  readonly workers: number;
  readonly sabotage: SabotageName | null;
}

/** Returns the exit code. `print` gets lines for standard output. */
export async function simulateCommand(
  args: readonly string[],
  print: (line: string) => void = (line) => console.log(line),
): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    print(usage);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === "string") {
    print(`simulate: ${options}`);
    print("Type `npm run simulate -- --help` to see what it takes.");
    return 2;
  }
  if (options.isSingle) return runOne(options, print);
  const summary = await runMany(options, options.json ? () => {} : print);
  if (options.json) print(JSON.stringify(summary));
  else printSummary(summary, print);
  return summary.failed > 0 ? 1 : 0;
}

async function runOne(options: Options, print: (line: string) => void): Promise<number> {
  const report = await runSeed(options.from, { sabotage: options.sabotage });
  if (options.trace) for (const line of traceLines(report)) print(line);
  for (const problem of report.problems) print(`FAILED ${problem}`);
  if (report.residue.length > 0)
    print(`${report.residue.length} duplicates of creates whose process stood still past the settle time`);
  const failed = report.problems.length > 0;
  print(failed ? "0 passed, 1 failed" : "1 passed, 0 failed");
  return failed ? 1 : 0;
}

interface Summary {
  readonly seeds: number;
  readonly passed: number;
  readonly failed: number;
  readonly failedSeeds: readonly number[];
  readonly events: number;
  readonly seconds: number;
  /** Duplicates of creates whose process stood still for longer than the settle time, and seeds that had some. */
  readonly residue: number;
  readonly seedsWithResidue: number;
  readonly counts: Readonly<Record<string, number>>;
  /** In how many seeds each class of fault struck. */
  readonly faults: Readonly<Record<FaultClass, number>>;
}

async function runMany(options: Options, print: (line: string) => void): Promise<Summary> {
  const startedMs = performance.now();
  const counts: Record<string, number> = {};
  const faults = Object.fromEntries(faultClasses.map((name) => [name, 0])) as Record<FaultClass, number>;
  const failedSeeds: number[] = [];
  let [passed, events, residue, seedsWithResidue, shownAtMs] = [0, 0, 0, 0, startedMs];
  const onSeed = (summary: SeedSummary): boolean => {
    events += summary.events;
    residue += summary.residue;
    if (summary.residue > 0) seedsWithResidue++;
    for (const [name, count] of Object.entries(summary.counts)) counts[name] = (counts[name] ?? 0) + count;
    for (const name of summary.faults) faults[name]++;
    if (summary.problems.length === 0) passed++;
    else {
      failedSeeds.push(summary.seed);
      printFailure(summary, options.sabotage, print);
    }
    const nowMs = performance.now();
    if (nowMs - shownAtMs > 5_000) {
      shownAtMs = nowMs;
      print(`${passed + failedSeeds.length} of ${options.seeds} seeds, ${failedSeeds.length} failed`);
    }
    return options.keepGoing || failedSeeds.length < failuresMax;
  };
  await runSeeds({ ...options, onSeed });
  const seconds = (performance.now() - startedMs) / 1000;
  const failed = failedSeeds.length;
  const { seeds } = options;
  return { seeds, passed, failed, failedSeeds, events, seconds, residue, seedsWithResidue, counts, faults };
}

function printSummary(summary: Summary, print: (line: string) => void): void {
  const { seeds, passed, failed, events, seconds, residue, seedsWithResidue, counts, faults } = summary;
  const ran = passed + failed;
  for (const [name, count] of Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)))
    print(`${name.padEnd(22)} ${count}`);
  print("share of the seeds in which each class of fault struck:");
  for (const name of faultClasses)
    print(`  ${name.padEnd(46)} ${((100 * faults[name]) / ran).toFixed(1).padStart(5)} %`);
  print(
    `duplicates of creates whose process stood still past the settle time: ${residue}, in ${seedsWithResidue} seeds`,
  );
  print(`${events} events in ${seconds.toFixed(1)} s, ${Math.round((ran / seconds) * 60)} seeds a minute`);
  if (ran < seeds) print(`stopped after ${failed} failed seeds; --keep-going runs them all`);
  print(`${passed} passed, ${failed} failed`);
}

function printFailure(
  summary: SeedSummary,
  sabotage: SabotageName | null,
  print: (line: string) => void,
): void {
  print(`seed ${summary.seed} FAILED:`);
  for (const problem of summary.problems.slice(0, problemsShown))
    print(`  ${problem.replaceAll("\n", "\n  ")}`);
  if (summary.problems.length > problemsShown) print(`  and ${summary.problems.length - problemsShown} more`);
  const how = sabotage === null ? "" : ` --sabotage ${sabotage}`;
  print(`  see it again: npm run simulate -- --seed ${summary.seed} --trace${how}`);
}

function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: "string", default: "1000" },
        from: { type: "string", default: "1" },
        seed: { type: "string" },
        trace: { type: "boolean", default: false },
        "keep-going": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        sabotage: { type: "string" },
        workers: { type: "string", default: String(availableParallelism()) },
      },
    });
    const { sabotage = null } = values;
    if (sabotage !== null && !isSabotageName(sabotage)) {
      return `there is no sabotage "${sabotage}". There are: ${Object.keys(sabotages).join(", ")}.`;
    }
    for (const name of ["seeds", "from", "seed", "workers"] as const) {
      const value = values[name];
      if (value !== undefined && !/^\d{1,9}$/.test(value))
        return `--${name} takes a whole number, not "${value}".`;
    }
    if (values.trace && values.seed === undefined) return "--trace shows one seed: add --seed S.";
    if (Number(values.seeds) === 0 || Number(values.workers) === 0)
      return "--seeds and --workers are at least 1.";
    return {
      from: Number(values.seed ?? values.from),
      seeds: Number(values.seeds),
      isSingle: values.seed !== undefined,
      trace: values.trace,
      keepGoing: values["keep-going"],
      json: values.json,
      workers: Number(values.workers),
      sabotage,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
