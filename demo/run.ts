/** The demo's course: emulator, log and worker in one process; emit, wait until all is settled, read back. */
import { emulatorCredential } from "../emulator/credential.ts";
import { type FaultProfile, type Faults, faultProfile } from "../emulator/faults.ts";
import { type Emulator, startEmulator } from "../emulator/server.ts";
import { documentedLimits } from "../emulator/throttle.ts";
import { seededRandom } from "../src/cli/samples/random.ts";
import { systemClock } from "../src/clock.ts";
import { type OpenLog, openLogWithRetry, startWorker } from "../src/compose.ts";
import { loadSettings } from "../src/config/load.ts";
import type { Settings } from "../src/config/table.ts";
import type { Observer } from "../src/observer.ts";
import type { Problem } from "../src/problem.ts";
import type { DemoPlace } from "./place.ts";
import { type DemoPlan, demoTenants, planDemo } from "./plan.ts";
import type { DemoProgress } from "./progress.ts";
import { readBack } from "./read-back.ts";
import { type DemoOutcome, type Verification, verifyDemo } from "./verify.ts";

export interface DemoOptions {
  readonly events: number;
  readonly seed: number;
  readonly faults: FaultProfile;
  readonly timeoutMs: number;
}

export interface DemoHooks {
  readonly interrupted: AbortSignal;
  readonly progress: (plan: DemoPlan) => DemoProgress;
  /** Sees the worker's events as well. */
  readonly observe: Observer;
  readonly say: (line: string) => void;
}

export type DemoResult =
  | {
      readonly kind: "done";
      readonly plan: DemoPlan;
      readonly outcome: DemoOutcome;
      readonly verification: Verification;
      readonly requests: RequestCounts;
      readonly elapsedMs: number;
    }
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly problem: Problem; readonly usage: boolean };

type RequestCounts = ReturnType<Emulator["stats"]>["requests"];

/** Short, so that lost replies are noticed while one watches, and long enough for a busy machine. */
const requestTimeoutMs = 2_000;
const emitBatch = 200;
const drainMs = 5_000;

export async function runDemo(options: DemoOptions, place: DemoPlace, hooks: DemoHooks): Promise<DemoResult> {
  const tenantIds = demoTenants(options.events, options.seed);
  const limit = writesPerWindow(options.events, tenantIds.length);
  const emulator = await startEmulator({
    ...emulatorCredential,
    allowedTenants: tenantIds,
    seed: options.seed,
    faults: demoFaults(options.faults),
    behaviour: {
      throttle: {
        ...documentedLimits,
        writesPerAppAndTenant: limit,
        writesPerTenant: limit * 2,
        requestsPerAppAndTenant: limit * 10,
        requestsPerTenant: limit * 20,
      },
    },
  });
  try {
    const settings = demoSettings(place, emulator, { tenantIds, limit });
    const note = (problem: Problem) => hooks.say(`${problem.message} Trying again.`);
    const opening = await openLogWithRetry(
      settings,
      { clock: systemClock, onRetry: note },
      hooks.interrupted,
    );
    if (opening === null) return { kind: "interrupted" };
    if (!opening.ok) return { kind: "failed", problem: opening.problem, usage: true };
    try {
      return await work(options, { settings, log: opening.log, emulator }, hooks);
    } finally {
      await opening.log.close();
    }
  } finally {
    await emulator.close();
  }
}

