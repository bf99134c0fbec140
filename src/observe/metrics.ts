/**
 * The worker's Prometheus metrics. Labels are few and bounded: never a tenant, a machine or an id. What events change is in
 * event-metrics.ts; the gauges here are read from the registrar's status when scraped.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Observer } from "../observer.ts";
import { prefix, registerEvents } from "./event-metrics.ts";
import { type MeasuredTenants, registerTenants } from "./tenants-metrics.ts";
import { type MeasuredTraces, registerTraces } from "./traces-metrics.ts";

/** What the gauges show; the registrar's status has it. */
export interface MeasuredStatus {
  readonly ready: boolean;
  readonly partitions: readonly number[];
  readonly inFlight: number;
  readonly waiting: number;
  readonly parked: number;
  readonly ledgerEntries: number;
  readonly breaker: "closed" | "open" | "probing";
  readonly blockedTenants: readonly string[];
  readonly lagRecords: number;
}

export interface Metrics {
  readonly observe: Observer;
  readonly contentType: string;
  countDroppedLogLines(lines: number): void;
  countTenantsReading(result: "reloaded" | "bad"): void;
  /** Once, where traces are on. */
  watchTraces(now: () => MeasuredTraces): void;
  /** The text of /metrics. */
  text(): Promise<string>;
}

/** A certificate that applications prove by who they are. */
export interface MeasuredCertificate {
  /** Client id of the application. */
  readonly application: string;
  readonly expiresInMs: number;
}

export function openMetrics(
  version: string,
  status: () => MeasuredStatus | null,
  {
    certificates = () => [],
    tenants = null,
  }: {
    readonly certificates?: () => readonly MeasuredCertificate[];
    readonly tenants?: (() => MeasuredTenants) | null;
  } = {},
): Metrics {
  const registry = new Registry();
  const countTenantsReading = tenants === null ? () => {} : registerTenants(registry, tenants);
  collectDefaultMetrics({ register: registry });
  const observe = registerEvents(registry);
  const droppedLines = new Counter({
    name: `${prefix}log_lines_dropped_total`,
    help: "Log lines that could not be written.",
    registers: [registry],
  });
  registerGauges(registry, version, status);
  registerExpiries(registry, certificates);

  return {
    observe,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    countTenantsReading,
    watchTraces: (now) => registerTraces(registry, now),
    countDroppedLogLines: (lines) => droppedLines.inc(lines),
  };
}

function registerGauges(registry: Registry, version: string, status: () => MeasuredStatus | null): void {
  const gauge = (name: string, help: string, value: (now: MeasuredStatus) => number) =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      collect() {
        const now = status();
        this.set(now === null ? 0 : value(now));
      },
    });
  gauge("ready", "1 when every part is ready.", (now) => (now.ready ? 1 : 0));
  gauge("partitions", "Partitions that this worker holds.", (now) => now.partitions.length);
  gauge("graph_requests_in_flight", "Graph requests under way.", (now) => now.inFlight);
  gauge("records_waiting", "Records taken in that wait for Graph.", (now) => now.waiting);
  gauge("records_parked", "Records in the retry topic that wait for their tenant.", (now) => now.parked);
  gauge("lag_records", "Records of this worker's partitions that are not settled.", (now) => now.lagRecords);
  gauge("ledger_entries", "Registered enrollments known to this worker.", (now) => now.ledgerEntries);
  gauge("tenants_blocked", "Tenants whose Graph refuses us at present.", (now) => now.blockedTenants.length);
  new Gauge({
    name: `${prefix}breaker_state`,
    help: "1 for the state that the breaker is in.",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const state = status()?.breaker ?? "closed";
      for (const each of ["closed", "open", "probing"]) this.set({ state: each }, each === state ? 1 : 0);
    },
  });
  new Gauge({
    name: `${prefix}build_info`,
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
}

function registerExpiries(registry: Registry, certificates: () => readonly MeasuredCertificate[]): void {
  new Gauge({
    name: `${prefix}credential_expires_seconds`,
    help: "Seconds until the certificate of an application expires; below 0 once it has. None: no certificate is used.",
    labelNames: ["application"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { application, expiresInMs } of certificates())
        this.set({ application }, Math.round(expiresInMs / 1000));
    },
  });
}
