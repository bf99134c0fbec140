/**
 * The only wiring: settings in, running parts out. Adapters are loaded when they are chosen, so that a worker on
 * the embedded log never loads a Kafka client.
 */

import { join } from "node:path";
import { cloudsWarnings } from "./compose/graph-settings.ts";
import { kafkaSettings } from "./compose/kafka-settings.ts";
import { fixedTenants, followTenants, type Tenants, type TenantsNote } from "./compose/tenants.ts";
import { durationMs } from "./config/kinds.ts";
import type { Settings } from "./config/table.ts";
import { topicName } from "./domain/topics.ts";
import type { GraphAccess } from "./graph/access.ts";
import { caFileProblem } from "./graph/ca-file.ts";
import type { CertificateNote } from "./graph/credentials/files.ts";
import type { OpenedGraph } from "./graph/graph-client.ts";
import { proxyProblemIn } from "./graph/proxy.ts";
import type { MeasuredCertificate } from "./observe/metrics.ts";
import type { Observer } from "./observer.ts";
import type { Clock, EventLog, LogTail, Random } from "./ports.ts";
import type { OpenFailure, Problem } from "./problem.ts";
import type { Registrar } from "./registrar/registrar.ts";
import type { RegistrarSettings } from "./registrar/settings.ts";
import type { Cluster } from "./repartition/run.ts";
import { sleep } from "./sleep.ts";
import type { RecordTraces } from "./trace-port.ts";

export type { CertificateNote, OpenedGraph };

export type OpenLog = EventLog & LogTail & { close(): Promise<void> };

export type LogOpening =
  /** `warnings`: what works now, but not permanently or not under every fault. */
  { readonly ok: true; readonly log: OpenLog; readonly warnings?: readonly Problem[] } | OpenFailure;

/** To work: other groups that do the same work are looked for. To use: to read and to append only. */
export type Purpose = "work" | "use";

interface LogUse {
  readonly onEvent?: Observer;
  readonly purpose?: Purpose;
  /** Of the embedded log: for one who only takes records in. */
  readonly flushesBehind?: boolean;
}

/** One try. */
export async function openLog(
  settings: Settings,
  clock: Clock,
  { onEvent = () => {}, purpose = "use", flushesBehind = false }: LogUse = {},
): Promise<LogOpening> {
  if (settings.kafkaBrokers === null) {
    const { openEmbeddedLog } = await import("./log/embedded/embedded-log.ts");
    const { dataDir, topicsPartitions: partitionCount } = settings;
    return openEmbeddedLog({ dataDir, partitionCount, flushesBehind }, clock);
  }
  const kafka = await kafkaSettings(settings, settings.kafkaBrokers, { onEvent, clock });
  if (!kafka.ok) return { ...kafka, retryable: false };
  const { openKafkaLog } = await import("./log/kafka/kafka-log.ts");
  if (purpose === "use") return openKafkaLog(kafka.settings, clock);
  const { decodeMetadata } = await import("./registrar/ownership/commit-metadata.ts");
  const attemptedThroughOf = (metadata: string) => decodeMetadata(metadata)?.attemptedThrough ?? null;
  return openKafkaLog({ ...kafka.settings, attemptedThroughOf }, clock);
}

export type RepartitionOpening =
  | { readonly ok: true; readonly log: OpenLog; readonly cluster: Cluster }
  | OpenFailure;

/** The log and its cluster, whatever the partition counts are. Creates nothing. */
export async function openForRepartition(
  settings: Settings,
  brokers: readonly string[],
  clock: Clock,
): Promise<RepartitionOpening> {
  if (settings.kafkaFlavor === "event-hubs") {
    const { noRepartition } = await import("./log/kafka/flavor.ts");
    return { ok: false, problem: noRepartition, retryable: false };
  }
  const kafka = await kafkaSettings({ ...settings, topicsCreate: false }, brokers, {
    onEvent: () => {},
    clock,
  });
  if (!kafka.ok) return { ...kafka, retryable: false };
  const { openKafkaLog } = await import("./log/kafka/kafka-log.ts");
  const { createTopicAdmin } = await import("./log/kafka/set-up/topic-admin.ts");
  const opening = await openKafkaLog({ ...kafka.settings, anyCounts: true }, clock);
  return opening.ok ? { ...opening, cluster: createTopicAdmin(kafka.settings, clock) } : opening;
}

const firstRetryMs = 500;
const lastRetryMs = 15_000;

interface Opening extends LogUse {
  readonly clock: Clock;
  readonly onRetry: (problem: Problem, retryInMs: number) => void;
}

/** Tries until it opens, the fault is one that can't pass by itself, or `signal` aborts (null). */
export async function openLogWithRetry(
  settings: Settings,
  { clock, onRetry, ...use }: Opening,
  signal: AbortSignal,
): Promise<LogOpening | null> {
  for (let retryInMs = firstRetryMs; ; retryInMs = Math.min(retryInMs * 2, lastRetryMs)) {
    const opening = await unlessAborted(openLog(settings, clock, use), signal);
    if (opening === null) return null;
    if (opening.ok || !opening.retryable) return opening;
    onRetry(opening.problem, retryInMs);
    if (!(await sleep(clock, retryInMs, signal))) return null;
  }
}

/** Null as soon as `signal` aborts: a broker that does not answer must not delay a stop. A log that opens later is closed. */
async function unlessAborted(opening: Promise<LogOpening>, signal: AbortSignal): Promise<LogOpening | null> {
  const first = await new Promise<LogOpening | null>((resolve, reject) => {
    const abort = () => resolve(null);
    signal.addEventListener("abort", abort);
    opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) resolve(null);
  });
  if (first === null)
    opening.then(
      (late) => (late.ok ? late.log.close() : undefined),
      () => {},
    );
  return first;
}

