/** Everything that a soak runs, opened in order. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock as clock } from "../../../src/clock.ts";
import { type OpenLog, openLogWithRetry } from "../../../src/compose.ts";
import { loadSettings } from "../../../src/config/load.ts";
import type { Problem } from "../../../src/problem.ts";
import type { Brokers } from "../brokers.ts";
import { type Crew, startCrew } from "../crew.ts";
import { createSamples } from "../emission.ts";
import { groupId, logEnvironment, partitionCount, workerEnvironment, workers } from "../environment.ts";
import { type GraphProcess, startGraph } from "../graph-process.ts";
import type { RunSurroundings } from "../in-place.ts";
import { type Processes, registrarProgram } from "../processes.ts";
import { openTenantsFile, type TenantsFile } from "../tenant-changes.ts";
import { type KeptMs, shortenSegments } from "../topics.ts";
import { findLibfaketime, openWallClocks, sweepSharedMemory, type WallClocks } from "./clock-steps.ts";
import type { Watched } from "./figures.ts";

export const checkId = `${groupId}-check`;
/** Longer than anything may take to be registered. */
const keptMs: KeptMs = { inputs: 600_000 };

/** Between those of a short run and the product's own: an hour has room for both a fault and what follows. */
export const soakTimes = {
  sessionTimeoutMs: 10_000,
  requestTimeoutMs: 4_000,
  publishTimeoutMs: 10_000,
  settleMs: 16_000,
};

const timeSettings = {
  KAFKA_SESSION_TIMEOUT_MS: String(soakTimes.sessionTimeoutMs),
  GRAPH_REQUEST_TIMEOUT_MS: String(soakTimes.requestTimeoutMs),
  PUBLISH_TIMEOUT_MS: String(soakTimes.publishTimeoutMs),
  SETTLE_MS: String(soakTimes.settleMs),
};

export interface SoakWorld {
  readonly log: OpenLog;
  readonly graph: GraphProcess;
  readonly crew: Crew;
  readonly tenants: TenantsFile;
  /** Null: libfaketime is not installed. */
  readonly wallClocks: WallClocks | null;
  readonly samples: ReturnType<typeof createSamples>;
  readonly watched: Readonly<Record<string, Watched>>;
  /** How `serve` ended, which it should not. */
  readonly deserted: readonly string[];
}

export interface WorldSettings extends RunSurroundings {
  readonly seed: number;
  readonly ids: "honour" | "ignore";
}

const interruptedProblem: Problem = {
  code: "interrupted",
  message: "It was interrupted.",
  fix: "Type chaos again.",
};

type WorldOpening =
  | { readonly ok: true; readonly world: SoakWorld }
  | { readonly ok: false; readonly problem: Problem };

/** `processes` and the log are the caller's to end. */
export async function openWorld(
  settings: WorldSettings,
  brokers: Brokers,
  processes: Processes,
): Promise<WorldOpening> {
  const { directory } = settings;
  const place = { brokers: brokers.addresses, flavor: "kafka" as const, directory };
  const loaded = loadSettings({
    environment: { ...logEnvironment(place, "chaos"), PUBLISH_TIMEOUT_MS: timeSettings.PUBLISH_TIMEOUT_MS },
  });
  if (!loaded.ok) throw new Error(`chaos's own settings are wrong: ${JSON.stringify(loaded.problems)}`);
  // A broker that has just started may be too busy for its first request.
  const onRetry = ({ message }: Problem) => settings.say(`${message} Trying again.`);
  const opening = await openLogWithRetry(loaded.settings, { clock, onRetry }, settings.interrupted);
  if (opening === null) return { ok: false, problem: interruptedProblem };
  if (!opening.ok) return { ok: false, problem: opening.problem };
  const { log } = opening;
  const refused = await shortenSegments(brokers.addresses, checkId, keptMs);
  if (refused !== null) {
    await log.close();
    return { ok: false, problem: { code: "topics", message: `${refused}.`, fix: "Type chaos again." } };
  }
  const graph = await startGraph(processes, {
    ...{ ids: settings.ids, seed: settings.seed, graphFaults: "all" },
    requestTimeoutMs: soakTimes.requestTimeoutMs,
  });
  const samples = createSamples(settings.seed, partitionCount);
  const tenants = openTenantsFile(directory, samples.tenantIds, clock);
  const library = findLibfaketime();
  const wallClocks = library === null ? null : openWallClocks(library, directory, workers);
  const urls = new Map<string, string>();
  const noteUrl = (name: string, line: string) => {
    const url = /"url":"(http[^"]+)".*"msg":"health and metrics"/.exec(line)?.[1];
    if (url !== undefined) urls.set(name, url);
  };
  const crew = startCrew(processes, clock, {
    size: workers,
    environmentOf: (worker) => ({
      ...workerEnvironment(worker, place, { graph, tenants: { file: tenants.path } }),
      ...{ ...timeSettings, LOG_LEVEL: "info", HTTP_PORT: "0" },
      ...(wallClocks?.environmentOf(worker) ?? {}),
    }),
    onLine: (worker, line) => noteUrl(`worker-${worker + 1}`, line),
    onEnd: (pid) => {
      if (wallClocks !== null) sweepSharedMemory(pid);
    },
  });
  const deserted: string[] = [];
  const service = startService(processes, { place, graph, tenants }, (line) => noteUrl("serve", line));
  void service.ended.then((how) => deserted.push(`serve ended: ${how}`));
  const watched: Record<string, Watched> = {};
  for (let worker = 0; worker < workers; worker++) {
    const name = `worker-${worker + 1}`;
    watched[name] = { pid: () => crew.pidOf(worker), url: () => urls.get(name) ?? null };
  }
  watched.serve = { pid: () => service.pid, url: () => urls.get("serve") ?? null };
  watched.emulator = { pid: () => graph.pid, url: () => null };
  watched.chaos = { pid: () => process.pid, url: () => null };
  return { ok: true, world: { log, graph, crew, tenants, wallClocks, samples, watched, deserted } };
}

interface ServicePlace {
  readonly place: Parameters<typeof logEnvironment>[0];
  readonly graph: GraphProcess;
  readonly tenants: TenantsFile;
}

/** `serve`, with its index. */
function startService(
  processes: Processes,
  { place, graph, tenants }: ServicePlace,
  onLine: (line: string) => void,
) {
  mkdirSync(join(place.directory, "serve"), { recursive: true });
  const environment = {
    ...logEnvironment(place, "serve"),
    ...graph.environment,
    ...{ TENANTS_FILE: tenants.path, SERVE_PORT: "0", HTTP_PORT: "0" },
  };
  return processes.start("serve", { command: [registrarProgram, "serve"], environment }, onLine);
}
