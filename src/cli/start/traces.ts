/** Traces of a process that runs until it is stopped: opened where they are wanted, and closed within the stop's own limit. */
import { systemClock } from "../../clock.ts";
import type { Tenants } from "../../compose/tenants.ts";
import { openWantedTraces, type Traces, type TracesLog } from "../../compose/traces.ts";
import type { Settings } from "../../config/table.ts";
import { tracesMetricsText } from "../../observe/traces-metrics.ts";
import { lastLinesMs } from "../long-running.ts";
import type { ServiceTraces } from "../serve/service-run.ts";
import { version } from "../version.ts";

export interface RunningTraces extends Traces {
  /** Sends what is left, within what is left of the stop. */
  stop(): Promise<void>;
  /** For a service in a process of its own. */
  readonly ofService: ServiceTraces;
}

/** The longest time for which a collector that does not answer may delay a stop. */
const flushMostMs = 2_000;
/** Of the stop's limit, for what comes after: the last lines, and the end of the process itself. */
const keptMs = lastLinesMs + 300;

/** Null: they are not wanted. */
export async function openRunningTraces(
  settings: Settings,
  { tenants, log }: { readonly tenants: Tenants; readonly log: TracesLog },
  interrupted: AbortSignal,
): Promise<RunningTraces | null> {
  const traces = await openWantedTraces(settings, {
    version,
    clock: systemClock,
    log,
    served: tenants.served,
  });
  if (traces === null) return null;
  let stopByMs = Number.POSITIVE_INFINITY;
  const note = () => {
    stopByMs = systemClock.nowMs() + settings.shutdownTimeoutMs;
  };
  interrupted.addEventListener("abort", note, { once: true });
  if (interrupted.aborted) note();
  return {
    ...traces,
    ofService: { traces: traces.requests, tracesMetrics: tracesMetricsText(traces.counts) },
    stop: () => traces.close(Math.max(0, Math.min(flushMostMs, stopByMs - systemClock.nowMs() - keptMs))),
  };
}
