/**
 * A process that runs test files, or seeds of the simulation, as often as it is asked, each time with another mutation of one module in place. Only
 * the modules that load the mutated one are loaded again, under another URL; no file of the tree is ever changed.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { registered, runRegistered } from "./node-test.ts";

export interface Job {
  readonly root: string;
  /** From the root, as all paths here. */
  readonly tests: readonly string[];
  /** Run after the tests; null: none. */
  readonly simulation: Seeds | null;
  readonly changed: { readonly file: string; readonly text: string } | null;
  /** What is loaded again: the changed file and all that load it. */
  readonly dependents: readonly string[];
  /** Processor time that it may use. Virtual time that never ends uses it, however busy the machine is. */
  readonly cpuMaxSeconds: number;
}

export interface Seeds {
  /** The module whose `runSeed` runs one. */
  readonly entry: string;
  readonly from: number;
  readonly count: number;
}

export interface JobResult {
  /** The test or the seed that failed; null: all passed. */
  readonly failed: string | null;
  /** Processor time by test file, and of the simulation by its entry. */
  readonly cpuSecondsOf: Readonly<Record<string, number>>;
  /** Something may still run in this process, which must not serve any more. */
  readonly isSpent: boolean;
}

let generation = 0;
let mutated = "";
let mutatedText = "";
let reloaded: ReadonlySet<string> = new Set();
let onBroken: (what: string) => void = () => {};
const stripped = new Map<string, string>();
const standIn = pathToFileURL(join(import.meta.dirname, "node-test.ts")).href;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "node:test" && context.parentURL?.includes("?generation="))
      return { url: standIn, shortCircuit: true };
    const resolved = next(specifier, context);
    return reloaded.has(resolved.url)
      ? { ...resolved, url: `${resolved.url}?generation=${generation}` }
      : resolved;
  },
  load(url, context, next) {
    const [bare = url, query] = url.split("?generation=");
    if (query === undefined) return next(url, context);
    return { format: "module", source: bare === mutated ? mutatedText : sourceOf(bare), shortCircuit: true };
  },
});

/** Without its types: to take them out costs more than anything else about loading a file. */
function sourceOf(url: string): string {
  const source = stripped.get(url) ?? stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"));
  stripped.set(url, source);
  return source;
}

/** Seconds of processor time: at which this process is to be ended. Looked at by a thread, since this one may spin. */
const limit = new Float64Array(new SharedArrayBuffer(8));
limit[0] = Number.POSITIVE_INFINITY;
const watch = `
  const { workerData: limit } = require("node:worker_threads");
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1e6 > limit[0]) process.kill(process.pid, "SIGXCPU");
  }, 200);
`;
new Worker(watch, { eval: true, workerData: limit }).unref();

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

process.on("uncaughtException", (error) => onBroken(`uncaught: ${error.message}`));
process.on("unhandledRejection", (error) => onBroken(`unhandled: ${error}`));
// Nothing is left that could run: a test waits for an event that never comes.
process.on("beforeExit", () => onBroken("it waits for what never comes"));
process.on("message", (job: Job) => void serve(job));

async function serve(job: Job): Promise<void> {
  process.channel?.unref();
  limit[0] = cpuSeconds() + job.cpuMaxSeconds;
  const broken = new Promise<string>((resolve) => {
    onBroken = resolve;
  });
  const ran = runJob(job);
  const outcome = await Promise.race([ran, broken]);
  // What a failure leaves under way comes to rest before the next job.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  onBroken = () => {};
  limit[0] = Number.POSITIVE_INFINITY;
  process.channel?.ref();
  const isSpent = typeof outcome === "string";
  const result: JobResult = isSpent
    ? { failed: outcome, cpuSecondsOf: {}, isSpent }
    : { ...outcome, isSpent };
  process.send?.(result);
}

async function runJob(job: Job): Promise<Omit<JobResult, "isSpent">> {
  const { root, tests, simulation, changed, dependents } = job;
  generation++;
  const urlOf = (file: string) => pathToFileURL(join(root, file)).href;
  reloaded = new Set(dependents.map(urlOf));
  mutated = changed === null ? "" : urlOf(changed.file);
  mutatedText = changed === null ? "" : stripTypeScriptTypes(changed.text);
  const cpuSecondsOf: Record<string, number> = {};
  for (const test of tests) {
    const startSeconds = cpuSeconds();
    registered.tests = [];
    registered.afters = [];
    try {
      await import(urlOf(test));
    } catch (error) {
      return { failed: `${test} can't be loaded: ${error}`, cpuSecondsOf };
    }
    if (registered.tests.length === 0) return { failed: `${test} has no test`, cpuSecondsOf };
    const failed = await runRegistered();
    cpuSecondsOf[test] = cpuSeconds() - startSeconds;
    if (failed !== null) return { failed, cpuSecondsOf };
  }
  if (simulation === null) return { failed: null, cpuSecondsOf };
  const startSeconds = cpuSeconds();
  const failed = await failedSeed(urlOf(simulation.entry), simulation);
  cpuSecondsOf[simulation.entry] = cpuSeconds() - startSeconds;
  return { failed, cpuSecondsOf };
}

interface Simulation {
  runSeed(seed: number): Promise<{ readonly problems: readonly string[] }>;
}

/** The first seed that fails, and how. */
async function failedSeed(url: string, { from, count }: Seeds): Promise<string | null> {
  for (let seed = from; seed < from + count; seed++) {
    try {
      const { runSeed } = (await import(url)) as Simulation;
      const { problems } = await runSeed(seed);
      if (problems.length > 0) return `seed ${seed}: ${problems[0]}`;
    } catch (error) {
      return `seed ${seed}: ${error}`;
    }
  }
  return null;
}
