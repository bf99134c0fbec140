/**
 * `npm test [-- [--all | --quick] [--times FILE] [--repeat-failed] FILTER ...]`: runs the test files below test/ and closes with one line,
 * `N passed, N failed, N skipped`. Without a filter it leaves out, and says so, files that start brokers of their own, containers, browsers
 * or installations, unless `--all`, CI or a REQUIRE_ variable asks for them; `--quick` leaves them out in any case. `--times` writes the
 * processor time and the time on the clock of each test process to a file; `--repeat-failed` runs what failed once more, see repetition.ts.
 *
 * A filter that is part of a test file's path selects files; any other is a pattern for test names, unless it begins with `test/` or names a
 * folder. Test files that use Kafka share one broker, started here if possible. REQUIRE_KAFKA=1 turns what is skipped without it into a failure; so
 * do REQUIRE_DOCKER, REQUIRE_NETNS (network namespaces), REQUIRE_PYTHON and REQUIRE_HELM (by .ci/python, .ci/helm), REQUIRE_CHROMIUM, REQUIRE_PROMTOOL:
 * the reason of such a skip names what is missing. Exit codes: 0 all passed, 1 a failure or nothing was run, 2 usage, 130 interrupted.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";
import { obtainBroker } from "../../lab/testkit/broker.ts";
import type { BrokerResult } from "../../lab/testkit/broker-result.ts";
import { builtProgramVariable } from "../../lab/testkit/built-program.ts";
import { runInLanes } from "./lanes.ts";
import { findLeftovers, markChildren } from "./leftovers.ts";
import { readOptions, requirements } from "./options.ts";
import { processorSeconds, timesOf, timesReport, timesTable, timesVariable } from "./processor-time.ts";
import { afterRepetition, filesToRepeat, unsteadyNotes } from "./repetition.ts";
import { createTally, type Outcome, summaryLine, type Tally } from "./tally.ts";
import { useTemporaryDirectory } from "./temporary-files.ts";
import {
  groupSource,
  isHeavy,
  type Lane,
  planOf,
  type Selection,
  select,
  startsBrokers,
  usesCommands,
  usesKafka,
} from "./test-files.ts";

const root = join(import.meta.dirname, "..", "..");
/** For each test that doesn't set its own; files and suites have none. */
const testTimeoutMs = 60_000;
/** For the whole run: ends a test file that spins without returning. */
const runTimeoutMs = 40 * 60_000;
/**
 * Files of the first lane at a time; of both lanes one less than twice as many. Tests of real processes have time limits, and a busy machine makes
 * them late: so many wait for brokers and containers at a time as there are processors, and fewer compute beside them.
 */
const concurrency = Math.max(1, Math.min(4, availableParallelism()));
/** The program that tests of commands run: built of the sources at the beginning of each run. */
const builtPrograms = join(root, "node_modules", ".cache", "test-programs");
/** What the runner tells its test processes, and they it. */
const ownFiles = join(root, "node_modules", ".cache", "test-runs");
/** Hundreds of processes load the same modules: without it, each spends half of its start on compiling them. */
const compileCache = join(root, "node_modules", ".cache", "node-compile");

process.exitCode = await main(process.argv.slice(2));

async function main(parameters: readonly string[]): Promise<number> {
  const read = readOptions(parameters, process.env);
  if (!read.ok) {
    console.error(read.message);
    return 2;
  }
  const { filters, timesFile, repeatsFailed, takesHeavy } = read.options;
  const selection = select(root, filters);
  if (!selection.ok) {
    console.error(selection.message);
    return 2;
  }
  const { files: selected, namePatterns } = selection;
  const files = takesHeavy ? selected : selected.filter((file) => !isHeavy(root, file));
  const tally = createTally({
    root,
    required: requirements(process.env),
    filteredByName: namePatterns.length > 0,
  });
  if (files.length < selected.length) tally.note(leftOut(selected.length - files.length));
  if (files.length === 0) tally.fail("no test file was found");

  process.env.NODE_COMPILE_CACHE ??= compileCache;
  process.on("exit", useTemporaryDirectory(isAlive));
  const uses = (is: (root: string, file: string) => boolean) => files.some((file) => is(root, file));
  if (uses(usesCommands)) await buildForTests();
  const interrupted = new AbortController();
  const interrupt = (): void => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  };
  // Not `once`: a library's exit hook raises the signal again where it finds itself the only listener left.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  if (uses(startsBrokers)) await prepareBrokers();
  const broker = uses(usesKafka) ? await startBroker(tally) : null;
  const folder = ownFolder(ownFiles);
  const times = join(folder, "times");
  writeFileSync(times, "");
  process.env[timesVariable] = times;
  try {
    const mark = markChildren();
    if (!interrupted.signal.aborted) {
      const plan = { files, namePatterns, folder, repeatsFailed };
      for (const outcome of await runFiles(plan, tally, interrupted.signal)) tally.add(outcome);
    }
    await endLeftovers(mark, tally);
  } finally {
    if (broker?.ok) await broker.stop();
  }
  if (tally.passed + tally.failed === 0) tally.fail("no test was executed");
  const nameOf = (file: string) =>
    dirname(file) === folder ? `${basename(file, ".test.mjs")}, files in one process` : relative(root, file);
  const recorded = timesOf(readFileSync(times, "utf8"));
  for (const line of timesReport(recorded, processorSeconds(), nameOf)) console.log(line);
  if (timesFile !== null) writeFileSync(timesFile, timesTable(recorded, nameOf));
  for (const note of tally.notes) console.log(note);
  console.log(summaryLine(tally));
  if (interrupted.signal.aborted) return 130;
  return tally.failed === 0 ? 0 : 1;
}

