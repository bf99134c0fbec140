/**
 * Observer -> Prometheus metrics. Labels are few and bounded: never a tenant, a machine or an id. Gauges are read
 * from the registrar's status when scraped.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { GraphSilence } from "../graph-port.ts";
import type { Observer } from "../observer.ts";
import * as known from "./known-labels.ts";
import { type MeasuredTenants, registerTenants } from "./tenants-metrics.ts";

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
  /** The text of /metrics. */
  text(): Promise<string>;
}

const prefix = "connector_registrar_";

/** A certificate that applications prove by who they are. */
export interface MeasuredCertificate {
  /** Client id of the application. */
  readonly application: string;
  readonly expiresInMs: number;
}

export function openMetrics(
  version: string,
  status: () => MeasuredStatus | null,
  certificates: () => readonly MeasuredCertificate[] = () => [],
  tenants: (() => MeasuredTenants) | null = null,
): Metrics {
  const registry = new Registry();
  const countTenantsReading = tenants === null ? () => {} : registerTenants(registry, tenants);
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers: [registry] });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `${prefix}${name}_seconds`, help, buckets, labelNames, registers: [registry] });

  const read = counter("records_read", "Records read from the input topics.", "topic");
  const registered = counter("registered", "Enrollments registered, by outcome.", "outcome");
  const duplicates = counter("duplicates", "Enrollments ignored since they were registered before.");
  const deadLetters = counter("dead_letters", "Records moved to the dead letters, by code.", "code");
  const rehomed = counter("rehomed", "Records moved to their tenant's own partition.");
  const parked = counter("parked", "Records moved to the retry topic to wait for their tenant.");
  const failed = counter("attempts_failed", "Failed attempts, by verdict.", "verdict");
  const readBacksFailed = counter(
    "read_backs_failed",
    "Lists that failed, so that records in doubt could not be looked up.",
  );
  const answers = counter(
    "graph_answers",
    "Answers of Graph, item by item: status class, 429, or why none came.",
    "result",
  );
  const commits = counter("commits", "Offset commits, by result.", "result");
  const logFailures = counter("log_failures", "Failed operations on the event log.", "operation");
  const breakerOpened = counter("breaker_opened", "Times that an outage of Graph was declared.");
  const duplicateObjects = counter("duplicate_objects", "Enrollments found with more than one Graph object.");
  const droppedLines = counter("log_lines_dropped", "Log lines that could not be written.");
  const requestSeconds = histogram(
    "graph_request_duration",
    "Duration of Graph requests, by operation.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    "operation",
  );
  const ageSeconds = histogram(
    "registration_age",
    "From the enrollment's record to its registered record.",
    [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400],
  );
  const logUp = new Gauge({
    name: `${prefix}log_up`,
    help: "0 while brokers that are needed do not answer.",
    registers: [registry],
  });
  logUp.set(1);
  const normalises = new Gauge({
    name: `${prefix}graph_normalises`,
    help: "1 where answers of Graph have shown that it changes what it keeps in this way.",
    labelNames: ["what"],
    registers: [registry],
  });
  // Series that exist from the start have a rate from the first event on.
  for (const outcome of known.outcomeLabels) registered.inc({ outcome }, 0);
  for (const topic of known.inputTopicLabels) read.inc({ topic }, 0);
  for (const result of known.answerLabels) answers.inc({ result }, 0);
  for (const code of known.deadLetterLabels) deadLetters.inc({ code }, 0);
  for (const verdict of known.verdictLabels) failed.inc({ verdict }, 0);
  for (const result of known.commitLabels) commits.inc({ result }, 0);
  for (const operation of known.logOperationLabels) logFailures.inc({ operation }, 0);
  for (const what of known.changeLabels) normalises.set({ what }, 0);
  for (const operation of known.requestLabels) requestSeconds.zero({ operation });
  registerGauges(registry, version, status);
  registerExpiries(registry, certificates);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    countTenantsReading,
    countDroppedLogLines: (lines) => droppedLines.inc(lines),
    observe(event) {
      switch (event.kind) {
        case "records-read":
          return read.inc({ topic: event.topic }, event.count);
        case "record-registered":
          registered.inc({ outcome: event.outcome });
          if (event.ageMs !== null) ageSeconds.observe(Math.max(0, event.ageMs) / 1000);
          return;
        case "record-duplicate":
          return duplicates.inc();
        case "record-refused":
          return deadLetters.inc({ code: event.code });
        case "record-rehomed":
          return rehomed.inc();
        case "record-parked":
          return parked.inc();
        case "attempt-failed":
          return failed.inc({ verdict: event.verdict });
        case "read-back-failed":
          return readBacksFailed.inc();
        case "graph-request":
          requestSeconds.observe({ operation: event.operation }, event.durationMs / 1000);
          return countAnswers(answers, event.results);
        case "committed":
          return commits.inc({ result: event.result });
        case "log-failed":
          return logFailures.inc({ operation: event.operation });
        case "log-unreachable":
          return logUp.set(0);
        case "log-reachable":
          return logUp.set(1);
        case "graph-normalises":
          for (const what of event.what) normalises.set({ what }, 1);
          return;
        case "breaker-opened":
          return breakerOpened.inc();
        case "duplicate-objects":
          return duplicateObjects.inc();
      }
    },
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

/** Once for each label: the items of a batch mostly share theirs. */
function countAnswers(answers: Counter<"result">, results: readonly (number | GraphSilence["reason"])[]) {
  const counts = new Map<string, number>();
  for (const each of results) {
    const label = resultLabel(each);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  for (const [result, count] of counts) answers.inc({ result }, count);
}

function resultLabel(result: number | GraphSilence["reason"]): string {
  if (typeof result === "string") return result;
  return result === 429 ? "429" : `${Math.floor(result / 100)}xx`;
}
