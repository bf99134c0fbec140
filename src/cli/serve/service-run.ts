/** The HTTP service as a part of a command: it listens immediately, and gets the log once that is open. */
import { systemClock } from "../../clock.ts";
import { type FollowedIndex, followIndex } from "../../compose/enrollment-index.ts";
import { startService, type TenantsOfService, type WorkerView } from "../../compose/service.ts";
import type { OpenLog } from "../../compose.ts";
import type { Settings } from "../../config/table.ts";
import { openBurstLimit } from "../../observe/burst-limit.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Problem } from "../../problem.ts";
import type { Readiness } from "../../server/health-server.ts";
import type { ServiceNote } from "../../server/parts.ts";
import type { RequestTraces } from "../../trace-port.ts";
import { version } from "../version.ts";
import { keepHeapFlat } from "./heap.ts";

export interface ServiceRun {
  readonly url: string;
  readonly readiness: () => Readiness;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** From now on events are taken in. */
  attach(log: OpenLog): void;
  /** Before the log is closed. Once: later calls do nothing. */
  stop(drainMs: number): Promise<void>;
}

export type StartedRun =
  | { readonly ok: true; readonly run: ServiceRun }
  | { readonly ok: false; readonly problem: Problem };

/** Lines of one kind: what a stranger sends must not fill the log. */
const noteLimit = { lines: 20, periodMs: 60_000 };

export interface ServiceTraces {
  readonly traces: RequestTraces;
  /** Of tracing; null: the worker's metrics hold them. */
  readonly tracesMetrics: (() => Promise<string>) | null;
}

export interface ServiceView {
  /** Null: there is no worker in this process. */
  readonly worker: WorkerView | null;
  readonly tenants: TenantsOfService;
  /** Null: they are not wanted. */
  readonly traces: ServiceTraces | null;
}

export async function startServiceRun(
  settings: Settings,
  logger: Logger,
  { worker, tenants, traces }: ServiceView,
): Promise<StartedRun> {
  keepHeapFlat();
  let log: OpenLog | null = null;
  let followed: FollowedIndex | null = null;
  const limit = openBurstLimit(noteLimit, systemClock, (event, suppressed) =>
    logger.warn({ event, suppressed }, `${suppressed} more lines of this kind`),
  );
  const note = ({ level, event, message }: ServiceNote) => {
    if (limit.passes(event)) logger[level]({ event }, message);
  };
  const index = () => followed?.index() ?? null;
  const surroundings = {
    clock: systemClock,
    version,
    log: () => log,
    index,
    worker,
    note,
    ...tenants,
    ...traces,
  };
  const started = await startService(settings, surroundings);
  if (!started.ok) {
    limit.close();
    return started;
  }
  const { service } = started;
  let stopping: Promise<void> | null = null;
  return {
    ok: true,
    run: {
      url: service.url,
      readiness: started.readiness,
      metrics: started.metrics,
      attach(opened) {
        log = opened;
        followed = followIndex(settings, systemClock, {
          onNote: (message) => logger.warn({ event: "index" }, message),
          onProblem: ({ code, message, fix }) => logger.error({ code, fix }, `${message} ${fix}`),
        });
      },
      stop(drainMs) {
        stopping ??= service
          .stop(drainMs)
          .then(() => followed?.stop())
          .then(() => limit.close());
        return stopping;
      },
    },
  };
}