function leftOut(count: number): string {
  return `left out: ${count} files that start brokers, containers, browsers or installations; npm test -- --all runs them`;
}

async function buildForTests(): Promise<void> {
  const folder = ownFolder(builtPrograms);
  const { buildPrograms } = await import("../../scripts/build.ts");
  await buildPrograms(["package"], folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  process.env[builtProgramVariable] = join(folder, "demo/main.js");
}

/** What is made once for a machine, so that no test waits for it. */
async function prepareBrokers(): Promise<void> {
  const { obtainJars } = await import("../../lab/testkit/broker-jars.ts");
  await obtainJars();
}

/** Of this run alone: another one may run beside it. What a killed run left is removed. */
function ownFolder(parent: string): string {
  const folder = join(parent, String(process.pid));
  mkdirSync(folder, { recursive: true });
  for (const pid of readdirSync(parent))
    if (!isAlive(Number(pid))) rmSync(join(parent, pid), { recursive: true });
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // Another user's.
  }
}

async function startBroker(tally: Tally): Promise<BrokerResult> {
  const broker = await obtainBroker();
  if (broker.ok) {
    console.log(`Kafka broker: ${broker.brokers.join(",")} (${broker.kind})`);
    process.env.KAFKA_BROKERS = broker.brokers.join(",");
  } else if (process.env.REQUIRE_KAFKA === "1") {
    tally.fail(`REQUIRE_KAFKA=1, but no Kafka broker is available: ${broker.reason}`);
  } else {
    console.log(`No Kafka broker, its suites are skipped: ${broker.reason}`);
  }
  return broker;
}

interface Plan extends Selection {
  /** For the modules of groups. */
  readonly folder: string;
  readonly repeatsFailed: boolean;
}

async function runFiles(plan: Plan, tally: Tally, signal: AbortSignal): Promise<Outcome[]> {
  const { lanes, groups } = planOf(root, plan.files);
  const modules = groups.map((group, n) => {
    const path = join(plan.folder, `group-${n + 1}.test.mjs`);
    writeFileSync(path, groupSource(group.map((file) => pathToFileURL(file).href)));
    return path;
  });
  const { namePatterns } = plan;
  const ofLane = (lane: Lane) => lane.map((part) => (typeof part === "number" ? modules[part]! : part));
  const first = await runLanes(lanes.map(ofLane), { namePatterns, signal, concurrency });
  if (signal.aborted) return first;
  const again = plan.repeatsFailed ? filesToRepeat(first) : [];
  const alone = { namePatterns, signal, concurrency: 1 };
  const second = again.length > 0 ? await runLanes([again], alone) : [];
  if (!signal.aborted) for (const note of unsteadyNotes(root, first, second)) tally.note(note);
  const outcomes = afterRepetition(first, second);
  if (namePatterns.length > 0) return outcomes;
  // node:test says this of a file with a process of its own.
  const heard = new Set(outcomes.map(({ file }) => file));
  for (const file of groups.flat())
    if (!heard.has(file)) tally.fail(`${relative(root, file)} declares no test`);
  return outcomes;
}

interface RunOptions {
  readonly namePatterns: readonly string[];
  readonly signal: AbortSignal;
  /** Files of the first lane at a time. */
  readonly concurrency: number;
}

async function runLanes(
  lanes: readonly (readonly string[])[],
  { namePatterns, signal, concurrency }: RunOptions,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const ended = AbortSignal.any([signal, AbortSignal.timeout(runTimeoutMs)]);
  const start = (file: string) => {
    const events = run({
      files: [file],
      timeout: testTimeoutMs,
      signal: ended,
      execArgv: ["--import", pathToFileURL(join(import.meta.dirname, "leak-guard.ts")).href],
      ...(namePatterns.length > 0 ? { testNamePatterns: [...namePatterns] } : {}),
    });
    for (const kind of ["test:pass", "test:fail"] as const)
      events.on(kind, (data: ReportedTest) => {
        outcomes.push(outcomeOf(kind === "test:pass", data));
      });
    return events;
  };
  // Those that wait do not always wait: all of both lanes at the same time would make their time limits fail.
  const limits = { ofFirst: concurrency, ofAll: Math.max(1, 2 * concurrency - 1) };
  const report = runInLanes(lanes, limits, start).pipe(withoutSummary()).pipe(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report);
  return outcomes;
}

interface ReportedTest {
  readonly name: string;
  readonly file?: string | undefined;
  readonly entryFile?: string | undefined;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  readonly details: { readonly type?: string | undefined; readonly error?: object };
}

function outcomeOf(ok: boolean, data: ReportedTest): Outcome {
  const error = data.details.error;
  const failureType = error && "failureType" in error ? String(error.failureType) : undefined;
  const { name, file, skip, todo } = data;
  const entryFile = data.entryFile ?? file;
  return { ok, name, file, entryFile, isSuite: data.details.type === "suite", skip, todo, failureType };
}

/** The run's own closing line counts; node:test's table of counts before it would only repeat it, differently. */
function withoutSummary(): Transform {
  const isCount = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
  return new Transform({
    objectMode: true,
    transform(event, _encoding, done) {
      const drop =
        event.type === "test:diagnostic" && event.data.nesting === 0 && isCount.test(event.data.message);
      done(null, drop ? undefined : event);
    },
  });
}

async function endLeftovers(mark: string, tally: Tally): Promise<void> {
  for (const { pid, command } of await findLeftovers(mark)) {
    tally.fail(`a test left process ${pid} behind: ${command.replaceAll(`${root}/`, "")}`);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself in between.
    }
  }
}