async function work(
  options: DemoOptions,
  {
    settings,
    log,
    emulator,
  }: { readonly settings: Settings; readonly log: OpenLog; readonly emulator: Emulator },
  hooks: DemoHooks,
): Promise<DemoResult> {
  const plan = planDemo(options.events, options.seed, log.partitionCount);
  const progress = hooks.progress(plan);
  const startedMs = systemClock.nowMs();
  const observe: Observer = (event) => {
    hooks.observe(event);
    progress.observe(event);
  };
  const random = seededRandom(options.seed + 1);
  const worker = await startWorker(settings, { log, observe, clock: systemClock, random });
  const limit = timeLimit(options.timeoutMs);
  const ending = await Promise.race([
    emitted(plan, log).then((failure) => failure ?? progress.done.then(() => null)),
    worker.registrar.done,
    aborted(hooks.interrupted),
    limit.passed,
  ]);
  limit.cancel();
  const elapsedMs = Math.round(systemClock.nowMs() - startedMs);
  if (ending === "late")
    hooks.say(
      `\nNot settled after ${options.timeoutMs / 1000} s: ${JSON.stringify(worker.registrar.status())}`,
    );
  await worker.stop(drainMs);
  progress.finish();
  if (ending === "interrupted") return { kind: "interrupted" };
  if (ending !== null && ending !== "late") return { kind: "failed", problem: ending, usage: false };

  const topics = {
    enrolled: await readBack(log, "enrolled"),
    registered: await readBack(log, "registered"),
    deadLetters: await readBack(log, "dlq"),
  };
  for (const topic of Object.values(topics)) {
    if (!topic.ok) return { kind: "failed", usage: false, problem: unreadable(topic.reason) };
  }
  const records = (topic: (typeof topics)[keyof typeof topics]) => (topic.ok ? topic.records : []);
  const outcome: DemoOutcome = {
    enrolled: records(topics.enrolled),
    registered: records(topics.registered),
    deadLetters: records(topics.deadLetters),
    inventory: emulator.inventory(),
  };
  return {
    kind: "done",
    plan,
    outcome,
    verification: verifyDemo(plan, outcome),
    requests: emulator.stats().requests,
    elapsedMs,
  };
}

/** Null: all stored. */
async function emitted(plan: DemoPlan, log: OpenLog): Promise<Problem | null> {
  for (let from = 0; from < plan.records.length; from += emitBatch) {
    const result = await log.append(
      plan.records.slice(from, from + emitBatch).map((planned) => planned.make()),
    );
    if (!result.ok) {
      return {
        code: "append",
        message: `The log refused the sample events: ${result.reason}.`,
        fix: "Type the demo again.",
      };
    }
  }
  return null;
}

/** Three times what each tenant needs, and no less than what Intune documents. */
function writesPerWindow(events: number, tenants: number): number {
  return Math.max(documentedLimits.writesPerAppAndTenant, Math.ceil((events * 3) / tenants));
}

/** The profile, with times that fit a demo. */
function demoFaults(name: FaultProfile): Faults {
  return {
    ...faultProfile(name),
    latency: { kind: "uniform", minMs: 10, maxMs: 30 },
    slowMs: requestTimeoutMs * 1.5,
    retryAfterMs: 200,
  };
}

function demoSettings(
  place: DemoPlace,
  emulator: Emulator,
  { tenantIds, limit }: { readonly tenantIds: readonly string[]; readonly limit: number },
): Settings {
  const publishTimeoutMs = "KAFKA_BROKERS" in place.environment ? 5_000 : 1_000;
  const loaded = loadSettings({
    environment: {
      ...place.environment,
      ALLOWED_TENANTS: tenantIds.join(","),
      AZURE_CLIENT_ID: emulatorCredential.clientId,
      AZURE_CLIENT_SECRET: emulatorCredential.clientSecret,
      AZURE_AUTHORITY_HOST: emulator.authorityHost,
      GRAPH_BASE_URL: emulator.httpsUrl,
      GRAPH_CA_FILE: emulator.caFile,
      GRAPH_REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
      GRAPH_WRITES_PER_20S: String(limit),
      SETTLE_MS: String(requestTimeoutMs + publishTimeoutMs),
      PUBLISH_TIMEOUT_MS: String(publishTimeoutMs),
      MAX_ATTEMPTS: "200",
      REREAD_COUNT: "2",
      REREAD_DELAY_MS: "100",
    },
  });
  if (!loaded.ok) throw new Error(`the demo's own settings are wrong: ${JSON.stringify(loaded.problems)}`);
  return loaded.settings;
}

function unreadable(reason: string): Problem {
  return {
    code: "read-back",
    message: `The topics can't be read back: ${reason}.`,
    fix: "Type the demo again.",
  };
}

function timeLimit(timeoutMs: number) {
  const passed = Promise.withResolvers<"late">();
  return { passed: passed.promise, cancel: systemClock.after(timeoutMs, () => passed.resolve("late")) };
}

function aborted(signal: AbortSignal): Promise<"interrupted"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("interrupted");
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
}
