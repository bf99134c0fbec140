/** Metrics of the HTTP service: each bound has a series that says how often it was met. Labels are few: never a tenant or a name. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What a request may run into. */
export const bounds = [
  "body-bytes",
  "batch-events",
  "connections",
  "header-bytes",
  "request-time",
  "rate",
  "pending-events",
  "waiters",
] as const;
export type Bound = (typeof bounds)[number];

export const eventResults = ["stored", "known", "refused", "not-stored"] as const;
export type EventResult = (typeof eventResults)[number];

export interface ServiceGauges {
  readonly connections: () => number;
  readonly pendingEvents: () => number;
  readonly waiters: () => number;
  readonly behindRecords: () => number | null;
  readonly tokensOk: () => boolean;
}

export interface ServiceMetrics {
  request(route: string, status: number, durationMs: number): void;
  events(result: EventResult, count: number): void;
  met(bound: Bound): void;
  unauthorised(code: string): void;
  appended(durationMs: number): void;
  /** The gauges ask there from now on. */
  watch(gauges: ServiceGauges): void;
  readonly contentType: string;
  text(): Promise<string>;
}

const prefix = "connector_registrar_http_";
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** `withProcess`: with those of the process, which only one of a process may export. */
export function openServiceMetrics(withProcess: boolean): ServiceMetrics {
  const registry = new Registry();
  if (withProcess) collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers: [registry] });
  const requests = counter("requests", "Requests answered, by route and class of status.", "route", "status");
  const events = counter("events", "Events that came, by what became of them at the intake.", "result");
  const met = counter("bounds_met", "Requests and connections that met a bound, by bound.", "bound");
  const unauthorised = counter("unauthorised", "Requests without a token that counts, by code.", "code");
  const durations = new Histogram({
    name: `${prefix}request_duration_seconds`,
    help: "Duration of requests, by route; those that wait for an outcome too.",
    labelNames: ["route"],
    buckets: seconds,
    registers: [registry],
  });
  const appends = new Histogram({
    name: `${prefix}append_duration_seconds`,
    help: "From an event's arrival to the log's confirmation.",
    buckets: seconds,
    registers: [registry],
  });
  let gauges: ServiceGauges | null = null;
  const gauge = (name: string, help: string, value: (now: ServiceGauges) => number) =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(gauges === null ? 0 : value(gauges));
      },
    });
  gauge("connections", "Connections that are open.", (now) => now.connections());
  gauge("pending_events", "Events taken in that the log has not confirmed.", (now) => now.pendingEvents());
  gauge("waiters", "Requests that wait for outcomes.", (now) => now.waiters());
  gauge("index_behind_records", "Records that the index has not read.", (now) => now.behindRecords() ?? 0);
  gauge("tokens_file_ok", "0 while TOKENS_FILE can't be read.", (now) => (now.tokensOk() ? 1 : 0));
  // Series that exist from the start have a rate from the first event on.
  for (const bound of bounds) met.inc({ bound }, 0);
  for (const result of eventResults) events.inc({ result }, 0);

  return {
    request(route, status, durationMs) {
      requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ route }, durationMs / 1_000);
    },
    events(result, count) {
      if (count > 0) events.inc({ result }, count);
    },
    met: (bound) => met.inc({ bound }),
    unauthorised: (code) => unauthorised.inc({ code }),
    appended: (durationMs) => appends.observe(durationMs / 1_000),
    watch(now) {
      gauges = now;
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
