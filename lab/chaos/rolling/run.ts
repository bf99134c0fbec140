/**
 * Rolling restarts under load: four workers with the product's own times on one broker, and a Graph without faults; a spell without
 * restarts, to compare with; then each worker restarted in good order, twice round; then everything is read and counted.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readBack } from "../../../demo/read-back.ts";
import { systemClock as clock } from "../../../src/clock.ts";
import { type OpenLog, openLogWithRetry } from "../../../src/compose.ts";
import { loadSettings } from "../../../src/config/load.ts";
import type { Problem } from "../../../src/problem.ts";
import { sleep } from "../../../src/sleep.ts";
import type { Brokers } from "../brokers.ts";
import { type Crew, startCrew } from "../crew.ts";
import { emitDue } from "../emission.ts";
import { logEnvironment, partitionCount, times } from "../environment.ts";
import { type GraphProcess, startGraph } from "../graph-process.ts";
import type { RunResult, RunSurroundings } from "../in-place.ts";
import { type Environment, openProcesses, registrarProgram } from "../processes.ts";
import { untilSettled } from "../run.ts";
import { stampByBroker } from "../topics.ts";
import { type ChaosCounts, verifyChaos } from "../verify.ts";
import { createLoad, enrolledOf, type Load } from "./load.ts";
import { longestMs, pausesOf } from "./pauses.ts";
import { type Restart, restartAll } from "./restarts.ts";

export interface RollingSettings extends RunSurroundings {
  /** Each worker has a KAFKA_GROUP_INSTANCE_ID. */
  readonly isStatic: boolean;
  /** What the workers run; null: the sources. */
  readonly program: string | null;
  readonly ratePerS: number;
  readonly ids: "honour" | "ignore";
  readonly seed: number;
  readonly timeoutMs: number;
}

export interface RollingDone {
  readonly kind: "done";
  readonly counts: ChaosCounts;
  readonly tenants: number;
  readonly events: number;
  /** The longest pause of any tenant while no worker was restarted. */
  readonly baselinePauseMs: number;
  readonly restarts: readonly (Restart & { readonly pauseMs: number })[];
}

const workers = 4;
const rounds = 2;
const tenantsPerPartition = 2;
const warmUpMs = 10_000;
const baselineMs = 30_000;
const betweenMs = 5_000;
/** The load continues after the last restart: otherwise a single record that is looked up would count as a pause. */
const coolDownMs = 20_000;
const emitEveryMs = 20;
const pollMs = 50;
const drainMs = 20_000;
const id = "connector-registrar-chaos-rolling";
/** As docs/OPERATING.md advises for static members. */
const staticSessionMs = "10000";

export async function runRolling(
  settings: RollingSettings,
  brokers: Brokers,
): Promise<RunResult<RollingDone>> {
  const processes = openProcesses(settings.directory);
  const late = AbortSignal.timeout(settings.timeoutMs);
  let log: OpenLog | null = null;
  try {
    const opening = await openOwnLog(settings, brokers);
    if (opening === null) return { kind: "interrupted" };
    if (!opening.ok) return { kind: "failed", problem: opening.problem };
    log = opening.log;
    const refused = await stampByBroker(brokers.addresses, id);
    if (refused !== null) return failed("topics", `${refused}.`);
    const graph = await startGraph(processes, {
      ...{ ids: settings.ids, seed: settings.seed, graphFaults: "all" },
      requestTimeoutMs: times.requestTimeoutMs,
    });
    await graph.roughen(0);
    const load = createLoad(settings.seed, partitionCount, tenantsPerPartition);
    const environmentOf = (worker: number) => workerEnvironment(worker, settings, { brokers, graph, load });
    const programOf = () => settings.program ?? registrarProgram;
    const crew = startCrew(processes, clock, { size: workers, environmentOf, programOf, onLine: () => {} });
    const signal = AbortSignal.any([settings.interrupted, late, crew.givenUp]);
    const course = { ...{ settings, brokers, log, load, crew, signal } };
    const { baseline, restarts, isSettled } = await runCourse(course);
    if (settings.interrupted.aborted) return { kind: "interrupted" };
    await crew.dismiss(drainMs);
    const found = await readAll(log, graph, load);
    if (!found.ok) return failed("read-back", `The topics can't be read back: ${found.reason}.`);
    const pauses = pausesOf(found.enrolled);
    const stuck = isSettled ? [] : [`not settled within ${settings.timeoutMs / 1000} s`];
    const problems = [...stuck, ...crew.deserted, ...found.counts.problems];
    return {
      kind: "done",
      counts: { ...found.counts, problems },
      tenants: load.tenantIds.length,
      events: load.events.length,
      baselinePauseMs: longestMs(pauses, baseline, true),
      restarts: restarts.map((one) => ({ ...one, pauseMs: longestMs(pauses, one, false) })),
    };
  } finally {
    await processes.endAll();
    await log?.close();
  }
}

