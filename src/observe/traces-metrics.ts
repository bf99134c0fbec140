/** Metrics of tracing itself: there only where traces are on. */
import { Counter, Gauge, Registry } from "prom-client";

export interface MeasuredTraces {
  readonly openRecords: number;
  readonly waitingSpans: number;
  readonly exportedSpans: number;
  readonly droppedSpans: number;
  readonly droppedRecords: number;
}

const prefix = "connector_registrar_traces_";

/** The text of them alone. */
export function tracesMetricsText(now: () => MeasuredTraces): () => Promise<string> {
  const registry = new Registry();
  registerTraces(registry, now);
  return () => registry.metrics();
}

export function registerTraces(registry: Registry, now: () => MeasuredTraces): void {
  const gauge = (name: string, help: string, value: (counts: MeasuredTraces) => number) =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value(now()));
      },
    });
  const counter = (name: string, help: string, value: (counts: MeasuredTraces) => number) =>
    new Counter({
      name: `${prefix}${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value(now()));
      },
    });
  gauge("open_records", "Records that are being traced and are not settled.", (counts) => counts.openRecords);
  gauge("waiting_spans", "Ended spans that the collector has not taken.", (counts) => counts.waitingSpans);
  counter("exported_spans", "Spans that the collector has taken.", (counts) => counts.exportedSpans);
  counter(
    "dropped_spans",
    "Spans that were given up: too many waited, or they were refused.",
    (counts) => counts.droppedSpans,
  );
  counter(
    "dropped_records",
    "Records that were not traced: too many were open.",
    (counts) => counts.droppedRecords,
  );
}
