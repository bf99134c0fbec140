/**
 * `start`: the worker, until SIGTERM, SIGINT or SIGHUP. With a tenants file SIGHUP has that read again in place of a stop.
 *
 * A stop has one deadline, SHUTDOWN_TIMEOUT_MS after the signal. What is in flight may take most of that; the rest is
 * for the last commit and for leaving the group. What still hangs then is cut off, as in a crash: that is safe, and costs
 * the next owner a look at Graph.
 */
import { Command } from "commander";
import { systemClock, systemRandom } from "../clock.ts";
import { credentialLine } from "../compose/graph-settings.ts";
import { loadTenants, type Tenants, type TenantsNote } from "../compose/tenants.ts";
import {
  type CertificateNote,
  checkGraphAccess,
  checkGraphFiles,
  type OpenLog,
  openLogWithRetry,
  startWorker,
  type Worker,
} from "../compose.ts";
import { settingsMarkdown } from "../config/reference.ts";
import type { Group, Settings } from "../config/table.ts";
import { type BlockedTenants, openBlockedTenants } from "../observe/blocked-tenants.ts";
import { fanOut } from "../observe/fan-out.ts";
import { type Logger, openLogger } from "../observe/logger.ts";
import { type LogObserver, openLogObserver } from "../observe/logs.ts";
import { type Metrics, openMetrics } from "../observe/metrics.ts";
import { nonBlockingOutput } from "../observe/output.ts";
import type { Problem } from "../problem.ts";
import { openHealthServer } from "../server/health-server.ts";
import { faultExitCode } from "./fault-exit-codes.ts";
import { onInterrupt } from "./interrupts.ts";
import { drainMs, lastLinesMs, logFormat } from "./long-running.ts";
import type { ServiceRun } from "./serve/service-run.ts";
import { whoIsServed } from "./serve/who-is-served.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { logTenants, measuredTenants } from "./start/tenants.ts";
import { openRunningTraces, type RunningTraces } from "./start/traces.ts";
import { readinessWithBlocked, workerState } from "./start/worker-state.ts";
import { exitCodes, fail } from "./terminal.ts";
import { version } from "./version.ts";

const groups: readonly Group[] = ["log", "azure", "graph", "worker", "serve", "process"];

export function command(): Command {
  const start = new Command("start").description(
    "Runs the worker. Without KAFKA_BROKERS it works on the embedded log in DATA_DIR. Secrets come from the environment and from files only.",
  );
  addSettingFlags(start, groups)
    .option("--serve", "take enrollments in by HTTP too, as serve does, in this process")
    .option("--settings", "print all settings as Markdown and end")
    .action(async () => {
      if (start.opts().settings) return void process.stdout.write(settingsMarkdown());
      const settings = readSettings(start, groups, { required: ["allowedTenants", "graphCredential"] });
      if (settings !== null) await run(settings, start.opts().serve === true);
    });
  return start;
}

/** What is there so far; /readyz and /metrics look at it. */
interface Parts {
  phase: string;
  worker: Worker | null;
  /** The HTTP service in this process; null: there is none. */
  service: ServiceRun | null;
  readonly blocked: BlockedTenants;
  /** Null: they are not wanted. */
  traces: RunningTraces | null;
}

