/**
 * Observer -> log lines. A dead letter always gets a line of its own. So do registered records and duplicates, until they
 * come faster than anyone reads: their lines would cost more than all else that the worker does for them. Failures that
 * may come in thousands pass a narrower limit. What a limit holds back is counted, and the count is a line. Events hold
 * no secrets and no whole records, so neither do the lines.
 */

import { changeTexts } from "../domain/same-enrollment.ts";
import type { Observer, Position, RegistrarEvent } from "../observer.ts";
import type { Clock } from "../ports.ts";
import { type BurstLimitSettings, openBurstLimit } from "./burst-limit.ts";
import type { SpanRef } from "./traces/span.ts";

type Level = "debug" | "info" | "warn" | "error" | "fatal";

/** What this needs of a logger; pino's has it. */
export type Logger = Record<Level, (fields: object, message: string) => void>;

export interface LogObserver {
  readonly observe: Observer;
  /** Writes the counts still held back. */
  close(): void;
}

export interface Bursts {
  readonly failures: BurstLimitSettings;
  readonly settled: BurstLimitSettings;
}

/** The ids of the record's open span, as OpenTelemetry names them in logs. */
type SpanOf = (at: Position) => SpanRef | null;

const untraced: SpanOf = () => null;

const defaultBursts: Bursts = {
  failures: { lines: 10, periodMs: 10_000 },
  settled: { lines: 1_000, periodMs: 10_000 },
};

interface LogObserverOptions {
  readonly bursts?: Bursts;
  readonly spanOf?: SpanOf | undefined;
}

/** `spanOf`: of a record that is being traced; its ids go with each line about it. */
export function openLogObserver(
  logger: Logger,
  clock: Clock,
  { bursts = defaultBursts, spanOf = untraced }: LogObserverOptions = {},
): LogObserver {
  const limitOf = (settings: BurstLimitSettings, level: Level) =>
    openBurstLimit(settings, clock, (kind, suppressed) => {
      const seconds = settings.periodMs / 1000;
      const fields = { event: "suppressed", of: kind, suppressed };
      logger[level](fields, `${suppressed} more ${kind} lines in ${seconds} s`);
    });
  const failures = limitOf(bursts.failures, "warn");
  const settled = limitOf(bursts.settled, "info");
  return {
    observe(event) {
      const isSettled = event.kind === "record-registered" || event.kind === "record-duplicate";
      if (isSettled && !settled.passes(event.kind)) return;
      const failure = limitedFailure(event);
      if (failure !== null && !failures.passes(failure)) return;
      const level = levelOf(event);
      const { kind: name, ...fields } = event;
      logger[level]({ event: name, ...place(fields, spanOf) }, messageOf(event));
    },
    close() {
      failures.close();
      settled.close();
    },
  };
}

function levelOf(event: RegistrarEvent): Level {
  switch (event.kind) {
    case "records-read":
    case "graph-request":
    case "partition-kept":
      return "debug";
    case "committed":
      return event.result === "committed" ? "debug" : "warn";
    case "partition-lost":
      return event.abandoned > 0 ? "warn" : "info";
    case "attempt-failed":
    case "read-back-failed":
    case "log-failed":
    case "log-token-failed":
    case "gap-passed":
      return "warn";
    case "tenant-blocked":
    case "breaker-opened":
    case "log-unreachable":
    case "duplicate-objects":
      return "error";
    case "fault":
      return "fatal";
    default:
      return "info";
  }
}

/** Under which name lines of this event count against the burst limit; null: each is written. */
function limitedFailure(event: RegistrarEvent): string | null {
  switch (event.kind) {
    case "attempt-failed":
      return `attempt-failed (${event.verdict})`;
    case "log-failed":
      return `log-failed (${event.operation})`;
    case "committed":
      return event.result === "committed" ? null : `commit ${event.result}`;
    case "read-back-failed":
    case "record-parked":
    case "record-rehomed":
    case "tenant-blocked":
    case "tenant-unblocked":
      return event.kind;
    default:
      return null;
  }
}

/** Positions as people write them: `enrolled/3@1042`. */
function place(fields: object, spanOf: SpanOf): object {
  if (!("at" in fields)) return fields;
  const { topic, partition, offset } = fields.at as Position;
  const span = spanOf(fields.at as Position);
  const ids = span === null ? {} : { trace_id: span.traceId, span_id: span.spanId };
  return { ...fields, at: `${topic}/${partition}@${offset}`, ...ids };
}

function messageOf(event: RegistrarEvent): string {
  switch (event.kind) {
    case "session-started":
      return `working on ${event.partitions.length} partitions`;
    case "partition-gained":
      return event.suspects === 0
        ? `partition ${event.partition} taken up`
        : `partition ${event.partition} taken up; ${event.suspects} records may have been attempted and are looked up`;
    case "take-over-waits":
      return `partition ${event.partition} is taken up in ${Math.ceil(event.forMs / 1000)} s: the static member that held it did not stop cleanly and may still be at work`;
    case "partition-kept":
      return `partition ${event.partition} kept`;
    case "partition-lost":
      return `partition ${event.partition} given up`;
    case "records-read":
      return `${event.count} records read`;
    case "record-refused":
      return `dead-lettered: ${event.code}`;
    case "record-duplicate":
      return "duplicate, ignored";
    case "gap-passed":
      return `going on, as ON_RETENTION_GAP=continue says: ${event.detail}`;
    case "dead-letter-found":
      return "dead-lettered by an earlier owner, settled";
    case "record-rehomed":
      return `moved to its tenant's partition ${event.toPartition}`;
    case "record-parked":
      return "parked until its tenant can continue";
    case "record-registered":
      return event.outcome === "created" ? "registered" : "registered, its object was there already";
    case "graph-request":
      return `Graph ${event.operation} of ${event.items}`;
    case "attempt-failed":
      return `attempt failed: ${event.detail}`;
    case "read-back-failed":
      return `what may have been created can't be looked up: ${event.detail}`;
    case "graph-normalises":
      return `Graph changes what it is given: ${event.what.map((change) => changeTexts[change]).join(", ")}; objects are recognised all the same`;
    case "tenant-blocked":
      return `tenant blocked: ${event.detail}`;
    case "tenant-unblocked":
      return "tenant works again";
    case "breaker-opened":
      return `Graph is down, waiting: ${event.detail}`;
    case "breaker-closed":
      return "Graph is back";
    case "committed":
      return event.result === "committed" ? "offsets committed" : `commit ${event.result}`;
    case "log-failed":
      return `log ${event.operation} failed: ${event.reason}`;
    case "log-unreachable":
      return `Kafka does not answer: ${event.broker}: ${event.reason}`;
    case "log-reachable":
      return `Kafka answers again, after ${Math.round(event.forMs / 1000)} s`;
    case "log-token-failed":
      return `no new token for logins to Kafka: ${event.reason}; ${tokenLeft(event.leftMs)}, and it is tried again${event.fix === "" ? "" : `. ${event.fix}`}`;
    case "log-token-renewed":
      return `the token for logins to Kafka is renewed again, after ${Math.round(event.forMs / 1000)} s`;
    case "duplicate-objects":
      return `${event.ids.length} Graph objects for one enrollment; type connector-registrar reconcile`;
    case "fault":
      return `${event.message} ${event.fix}`;
  }
}

function tokenLeft(leftMs: number): string {
  return leftMs === 0 ? "there is no other" : `the old one is good for ${Math.round(leftMs / 1000)} s`;
}
