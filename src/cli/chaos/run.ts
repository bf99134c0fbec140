/**
 * The course: a broker, the simulator and three workers as processes; emission that keeps ahead of them; faults at the
 * planned points; an end when nothing is left unsettled; then everything is read and counted.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock as clock } from "../../clock.ts";
import { type OpenLog, openLog, type Problem } from "../../compose.ts";
import { loadSettings } from "../../config/load.ts";
import { topicName } from "../../domain/topics.ts";
import { readBack } from "../demo/read-back.ts";
import { pause } from "../pause.ts";
import { type Crew, startCrew } from "./crew.ts";
import { type GraphProcess, startGraph } from "./graph-process.ts";
import { openLag } from "./lag.ts";
import { type ChaosOptions, type ChaosPlan, type Fault, planChaos } from "./plan.ts";
import { type Environment, openProcesses } from "./processes.ts";
import { type ChaosCounts, verifyChaos } from "./verify.ts";

export interface ChaosBroker {
  readonly brokers: readonly string[];
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface ChaosSettings extends ChaosOptions {
  readonly ids: "honour" | "ignore";
  readonly timeoutMs: number;
  /** For the workers' logs and data. */
  readonly directory: string;
  readonly interrupted: AbortSignal;
  readonly say: (line: string) => void;
}

export type ChaosResult =
  | {
      readonly kind: "done";
      readonly counts: ChaosCounts;
      readonly struck: Readonly<Record<Fault["kind"], number>>;
      readonly elapsedMs: number;
    }
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly problem: Problem };

const workers = 3;
const partitionCount = 8;
const groupId = "connector-registrar-chaos";
/** Short, so that a fault costs seconds; the settle time covers one request and one append. */
const times = { sessionTimeoutMs: 6_000, requestTimeoutMs: 2_000, publishTimeoutMs: 3_000, settleMs: 5_500 };
const pollMs = 50;
const emitBatch = 10;
/** Records that stand in the input beyond what is settled: what a fault finds under way. */
const emitAhead = 120;
const lagEveryMs = 500;
const drainMs = 20_000;

export async function runChaos(settings: ChaosSettings, broker: ChaosBroker): Promise<ChaosResult> {
  const plan = planChaos(settings, partitionCount, workers, times);
  const processes = openProcesses(settings.directory);
  const late = AbortSignal.timeout(settings.timeoutMs);
  const signal = AbortSignal.any([settings.interrupted, late]);
  const startedMs = clock.nowMs();
  let log: OpenLog | null = null;
  try {
    const opening = await openLog(ownSettings(broker, settings.directory), clock);
    if (!opening.ok) return { kind: "failed", problem: opening.problem };
    log = opening.log;
    const graph = await startGraph(processes, settings.ids, settings.seed, times.requestTimeoutMs);
    const crew = startCrew(processes, clock, workers, (worker) =>
      workerEnvironment(worker, broker, graph, plan, settings.directory),
    );
    const struck = { kill: 0, freeze: 0, "broker-restart": 0 };
    const course = { plan, log, crew, broker, struck, signal, say: settings.say };
    await Promise.all([emit(course), strike(course)]);
    const settled = await untilSettled(course);
    if (settings.interrupted.aborted) return { kind: "interrupted" };
    const elapsedMs = Math.round(clock.nowMs() - startedMs);
    await crew.dismiss(drainMs);
    const counts = await count(log, plan, graph);
    if (!counts.ok) return { kind: "failed", problem: counts.problem };
    const stuck = settled ? [] : [`not settled within ${settings.timeoutMs / 1000} s`];
    const problems = [...stuck, ...crew.deserted, ...counts.value.problems];
    return { kind: "done", counts: { ...counts.value, problems }, struck, elapsedMs };
  } finally {
    await processes.endAll();
    await log?.close();
  }
}