export interface Worker {
  readonly registrar: Registrar;
  /** What is wrong with the present tenants file; the worker continues with the former list. */
  tenantsProblem(): string | null;
  /** Reads the tenants file again, if there is one. */
  rereadTenants(): void;
  /** Those in use that expire. */
  certificates(): readonly MeasuredCertificate[];
  /** Finishes what is in flight, commits, leaves; closes Graph's connections. The log stays open. */
  stop(drainMs: number): Promise<void>;
}

export interface WorkerParts {
  readonly log: EventLog;
  readonly observe: Observer;
  readonly clock: Clock;
  readonly random: Random;
  readonly onCertificate?: (note: CertificateNote) => void;
  /** Default: those of ALLOWED_TENANTS. */
  readonly tenants?: Tenants;
  readonly onTenants?: (note: TenantsNote) => void;
  readonly traces?: RecordTraces;
}

/** Null `problem`: none. What can be known of the Graph settings before the first request. */
export function checkGraphFiles(settings: Settings): Problem | null {
  const proxyProblem = proxyProblemIn(process.env);
  if (proxyProblem !== null) {
    const fix = "Correct the variable, or unset it; NO_PROXY lists the hosts that are reached directly.";
    return { code: "proxy-malformed", message: `${proxyProblem}.`, fix };
  }
  const caProblem = settings.graphCaFile === null ? null : caFileProblem(settings.graphCaFile);
  if (caProblem === null) return null;
  return {
    code: "ca-file",
    message: `GRAPH_CA_FILE=${settings.graphCaFile} ${caProblem}.`,
    fix: "Type: export GRAPH_CA_FILE='<path of a PEM file>', or: unset GRAPH_CA_FILE",
  };
}

/** A worker that starts must not wait long for an authority that does not answer. */
const accessLimitMs = 10_000;

/** Whether the worker can get a token and reach Graph. */
export async function checkGraphAccess(
  settings: Settings,
  tenants: Tenants,
  clock: Clock,
): Promise<GraphAccess> {
  const { checkAccess } = await import("./graph/access.ts");
  const opened = await openGraphFrom(settings, clock, { tenants });
  const served = [...tenants.served.list().keys()];
  const access = await checkAccess(
    opened,
    { tenants: served, caFile: settings.graphCaFile, limitMs: accessLimitMs },
    clock,
  );
  await opened.close();
  const clouds = cloudsWarnings(settings, tenants).map(({ text, fix }) => `${text}. ${fix}`);
  return { ...access, warnings: [...clouds, ...access.warnings] };
}

/** `tenants`: who is served with what; default: all alike. */
export async function openGraphFrom(
  settings: Settings,
  clock: Clock,
  {
    onCertificate = () => {},
    tenants = fixedTenants(settings),
  }: { readonly onCertificate?: (note: CertificateNote) => void; readonly tenants?: Tenants } = {},
): Promise<OpenedGraph> {
  const { openGraphs } = await import("./compose/graphs.ts");
  return openGraphs(settings, tenants, { clock, onCertificate });
}

export async function startWorker(settings: Settings, parts: WorkerParts): Promise<Worker> {
  const { startRegistrar } = await import("./registrar/registrar.ts");
  const { tenants = fixedTenants(settings) } = parts;
  const { graph, expiries, close } = await openGraphFrom(settings, parts.clock, {
    onCertificate: parts.onCertificate,
    tenants,
  });
  const { openFileSnapshots } = await import("./snapshots/file-snapshots.ts");
  const snapshots = openFileSnapshots(
    join(settings.dataDir, "snapshots", topicName("registered", settings.kafkaTopicPrefix)),
  );
  const registrar = startRegistrar({ ...parts, graph, snapshots }, registrarSettings(settings, tenants));
  const followed = followTenants(settings, tenants, {
    clock: parts.clock,
    onNote: parts.onTenants ?? (() => {}),
  });
  return {
    registrar,
    tenantsProblem: () => followed?.problem() ?? null,
    rereadTenants: () => followed?.readNow(),
    certificates: () =>
      expiries().map(({ application, expiresAtWallMs }) => ({
        application,
        expiresInMs: expiresAtWallMs - parts.clock.wallMs(),
      })),
    async stop(drainMs) {
      followed?.close();
      await registrar.stop(drainMs);
      await close();
    },
  };
}

function registrarSettings(s: Settings, { served }: Tenants): RegistrarSettings {
  return {
    tenants: served,
    sendId: s.graphSendId === "deterministic",
    requestTimeoutMs: s.graphRequestTimeoutMs,
    publishTimeoutMs: s.publishTimeoutMs,
    settleMs: s.settleMs,
    orphanMs: s.graphOrphanMs,
    maxInFlight: s.graphMaxInFlight,
    batchMax: s.graphBatchMax,
    writesPer20s: s.graphWritesPer20s,
    listsPer20s: s.graphListsPer20s,
    windowRecords: s.windowRecords,
    attemptAhead: s.attemptAhead,
    maxAttempts: s.maxAttempts,
    tenantBlockedMaxMs: durationMs(s.tenantBlockedMax),
    rereadCount: s.rereadCount,
    rereadDelayMs: s.rereadDelayMs,
    commitIntervalMs: s.commitIntervalMs,
    snapshotIntervalMs: 60_000,
    snapshotEntriesMin: 50_000,
    onRetentionGap: s.onRetentionGap,
  };
}
