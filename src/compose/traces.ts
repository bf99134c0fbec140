/** Traces, where OpenTelemetry's environment variables ask for them; nothing of them is loaded otherwise. */
import type { Settings } from "../config/table.ts";
import { topicName } from "../domain/topics.ts";
import { graphAddresses } from "../graph/clouds.ts";
import type { Traces } from "../observe/traces/open-traces.ts";
import { tracesWanted } from "../observe/traces/wanted.ts";
import type { Clock } from "../ports.ts";
import type { Tenants } from "./tenants.ts";

export type { Traces };

/** What the log needs of a logger. */
export interface TracesLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface TracesSurroundings {
  readonly version: string;
  readonly clock: Clock;
  readonly log: TracesLog;
  /** Which cloud a tenant is in: its Graph is named in spans. */
  readonly served: Tenants["served"];
}

/** Null: they are not wanted, or not as they are set, which is a warning. */
export async function openWantedTraces(
  settings: Settings,
  surroundings: TracesSurroundings,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Traces | null> {
  const { version, clock, log, served } = surroundings;
  const { wanted, problem } = tracesWanted(environment);
  if (problem !== null)
    log.warn({ code: problem.code, fix: problem.fix }, `${problem.message} ${problem.fix}`);
  if (!wanted) return null;
  const { openTraces } = await import("../observe/traces/open-traces.ts");
  const graphUrlOf = (tenantId: string) =>
    graphAddresses({
      cloud: served.cloudOf(tenantId) as Settings["graphCloud"],
      baseUrl: settings.graphBaseUrl,
      authorityHost: null,
    }).graph;
  const traces: Traces = openTraces(
    {
      ...{ version, environment, graphUrlOf },
      isKafka: settings.kafkaBrokers !== null,
      groupId: settings.kafkaGroupId,
      clientId: settings.kafkaClientId,
      topicName: (topic) => topicName(topic, settings.kafkaTopicPrefix),
    },
    clock,
    (note) => {
      const { url } = traces;
      if (note.kind === "failing") {
        const fix = traces.adviceOf(note.reason) ?? "";
        log.warn(
          { event: "traces-failing", url, reason: note.reason, ...(fix === "" ? {} : { fix }) },
          `traces can't be sent to ${url}: ${note.reason}; what waits too long is dropped, and the work continues. ${fix}`.trimEnd(),
        );
      } else
        log.info(
          { event: "traces-sent-again", url, dropped: note.dropped },
          `traces are sent to ${url} again`,
        );
    },
  );
  if (traces.warning !== null) log.warn({ code: "traces-settings" }, traces.warning);
  log.info({ url: traces.url }, "traces are on");
  return traces;
}
