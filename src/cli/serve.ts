/** `serve`: the HTTP service in a process of its own, until SIGTERM, SIGINT or SIGHUP. `start --serve` has it beside the worker. */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { anyApplication, followTenants, loadTenants, type TenantsNote } from "../compose/tenants.ts";
import { openLogWithRetry } from "../compose.ts";
import type { Group, SettingName, Settings } from "../config/table.ts";
import { type Logger, openLogger } from "../observe/logger.ts";
import { nonBlockingOutput } from "../observe/output.ts";
import { type HealthServer, openHealthServer } from "../server/health-server.ts";
import { faultExitCode } from "./fault-exit-codes.ts";
import { onInterrupt } from "./interrupts.ts";
import { drainMs, lastLinesMs, logFormat } from "./long-running.ts";
import { type ServiceRun, startServiceRun } from "./serve/service-run.ts";
import { whoIsServed } from "./serve/who-is-served.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { logTenants } from "./start/tenants.ts";
import { openRunningTraces } from "./start/traces.ts";
import { exitCodes, fail } from "./terminal.ts";

const groups: readonly Group[] = ["log", "serve", "process"];
/** Whose enrollments are taken in, and where Entra is. */
const ofTenants: readonly SettingName[] = [
  "allowedTenants",
  "tenantsFile",
  "azureTenantId",
  "azureAuthorityHost",
  "graphCloud",
  "graphCaFile",
];

export function command(): Command {
  const serve = new Command("serve").description(
    "Takes enrollments in by HTTP and tells what became of them. It works on the same log as the workers; docs/HTTP.md is for those who send.",
  );
  addSettingFlags(serve, groups).action(async () => {
    const settings = readSettings(serve, groups, { also: ofTenants });
    if (settings !== null) await run(settings);
  });
  return serve;
}

async function run(settings: Settings): Promise<void> {
  const loaded = loadTenants(settings, anyApplication);
  if (!loaded.ok) return fail(loaded.problem, faultExitCode(loaded.problem));
  const { logger, close: closeLogger } = openLogger(
    {
      level: settings.logLevel,
      format: logFormat(settings),
      base: { clientId: settings.kafkaClientId },
      writeSome: nonBlockingOutput(1),
      onDropped: () => {},
    },
    systemClock,
  );
  const onTenants = (note: TenantsNote) => logTenants(logger, note);
  const followed = followTenants(settings, loaded.tenants, {
    clock: systemClock,
    onNote: onTenants,
    judgeList: anyApplication,
  });
  const interrupts = onInterrupt("", {
    withinMs: settings.shutdownTimeoutMs,
    onHangUp: followed === null ? null : followed.readNow,
    exitCode: exitCodes.done,
    onCutOff: () => logger.warn("stopped at SHUTDOWN_TIMEOUT_MS; what was not answered may be stored"),
  });
  const traces = await openRunningTraces(
    settings,
    { tenants: loaded.tenants, log: logger },
    interrupts.signal,
  );
  let health: HealthServer | null = null;
  try {
    const started = await startServiceRun(settings, logger, {
      worker: null,
      tenants: whoIsServed(settings, loaded.tenants),
      traces: traces?.ofService ?? null,
    });
    if (!started.ok) return fail(started.problem, faultExitCode(started.problem));
    logger.info({ url: started.run.url }, `serving at ${started.run.url}`);
    const opened = await openHealth(settings, started.run);
    if (opened?.ok === false) {
      await started.run.stop(0);
      return fail(opened.problem, faultExitCode(opened.problem));
    }
    health = opened?.server ?? null;
    if (health !== null) logger.info({ url: health.url }, "health and metrics");
    await serveLog(settings, { service: started.run, logger }, interrupts.signal);
  } finally {
    followed?.close();
    await health?.close();
    await traces?.stop();
    await closeLogger(lastLinesMs);
    interrupts.stopListening();
  }
}

/** For orchestrators, as a worker has it: without tokens, on a port of its own. */
async function openHealth({ httpHost: host, httpPort: port }: Settings, { readiness, metrics }: ServiceRun) {
  return port === null ? null : openHealthServer({ host, port, readiness, metrics });
}

async function serveLog(
  settings: Settings,
  { service, logger }: { readonly service: ServiceRun; readonly logger: Logger },
  interrupted: AbortSignal,
): Promise<void> {
  const opening = await openLogWithRetry(
    settings,
    {
      clock: systemClock,
      flushesBehind: true,
      onRetry: ({ code, message, fix }, retryInMs) =>
        logger.warn({ code, fix, retryInMs }, `${message} Trying again.`),
    },
    interrupted,
  );
  if (opening?.ok === false) {
    const { code, message, fix } = opening.problem;
    logger.fatal({ code, fix }, message);
    await service.stop(0);
    return fail(opening.problem, faultExitCode(opening.problem));
  }
  if (opening !== null) {
    service.attach(opening.log);
    logger.info({ partitions: opening.log.partitionCount }, "taking events in");
    if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
  }
  logger.info({ signal: interrupted.reason }, "stopping: answering what was taken in");
  await service.stop(drainMs(settings.shutdownTimeoutMs));
  await opening?.log.close();
  logger.info("stopped");
}
