/** The HTTP service, wired from settings: beside a worker in its process, or alone. */
import { writeExport } from "../audit/export.ts";
import { type Settings, table } from "../config/table.ts";
import { openAuthorityReader } from "../graph/authority-fetch.ts";
import { authorityOf } from "../graph/clouds.ts";
import type { HoldableIndex, IndexProgress } from "../index/enrollment-index.ts";
import type { Clock, EventLog } from "../ports.ts";
import type { Problem } from "../problem.ts";
import type { Doors } from "../server/auth/authenticate.ts";
import { openEntra } from "../server/auth/entra.ts";
import { readTlsFiles } from "../server/auth/tls-files.ts";
import { watchTlsFiles } from "../server/auth/tls-watch.ts";
import { openTokenStore } from "../server/auth/token-store.ts";
import { createWorkersView, type WorkerState } from "../server/console/workers.ts";
import type { Readiness } from "../server/health-server.ts";
import type { TlsFiles } from "../server/http/http-server.ts";
import type { ServiceNote, ServiceParts } from "../server/parts.ts";
import { openService, type Service } from "../server/service.ts";
import { openServiceMetrics, type ServiceMetrics } from "../server/service-metrics.ts";
import type { RequestTraces } from "../trace-port.ts";

/** What a service shows of the worker in the same process. */
export interface WorkerView {
  readonly metricsText: () => Promise<string>;
  readonly blockedTenants: () => readonly string[];
  readonly state: () => WorkerState;
}

export interface ServiceSurroundings extends TenantsOfService {
  readonly clock: Clock;
  readonly version: string;
  /** Null: not open yet. */
  readonly log: () => (EventLog & { readonly trouble?: () => string | null }) | null;
  readonly index: () => HoldableIndex | null;
  /** Of the worker in this process; null: there is none. */
  readonly worker: WorkerView | null;
  readonly note: (note: ServiceNote) => void;
  /** Without it, nothing is traced. */
  readonly traces?: RequestTraces;
  /** More of /metrics. */
  readonly tracesMetrics?: (() => Promise<string>) | null;
}

/** Ids in lower case. */
export type TenantsOfService = Pick<ServiceParts, "isTenantAllowed" | "tenantsServed">;

export type StartedService =
  | {
      readonly ok: true;
      readonly service: Service;
      readonly readiness: () => Readiness;
      readonly metrics: { readonly contentType: string; text(): Promise<string> };
    }
  | { readonly ok: false; readonly problem: Problem };

/** What is wrong with its settings, or the listening service. It answers 503 until there is a log. */
export async function startService(
  settings: Settings,
  surroundings: ServiceSurroundings,
): Promise<StartedService> {
  const { clock, log, index, worker, note, version, isTenantAllowed, tenantsServed, traces } = surroundings;
  const tls = tlsOf(settings);
  if (!tls.ok) return tls;
  const { doors, problem, close } = openDoors(settings, clock, note);
  if (problem !== null) return { ok: false, problem };
  const metrics: ServiceMetrics = openServiceMetrics(worker === null);
  const text = async () => `${await metrics.text()}${(await surroundings.tracesMetrics?.()) ?? ""}`;
  const readiness = () => readinessOf(surroundings, doors);
  const opened = await openService(
    {
      host: settings.serveHost,
      port: settings.servePort,
      defaultPort: table.servePort.fallback,
      tls: tls.tls,
      behindProxy: settings.serveBehindProxy,
      maxConnections: settings.serveMaxConnections,
    },
    {
      ...{ clock, doors, log, index, metrics, note, version, isTenantAllowed, tenantsServed, traces },
      writeExport: () => {
        const opened = index();
        return opened === null ? null : (request) => writeExport(opened, request);
      },
      workers: createWorkersView({ clock, urls: settings.serveWorkers ?? [], local: worker?.state ?? null }),
      readiness,
      metricsText: async () => `${(await worker?.metricsText()) ?? ""}${await text()}`,
      eventsPerSecond: settings.serveEventsPerS,
      whyTenantWaits: (tenantId) =>
        worker?.blockedTenants().includes(tenantId)
          ? "Graph refuses this tenant at present; the worker asks again by itself."
          : null,
    },
  );
  if (!opened.ok) {
    await close();
    return opened;
  }
  const { service } = opened;
  const stopWatching = watchTls(settings, clock, { service, note });
  return {
    ...{ ok: true, readiness, metrics: { contentType: metrics.contentType, text } },
    service: {
      ...service,
      async stop(drainMs) {
        stopWatching();
        await service.stop(drainMs);
        await close();
      },
    },
  };
}

function tlsOf({ serveTlsCertFile: cert, serveTlsKeyFile: key }: Settings) {
  const none: { readonly ok: true; readonly tls: TlsFiles | null } = { ok: true, tls: null };
  return cert === null && key === null ? none : readTlsFiles(cert, key);
}

/** The certificate is renewed while the service runs. */
function watchTls(
  { serveTlsCertFile: certFile, serveTlsKeyFile: keyFile }: Settings,
  clock: Clock,
  { service, note }: { readonly service: Service; readonly note: (note: ServiceNote) => void },
): () => void {
  if (certFile === null || keyFile === null) return () => {};
  const message = "Another certificate of the service is in use now, for new connections.";
  return watchTlsFiles(
    {
      ...{ certFile, keyFile },
      onRenewed(tls) {
        service.renewTls(tls);
        note({ level: "info", event: "serve-tls-renewed", message });
      },
      onProblem: ({ code, message, fix }) =>
        note({ level: "error", event: code, message: `${message} ${fix}` }),
    },
    clock,
  );
}

function openDoors(
  settings: Settings,
  clock: Clock,
  note: (note: ServiceNote) => void,
): { readonly doors: Doors; readonly problem: Problem | null; close(): Promise<void> } {
  const onProblem = ({ code, message, fix }: Problem) =>
    note({ level: "error", event: code, message: `${message} ${fix}` });
  const tokens = settings.tokensFile === null ? null : openTokenStore(settings.tokensFile, clock, onProblem);
  const audience = settings.serveEntraAudience;
  const authorityHost = authorityOf({
    cloud: settings.graphCloud,
    authorityHost: settings.azureAuthorityHost,
  });
  const reader =
    audience === null
      ? null
      : openAuthorityReader(
          { authority: authorityHost, caFile: settings.graphCaFile, environment: process.env },
          clock,
        );
  const entra =
    audience === null || reader === null
      ? null
      : openEntra({ authorityHost, audience, role: settings.serveEntraRole, fetch: reader.fetch }, clock);
  const problem = tokens?.problem() ?? null;
  return { doors: { tokens, entra }, problem, close: async () => void (await reader?.close()) };
}

/** Ready to take events in: that needs the log, and to know who sends. Where the index lacks something, it is said. */
function readinessOf({ log, index }: ServiceSurroundings, { tokens }: Doors): Readiness {
  const opened = log();
  const trouble = opened === null ? "not open yet" : (opened.trouble?.() ?? null);
  const tokensProblem = tokens?.problem() ?? null;
  const missing = [
    ...(trouble === null ? [] : [`log: ${trouble}`]),
    ...(tokensProblem === null ? [] : [`tokens: ${tokensProblem.message}`]),
  ];
  return { ready: trouble === null, notReady: [...missing, ...indexLines(index()?.progress() ?? null)] };
}

function indexLines(progress: IndexProgress | null): string[] {
  if (progress === null) return ["index: not open yet"];
  if (progress.trouble !== null) return [`index: ${progress.trouble}`];
  return progress.caughtUp ? [] : [`index: ${progress.behindRecords ?? "some"} records behind`];
}