interface Course {
  readonly plan: ChaosPlan;
  readonly log: OpenLog;
  readonly crew: Crew;
  readonly broker: ChaosBroker;
  readonly struck: Record<Fault["kind"], number>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** All records, again where the log didn't confirm; not so fast that the next fault would come too late. */
async function emit({ plan, log, crew, struck, signal, say }: Course): Promise<void> {
  const { records, faults } = plan;
  for (let at = 0; at < records.length && !signal.aborted; ) {
    const strikes = Object.values(struck).reduce((sum, count) => sum + count, 0);
    const next = faults[strikes]?.at ?? Number.POSITIVE_INFINITY;
    if (at > Math.min(crew.settled(), next) * (records.length / plan.enrollments.length) + emitAhead) {
      await pause(clock, pollMs, signal);
      continue;
    }
    const batch = records.slice(at, at + emitBatch);
    const result = await log.append(batch);
    if (result.ok) at += batch.length;
    else {
      say(`emitting ${batch.length} records again: ${result.reason}`);
      await pause(clock, pollMs, signal);
    }
  }
}

/** One fault after the other, each once enough is settled. */
async function strike(course: Course): Promise<void> {
  const { plan, crew, struck, signal, say } = course;
  for (const fault of plan.faults) {
    while (crew.settled() < fault.at && !signal.aborted) await pause(clock, pollMs, signal);
    let what: string | null = null;
    while (what === null && !signal.aborted) {
      what = await apply(fault, course);
      if (what === null) await pause(clock, pollMs, signal);
    }
    if (what === null) return;
    struck[fault.kind]++;
    say(`${crew.settled()} settled: ${what}`);
  }
}

/** What was done; null: nobody is there to be struck just now. */
async function apply(fault: Fault, { crew, broker }: Course): Promise<string | null> {
  if (fault.kind === "broker-restart") {
    await broker.kill();
    const { signal } = new AbortController();
    await pause(clock, fault.downMs, signal);
    await broker.start();
    return `broker killed, down for ${fault.downMs} ms, and started again`;
  }
  for (let offset = 0; offset < workers; offset++) {
    const worker = (fault.worker + offset) % workers;
    const name = `worker ${worker + 1}`;
    if (fault.kind === "kill" && (await crew.kill(worker, fault.restartAfterMs))) {
      return `${name} killed, to be started after ${fault.restartAfterMs} ms`;
    }
    if (fault.kind === "freeze" && crew.freeze(worker, fault.forMs)) {
      return `${name} frozen for ${fault.forMs} ms`;
    }
  }
  return null;
}

/** True once all workers are there and the group has committed everything up to the inputs' ends. */
async function untilSettled({ broker, crew, signal, say }: Course): Promise<boolean> {
  const lag = await openLag(broker.brokers, groupId, [topicName("enrolled", ""), topicName("retry", "")]);
  try {
    let told = Number.NaN;
    while (!signal.aborted) {
      const left = crew.away() > 0 ? null : await lag.read();
      if (left === 0) return true;
      if (left !== null && left !== told) say(`${left} records left to settle`);
      told = left ?? told;
      await pause(clock, lagEveryMs, signal);
    }
    return false;
  } finally {
    await lag.close();
  }
}

async function count(
  log: OpenLog,
  plan: ChaosPlan,
  graph: GraphProcess,
): Promise<{ ok: true; value: ChaosCounts } | { ok: false; problem: Problem }> {
  const registered = await readBack(log, "registered");
  const deadLetters = await readBack(log, "dlq");
  if (!registered.ok || !deadLetters.ok) {
    const reason = !registered.ok ? registered.reason : !deadLetters.ok ? deadLetters.reason : "";
    const message = `The topics can't be read back: ${reason}.`;
    return { ok: false, problem: { code: "read-back", message, fix: "Type chaos again." } };
  }
  const inventory = await graph.inventory();
  const outcome = { registered: registered.records, deadLetters: deadLetters.records, inventory };
  return { ok: true, value: verifyChaos(plan, outcome) };
}

function ownSettings(broker: ChaosBroker, directory: string) {
  const loaded = loadSettings({ environment: logEnvironment(broker, directory, "chaos") });
  if (!loaded.ok) throw new Error(`chaos's own settings are wrong: ${JSON.stringify(loaded.problems)}`);
  return loaded.settings;
}

function logEnvironment(broker: ChaosBroker, directory: string, name: string): Environment {
  return {
    KAFKA_BROKERS: broker.brokers.join(","),
    KAFKA_GROUP_ID: groupId,
    KAFKA_CLIENT_ID: name,
    KAFKA_SESSION_TIMEOUT_MS: String(times.sessionTimeoutMs),
    TOPICS_PARTITIONS: String(partitionCount),
    PUBLISH_TIMEOUT_MS: String(times.publishTimeoutMs),
    DATA_DIR: join(directory, name),
  };
}

function workerEnvironment(
  worker: number,
  broker: ChaosBroker,
  graph: GraphProcess,
  plan: ChaosPlan,
  directory: string,
): Environment {
  const name = `worker-${worker + 1}`;
  mkdirSync(join(directory, name), { recursive: true });
  return {
    ...logEnvironment(broker, directory, name),
    ...graph.environment,
    ALLOWED_TENANTS: plan.tenantIds.join(","),
    GRAPH_REQUEST_TIMEOUT_MS: String(times.requestTimeoutMs),
    SETTLE_MS: String(times.settleMs),
    REREAD_COUNT: "2",
    REREAD_DELAY_MS: "300",
    MAX_ATTEMPTS: "200",
    LOG_LEVEL: "debug",
  };
}
