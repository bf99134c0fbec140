/**
 * Registrar events -> counters, histograms and gauges. Each kind of event changes a metric, or stands here with the reason
 * why it needs none: the type of the table leaves no third way.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { GraphSilence } from "../graph-port.ts";
import type { Observer, RegistrarEvent } from "../observer.ts";
import * as known from "./known-labels.ts";

type Kind = RegistrarEvent["kind"];
type EventOf<K extends Kind> = Extract<RegistrarEvent, { readonly kind: K }>;

/** Why events of this kind change no metric of their own. */
export const notCounted = {
  "partition-kept": "nothing changed hands; connector_registrar_partitions shows what is held",
  "tenant-blocked": "connector_registrar_tenants_blocked is read from the status",
  "tenant-unblocked": "connector_registrar_tenants_blocked is read from the status",
  "breaker-closed":
    "connector_registrar_breaker_state is read from the status; breaker_opened counts each outage",
  "log-token-renewed": "it ends what connector_registrar_log_token_failures_total counts",
  fault: "the worker ends with it, before the next scrape: its last log line and its exit code report it",
} as const satisfies { readonly [K in Kind]?: string };

type Counted = Exclude<Kind, keyof typeof notCounted>;
type Handlers = { readonly [K in Counted]: (event: EventOf<K>) => void };

export const prefix = "connector_registrar_";

export function registerEvents(registry: Registry): Observer {
  const handlers = handlersOf(registry);
  return (event) => {
    const handler = (handlers as Readonly<Record<string, ((event: RegistrarEvent) => void) | undefined>>)[
      event.kind
    ];
    handler?.(event);
  };
}

function handlersOf(registry: Registry): Handlers {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers: [registry] });

  const sessions = counter("sessions", "Assignments of partitions that this worker was given.");
  const gained = counter("partitions_gained", "Partitions taken over.");
  const waits = counter(
    "take_over_waits",
    "Partitions waited for, since their static member may be at work.",
  );
  const lost = counter("partitions_lost", "Partitions that went to other workers.");
  const read = counter("records_read", "Records read from the input topics.", "topic");
  const registered = counter("registered", "Enrollments registered, by outcome.", "outcome");
  const duplicates = counter("duplicates", "Enrollments ignored since they were registered before.");
  const deadLetters = counter("dead_letters", "Records moved to the dead letters, by code.", "code");
  const found = counter("dead_letters_found", "Dead letters of earlier owners, found after a take-over.");
  const gaps = counter("gaps_passed", "Passed gaps: records that are lost were skipped.", "topic");
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
  const tokenFailures = counter("log_token_failures", "Tokens for the brokers that could not be renewed.");
  const breakerOpened = counter("breaker_opened", "Times that an outage of Graph was declared.");
  const duplicateObjects = counter("duplicate_objects", "Enrollments found with more than one Graph object.");
  const { requestSeconds, ageSeconds } = histogramsOf(registry);
  const { logUp, normalises } = gaugesOf(registry);

  // Series that exist from the start have a rate from the first event on.
  for (const outcome of known.outcomeLabels) registered.inc({ outcome }, 0);
  for (const topic of known.inputTopicLabels) read.inc({ topic }, 0);
  for (const topic of known.inputTopicLabels) gaps.inc({ topic }, 0);
  for (const result of known.answerLabels) answers.inc({ result }, 0);
  for (const code of known.deadLetterLabels) deadLetters.inc({ code }, 0);
  for (const verdict of known.verdictLabels) failed.inc({ verdict }, 0);
  for (const result of known.commitLabels) commits.inc({ result }, 0);
  for (const operation of known.logOperationLabels) logFailures.inc({ operation }, 0);

  return {
    "session-started": () => sessions.inc(),
    "partition-gained": () => gained.inc(),
    "take-over-waits": () => waits.inc(),
    "partition-lost": () => lost.inc(),
    "records-read": ({ topic, count }) => read.inc({ topic }, count),
    "record-registered": ({ outcome, ageMs }) => {
      registered.inc({ outcome });
      if (ageMs !== null) ageSeconds.observe(Math.max(0, ageMs) / 1000);
    },
    "record-duplicate": () => duplicates.inc(),
    "record-refused": ({ code }) => deadLetters.inc({ code }),
    "dead-letter-found": () => found.inc(),
    "gap-passed": ({ topic }) => gaps.inc({ topic }),
    "record-rehomed": () => rehomed.inc(),
    "record-parked": () => parked.inc(),
    "attempt-failed": ({ verdict }) => failed.inc({ verdict }),
    "read-back-failed": () => readBacksFailed.inc(),
    "graph-request": ({ operation, durationMs, results }) => {
      requestSeconds.observe({ operation }, durationMs / 1000);
      countAnswers(answers, results);
    },
    committed: ({ result }) => commits.inc({ result }),
    "log-failed": ({ operation }) => logFailures.inc({ operation }),
    "log-unreachable": () => logUp.set(0),
    "log-reachable": () => logUp.set(1),
    "log-token-failed": () => tokenFailures.inc(),
    "graph-normalises": ({ what }) => {
      for (const each of what) normalises.set({ what: each }, 1);
    },
    "breaker-opened": () => breakerOpened.inc(),
    "duplicate-objects": () => duplicateObjects.inc(),
  };
}

function histogramsOf(registry: Registry) {
  const requestSeconds = new Histogram({
    name: `${prefix}graph_request_duration_seconds`,
    help: "Duration of Graph requests, by operation.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    labelNames: ["operation"],
    registers: [registry],
  });
  for (const operation of known.requestLabels) requestSeconds.zero({ operation });
  const ageSeconds = new Histogram({
    name: `${prefix}registration_age_seconds`,
    help: "From the enrollment's record to its registered record.",
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400],
    registers: [registry],
  });
  return { requestSeconds, ageSeconds };
}

function gaugesOf(registry: Registry) {
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
  for (const what of known.changeLabels) normalises.set({ what }, 0);
  return { logUp, normalises };
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