async function run(settings: Settings, serves: boolean): Promise<void> {
  const badFile = checkGraphFiles(settings);
  if (badFile !== null) return fail(badFile, faultExitCode(badFile));
  const loaded = loadTenants(settings);
  if (!loaded.ok) return fail(loaded.problem, faultExitCode(loaded.problem));
  const { tenants } = loaded;
  const blocked = openBlockedTenants(systemClock);
  const parts: Parts = { phase: "log: not open yet", worker: null, service: null, blocked, traces: null };
  const metrics = openMetrics(version, () => parts.worker?.registrar.status() ?? null, {
    certificates: () => parts.worker?.certificates() ?? [],
    tenants: settings.tenantsFile === null ? null : measuredTenants(tenants, () => parts.worker),
  });
  const { logger, close: closeLogger } = openLogger(
    {
      level: settings.logLevel,
      format: logFormat(settings),
      base: { clientId: settings.kafkaClientId },
      writeSome: nonBlockingOutput(1),
      onDropped: metrics.countDroppedLogLines,
    },
    systemClock,
  );
  logger.info({ credential: settings.credential?.kind }, credentialLine(settings));
  const interrupts = onInterrupt("", {
    withinMs: settings.shutdownTimeoutMs,
    exitCode: exitCodes.done,
    onHangUp: settings.tenantsFile === null ? null : () => parts.worker?.rereadTenants(),
    onCutOff: () =>
      logger.warn("stopped at SHUTDOWN_TIMEOUT_MS; what was in flight is looked up at the next start"),
  });
  const traces = await openRunningTraces(settings, { tenants, log: logger }, interrupts.signal);
  parts.traces = traces;
  if (traces !== null) metrics.watchTraces(traces.counts);
  const health = await openHealth(settings, parts, metrics);
  if (health && !health.ok) return fail(health.problem, faultExitCode(health.problem));
  if (health?.ok) logger.info({ url: health.server.url }, "health and metrics");
  const serving = serves ? await openServing({ settings, logger }, parts, { metrics, tenants }) : null;
  if (serving?.ok) logger.info({ url: serving.run.url }, `serving at ${serving.run.url}`);
  const logs = openLogObserver(logger, systemClock, { spanOf: traces?.spanOf });
  try {
    if (serving?.ok === false) return fail(serving.problem, faultExitCode(serving.problem));
    const onTenants = (note: TenantsNote) => {
      metrics.countTenantsReading(note.kind);
      logTenants(logger, note);
    };
    const observe = fanOut(
      metrics.observe,
      logs.observe,
      parts.blocked.observe,
      ...(traces ? [traces.observe] : []),
    );
    await work({ settings, tenants, onTenants }, { parts, observe, logger, interrupted: interrupts.signal });
  } finally {
    logs.close();
    await parts.service?.stop(0);
    if (health?.ok) await health.server.close();
    await traces?.stop();
    await closeLogger(lastLinesMs);
    interrupts.stopListening();
  }
}

/** It is loaded only where it is wanted: it takes as long to load as the worker. */
async function openServing(
  { settings, logger }: { readonly settings: Settings; readonly logger: Logger },
  parts: Parts,
  { metrics, tenants }: { readonly metrics: Metrics; readonly tenants: Tenants },
) {
  const { startServiceRun } = await import("./serve/service-run.ts");
  const worker = {
    metricsText: () => metrics.text(),
    blockedTenants: () => parts.worker?.registrar.status().blockedTenants ?? [],
    state: () => workerState(parts),
  };
  const started = await startServiceRun(settings, logger, {
    worker,
    tenants: whoIsServed(settings, tenants),
    traces: parts.traces && { traces: parts.traces.requests, tracesMetrics: null },
  });
  if (started.ok) parts.service = started.run;
  return started;
}

/** What it is renewed by must be seen to work: each new certificate is a line. */
function certificateLogger(logger: Logger): (note: CertificateNote) => void {
  return (note) => {
    if (note.kind === "kept") {
      const fix = "Put a certificate with its private key into that file; until then the former one is used.";
      return logger.error({ code: "certificate-file", fix }, `${note.problem}. ${fix}`);
    }
    const { thumbprint, notAfterMs } = note.certificate;
    const expires = new Date(notAfterMs).toISOString();
    logger.info(
      { thumbprint, expires },
      note.isFirst ? "certificate in use" : "another certificate is in use now",
    );
  };
}

interface Served {
  readonly settings: Settings;
  readonly tenants: Tenants;
  readonly onTenants: (note: TenantsNote) => void;
}

interface Run {
  readonly parts: Parts;
  readonly observe: LogObserver["observe"];
  readonly logger: Logger;
  readonly interrupted: AbortSignal;
}