function failed(code: string, message: string): RunResult<RollingDone> {
  return { kind: "failed", problem: { code, message, fix: "Type chaos again." } };
}

function openOwnLog({ directory, interrupted, say }: RollingSettings, { addresses }: Brokers) {
  const place = { brokers: addresses, flavor: "kafka" as const, directory };
  const loaded = loadSettings({ environment: { ...logEnvironment(place, "chaos"), KAFKA_GROUP_ID: id } });
  if (!loaded.ok) throw new Error(`chaos's own settings are wrong: ${JSON.stringify(loaded.problems)}`);
  // A broker that has just started may be too busy for its first request.
  const onRetry = ({ message }: Problem) => say(`${message} Trying again.`);
  return openLogWithRetry(loaded.settings, { clock, onRetry }, interrupted);
}

/** What a worker must know about the run; all times are the product's own. */
function workerEnvironment(
  worker: number,
  { directory, isStatic }: RollingSettings,
  { brokers, graph, load }: { readonly brokers: Brokers; readonly graph: GraphProcess; readonly load: Load },
): Environment {
  const name = `worker-${worker + 1}`;
  mkdirSync(join(directory, name), { recursive: true });
  const place = { brokers: brokers.addressesOf(worker), flavor: "kafka" as const, directory };
  const { KAFKA_SESSION_TIMEOUT_MS: _, PUBLISH_TIMEOUT_MS: __, ...where } = logEnvironment(place, name);
  return {
    ...where,
    ...graph.environment,
    ALLOWED_TENANTS: load.tenantIds.join(","),
    ...(isStatic ? { KAFKA_GROUP_INSTANCE_ID: name, KAFKA_SESSION_TIMEOUT_MS: staticSessionMs } : {}),
  };
}

interface Course {
  readonly settings: RollingSettings;
  readonly brokers: Brokers;
  readonly log: OpenLog;
  readonly load: Load;
  readonly crew: Crew;
  readonly signal: AbortSignal;
}

async function runCourse({ settings, brokers, log, load, crew, signal }: Course) {
  const { say } = settings;
  while (crew.away() > 0 && !signal.aborted) await sleep(clock, pollMs, signal);
  const over = new AbortController();
  const emitting = emit({ settings, log, load }, AbortSignal.any([signal, over.signal]));
  await sleep(clock, warmUpMs, signal);
  const fromMs = clock.wallMs();
  await sleep(clock, baselineMs, signal);
  const baseline = { fromMs, untilMs: clock.wallMs() };
  say(`${load.events.length} emitted; now the restarts`);
  const restarts = await restartAll(crew, { workers, rounds, betweenMs, clock, say }, signal);
  await sleep(clock, coolDownMs, signal);
  over.abort();
  await emitting;
  return { baseline, restarts, isSettled: await untilSettled({ brokers, crew, signal, say }) };
}

async function emit(
  { settings, log, load }: Pick<Course, "settings" | "log" | "load">,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = clock.nowMs();
  const elapsedMs = () => clock.nowMs() - startedMs;
  const pace = { ratePerS: settings.ratePerS, elapsedMs, emitted: () => load.events.length };
  while (!signal.aborted) {
    const { count, failed } = await emitDue(load, log, pace);
    if (failed !== null) settings.say(`${count} records were emitted again: ${failed}`);
    await sleep(clock, emitEveryMs, signal);
  }
}

async function readAll(log: OpenLog, graph: GraphProcess, { tenantIds, events }: Load) {
  const enrolled = await readBack(log, "enrolled");
  if (!enrolled.ok) return enrolled;
  const registered = await readBack(log, "registered");
  if (!registered.ok) return registered;
  const deadLetters = await readBack(log, "dlq");
  if (!deadLetters.ok) return deadLetters;
  const plan = { tenantIds, enrollments: events, bad: [], records: [], homes: new Map(), faults: [] };
  const inventory = await graph.inventory();
  const outcome = { registered: registered.records, deadLetters: deadLetters.records, inventory };
  return {
    ok: true as const,
    counts: verifyChaos(plan, outcome),
    enrolled: enrolledOf(enrolled.records, registered.records),
  };
}
