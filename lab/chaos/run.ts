/**
 * The course: brokers, the emulator and three workers as processes; emission that keeps ahead of them; faults at the
 * planned points; an end when nothing is left unsettled; then everything is read and counted.
 */
import { readBack } from "../../demo/read-back.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { type OpenLog, openLog } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";
import type { Problem } from "../../src/problem.ts";
import { sleep } from "../../src/sleep.ts";
import type { Brokers, Cluster } from "./brokers.ts";
import { emit, strike } from "./course.ts";
import { startCrew } from "./crew.ts";
import {
  logEnvironment,
  partitionCount,
  times,
  workerEnvironment,
  workerGroup,
  workers,
} from "./environment.ts";
import { type GraphProcess, startGraph } from "./graph-process.ts";
import type { RunResult, RunSurroundings } from "./in-place.ts";
import { openLag } from "./lag.ts";
import type { ChaosOptions } from "./options.ts";
import { planChaos } from "./plan.ts";
import type { PlannedFault } from "./plan-faults.ts";
import { openProcesses } from "./processes.ts";
import type { Course } from "./run-state.ts";
import { openTenantsFile } from "./tenant-changes.ts";
import { type ChaosCounts, type ChaosOutcome, verifyChaos } from "./verify.ts";
import { openVersions } from "./versions.ts";

export interface ChaosSettings extends ChaosOptions, RunSurroundings {
  readonly ids: "honour" | "ignore";
  readonly timeoutMs: number;
}

export interface ChaosDone {
  readonly kind: "done";
  readonly counts: ChaosCounts;
  readonly struck: readonly PlannedFault[];
  readonly elapsedMs: number;
}

const emitAhead = 120;
const lagEveryMs = 500;
const drainMs = 20_000;

export async function runChaos(
  settings: ChaosSettings,
  brokers: Brokers,
  cluster: Cluster | null,
): Promise<RunResult<ChaosDone>> {
  const plan = planChaos(settings, { partitionCount, workers, times });
  const processes = openProcesses(settings.directory);
  const late = AbortSignal.timeout(settings.timeoutMs);
  const startedMs = clock.nowMs();
  let log: OpenLog | null = null;
  try {
    const opening = await openLog(ownSettings(settings, brokers), clock);
    if (!opening.ok) return { kind: "failed", problem: opening.problem };
    log = opening.log;
    const graph = await startGraph(processes, {
      ...{ ids: settings.ids, seed: settings.seed, graphFaults: settings.graphFaults },
      requestTimeoutMs: times.requestTimeoutMs,
    });
    const worker = { continueOverGaps: false };
    const tenants = openTenantsFile(settings.directory, plan.tenantIds, clock);
    const served = settings.tenantChanges > 0 ? { file: tenants.path } : { ids: plan.tenantIds };
    const versions = openVersions(settings.otherVersion, workers);
    const crew = startCrew(processes, clock, {
      size: workers,
      programOf: versions.programOf,
      environmentOf: (number) => ({
        ...workerEnvironment(
          number,
          { ...settings, brokers: brokers.addressesOf(number) },
          { graph, tenants: served },
        ),
        ...(worker.continueOverGaps ? { ON_RETENTION_GAP: "continue" } : {}),
      }),
    });
    const signal = AbortSignal.any([settings.interrupted, late, crew.givenUp]);
    const course: Course = {
      ...{ plan, log, crew, brokers, cluster, worker, signal, say: settings.say },
      ...{
        tenants,
        versions,
        struck: [],
        problems: [],
        emission: { done: 0, ahead: settings.tenantChanges > 0 ? settings.events : emitAhead },
      },
    };
    // An interrupt doesn't wait for a broker that is just starting.
    const interrupted = aborted(settings.interrupted);
    const settled = await Promise.race([interrupted, runCourse(course)]);
    if (settled === "interrupted") return { kind: "interrupted" };
    const elapsedMs = Math.round(clock.nowMs() - startedMs);
    await crew.dismiss(drainMs);
    const found = await readOutcome(log, graph);
    if (!found.ok) return { kind: "failed", problem: found.problem };
    const counts = verifyChaos(plan, { ...found.outcome, everRemoved: tenants.everRemoved() });
    const limit = crew.givenUp.aborted ? "" : ` within ${settings.timeoutMs / 1000} s`;
    const stuck = settled ? [] : [`not settled${limit}`];
    const own = [...course.problems, ...brokers.troubles];
    const problems = [...stuck, ...own, ...crew.deserted, ...counts.problems];
    return { kind: "done", counts: { ...counts, problems }, struck: course.struck, elapsedMs };
  } finally {
    await processes.endAll();
    await log?.close();
  }
}

async function runCourse(course: Course): Promise<boolean> {
  const struck = strike(course).then(() => course.tenants.resumeAll());
  await Promise.all([emit(course), struck]);
  return untilSettled(course);
}

function aborted(signal: AbortSignal): Promise<"interrupted"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("interrupted");
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
}

/** True once all workers and brokers are there and the group has committed everything up to the inputs' ends. */
export async function untilSettled({
  brokers,
  crew,
  signal,
  say,
}: Pick<Course, "brokers" | "crew" | "signal" | "say">): Promise<boolean> {
  const lag = await openLag(brokers.addresses, workerGroup);
  try {
    let told = Number.NaN;
    while (!signal.aborted) {
      const left = crew.away() + brokers.away() > 0 ? null : await lag.read();
      if (left === 0) return true;
      if (left !== null && left !== told) say(`${left} records left to settle`);
      told = left ?? told;
      await sleep(clock, lagEveryMs, signal);
    }
    return false;
  } finally {
    await lag.close();
  }
}

async function readOutcome(
  log: OpenLog,
  graph: GraphProcess,
): Promise<{ ok: true; outcome: Omit<ChaosOutcome, "everRemoved"> } | { ok: false; problem: Problem }> {
  const registered = await readBack(log, "registered");
  const deadLetters = await readBack(log, "dlq");
  if (!registered.ok || !deadLetters.ok) {
    const reason = !registered.ok ? registered.reason : !deadLetters.ok ? deadLetters.reason : "";
    const message = `The topics can't be read back: ${reason}.`;
    return { ok: false, problem: { code: "read-back", message, fix: "Type chaos again." } };
  }
  const inventory = await graph.inventory();
  const outcome = { registered: registered.records, deadLetters: deadLetters.records, inventory };
  return { ok: true, outcome };
}

function ownSettings(settings: ChaosSettings, { addresses }: Brokers) {
  const environment = logEnvironment({ ...settings, brokers: addresses }, "chaos");
  const loaded = loadSettings({ environment });
  if (!loaded.ok) throw new Error(`chaos's own settings are wrong: ${JSON.stringify(loaded.problems)}`);
  return loaded.settings;
}