async function work(served: Served, { parts, observe, logger, interrupted }: Run): Promise<void> {
  const { settings } = served;
  const note = (problem: Problem, retryInMs: number) => {
    parts.phase = `log: ${problem.message}`;
    logger.warn({ code: problem.code, fix: problem.fix, retryInMs }, `${problem.message} Trying again.`);
  };
  // Meanwhile, so that neither delays the other.
  const refused = new AbortController();
  const access = graphAccess(served, logger, refused);
  const unwanted = AbortSignal.any([interrupted, refused.signal]);
  const opening = await openLogWithRetry(
    settings,
    { clock: systemClock, onRetry: note, onEvent: observe, purpose: "work" },
    unwanted,
  );
  if (opening?.ok === false) return end(opening.problem, logger);
  for (const { code, message, fix } of opening?.warnings ?? []) logger.warn({ code, fix }, message);
  // Before Graph was reached: what installers send is safe in the log.
  if (opening !== null) parts.service?.attach(opening.log);
  parts.phase = "graph: not reached yet";
  const problem = await Promise.race([aborted(interrupted), access]);
  if (problem === "interrupted") logger.info("stopped before the work began");
  else if (problem !== null) end(problem, logger);
  else if (opening !== null) await workOn(opening.log, served, { parts, observe, logger, interrupted });
  await parts.service?.stop(0);
  await opening?.log.close();
}

function end(problem: Problem, logger: Logger): void {
  logger.fatal({ code: problem.code, fix: problem.fix }, problem.message);
  fail(problem, faultExitCode(problem));
}

/** What keeps every tenant from being served; it aborts `refused` too. Anything else is a warning. */
async function graphAccess(
  { settings, tenants }: Served,
  logger: Logger,
  refused: AbortController,
): Promise<Problem | null> {
  const { problem, warnings } = await checkGraphAccess(settings, tenants, systemClock);
  if (problem !== null) refused.abort();
  for (const warning of warnings)
    logger.warn({ code: "graph-access" }, `${warning}; the worker starts all the same`);
  return problem;
}

async function workOn(
  log: OpenLog,
  { settings, tenants, onTenants }: Served,
  { parts, observe, logger, interrupted }: Run,
): Promise<void> {
  parts.phase = "registrar: starting";
  const place =
    settings.kafkaBrokers === null
      ? `the embedded log in ${settings.dataDir}`
      : `Kafka at ${settings.kafkaBrokers}`;
  // Before the worker can end by itself: its last line is then why.
  logger.info({ version, partitions: log.partitionCount, cloud: settings.graphCloud }, `working on ${place}`);
  const worker = await startWorker(settings, {
    log,
    observe,
    clock: systemClock,
    random: systemRandom,
    onCertificate: certificateLogger(logger),
    tenants,
    onTenants,
    ...(parts.traces && { traces: parts.traces.records }),
  });
  parts.worker = worker;
  const stopped = aborted(interrupted);
  const first = await Promise.race([worker.registrar.done, stopped]);
  if (first === "interrupted") {
    logger.info({ signal: interrupted.reason }, "stopping: finishing what is in flight");
    const drain = drainMs(settings.shutdownTimeoutMs);
    await Promise.all([worker.stop(drain), parts.service?.stop(drain)]);
    return logger.info("stopped");
  }
  await atMost(settings.shutdownTimeoutMs, Promise.all([worker.stop(0), parts.service?.stop(0)]));
  if (first !== null) fail(first, faultExitCode(first));
}

async function openHealth(settings: Settings, parts: Parts, metrics: Metrics) {
  if (settings.httpPort === null) return null;
  const readiness = () => readinessWithBlocked(parts);
  return openHealthServer({ host: settings.httpHost, port: settings.httpPort, readiness, metrics });
}

function aborted(signal: AbortSignal): Promise<"interrupted"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("interrupted");
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
}

function atMost(limitMs: number, ending: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = systemClock.after(limitMs, resolve);
    ending.then(() => resolve(), reject).finally(cancel);
  });
}
