/** `simulate`: runs seeds, says which fail and how to see them again. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.ts";
import { runSeeds, type SeedSummary } from "./run-seeds.ts";
import { isSabotageName, type SabotageName, sabotages } from "./sabotage.ts";
import { traceLines } from "./trace.ts";

const failuresMax = 10;
const usage = `simulate: runs the worker under seeded faults in virtual time and checks what came of it.

  --seeds N          how many seeds (default 1000)
  --from S           the first seed (default 1)
  --seed S           one seed only
  --trace            with --seed: everything that happened, one line each
  --sabotage NAME    turn one defence of the worker off; the run is meant to fail
  --workers N        threads (default: one for each core)
  --keep-going       do not stop after ${failuresMax} failed seeds

Sabotages: ${Object.keys(sabotages).join(", ")}.
Exit code: 0 all passed, 1 a seed failed, 2 wrong arguments.`;
const problemsShown = 5;

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly isSingle: boolean;
  readonly trace: boolean;
  readonly keepGoing: boolean;
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
  return options.isSingle ? runOne(options, print) : runMany(options, print);
}

async function runOne(options: Options, print: (line: string) => void): Promise<number> {
  const report = await runSeed(options.from, { sabotage: options.sabotage });
  if (options.trace) for (const line of traceLines(report)) print(line);
  for (const problem of report.problems) print(`FAILED ${problem}`);
  if (report.residue.length > 0)
    print(`${report.residue.length} duplicates of creates frozen longer than the settle time`);
  const failed = report.problems.length > 0;
  print(failed ? "0 passed, 1 failed" : "1 passed, 0 failed");
  return failed ? 1 : 0;
}

async function runMany(options: Options, print: (line: string) => void): Promise<number> {
  const startedMs = performance.now();
  const totals = new Map<string, number>();
  let [passed, failed, events, residue, seedsWithResidue, shownAtMs] = [0, 0, 0, 0, 0, startedMs];
  const onSeed = (summary: SeedSummary): boolean => {
    events += summary.events;
    residue += summary.residue;
    if (summary.residue > 0) seedsWithResidue++;
    for (const [name, count] of Object.entries(summary.counts))
      totals.set(name, (totals.get(name) ?? 0) + count);
    if (summary.problems.length === 0) passed++;
    else {
      failed++;
      printFailure(summary, options.sabotage, print);
    }
    const nowMs = performance.now();
    if (nowMs - shownAtMs > 5_000) {
      shownAtMs = nowMs;
      print(`${passed + failed} of ${options.seeds} seeds, ${failed} failed`);
    }
    return options.keepGoing || failed < failuresMax;
  };
  await runSeeds({ ...options, onSeed });

  const seconds = (performance.now() - startedMs) / 1000;
  for (const [name, count] of [...totals].sort(([a], [b]) => a.localeCompare(b)))
    print(`${name.padEnd(22)} ${count}`);
  print(`duplicates of creates frozen longer than the settle time: ${residue}, in ${seedsWithResidue} seeds`);
  print(
    `${events} events in ${seconds.toFixed(1)} s, ${Math.round(((passed + failed) / seconds) * 60)} seeds a minute`,
  );
  if (passed + failed < options.seeds)
    print(`stopped after ${failed} failed seeds; --keep-going runs them all`);
  print(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
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
      workers: Number(values.workers),
      sabotage,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
