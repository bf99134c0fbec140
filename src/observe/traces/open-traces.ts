/**
 * Traces, for a process that wants them (wanted.ts). This file and what it imports, OpenTelemetry's packages among it, are loaded
 * only then. What of the SDK is used and what is not: docs/adr/0014-traces.md.
 */

import { randomUUID } from "node:crypto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import type { Observer, Position } from "../../observer.ts";
import type { Clock, Topic } from "../../ports.ts";
import type { RecordTraces, RequestTraces } from "../../trace-port.ts";
import type { MeasuredTraces } from "../traces-metrics.ts";
import { adviceOf } from "./advice.ts";
import { openCollector } from "./collector.ts";
import { schemaUrl } from "./names.ts";
import { createOpenRecords } from "./open-records.ts";
import { createRecordTraces } from "./record-traces.ts";
import { createRequestTraces } from "./request-traces.ts";
import { samplingOf } from "./sampling.ts";
import type { SpanRef } from "./span.ts";
import { requestBytes, resourceBytes, scopeBytes } from "./span-bytes.ts";
import { createSpanQueue, type QueueNote } from "./span-queue.ts";
import { createTracer } from "./tracer.ts";

export interface TracesSettings {
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isKafka: boolean;
  readonly groupId: string;
  readonly clientId: string;
  readonly topicName: (topic: Topic) => string;
  readonly graphUrlOf: (tenantId: string) => string;
}

export interface Traces {
  readonly records: RecordTraces;
  readonly requests: RequestTraces;
  readonly observe: Observer;
  /** Of the span that is open for the record; null: none is. */
  spanOf(at: Position): SpanRef | null;
  counts(): MeasuredTraces;
  /** Where spans are sent to. */
  readonly url: string;
  /** What to type where it can't be sent there. Null: the reason says all that is known. */
  adviceOf(reason: string): string | null;
  /** Settings that were not followed. */
  readonly warning: string | null;
  /** Ends what is open and sends what it can, for so long at the most. */
  close(withinMs: number): Promise<void>;
}

const scopeName = "connector-registrar";
/** Some 500 bytes each. */
const openRecordsMax = 50_000;
const queueDefault = 16_384;
const queueMost = 131_072;

export function openTraces(
  settings: TracesSettings,
  clock: Clock,
  onNote: (note: QueueNote) => void,
): Traces {
  const { environment, version, topicName, clientId } = settings;
  const { isSampled, warning } = samplingOf(environment);
  const collector = openCollector(`${scopeName}/${version}`);
  const frame = {
    resource: resourceBytes(resourceOf(settings)),
    scope: scopeBytes(scopeName, version),
    schemaUrl,
  };
  const whole = (name: string, fallback: number, { least = 1, most }: { least?: number; most: number }) => {
    const given = Number(environment[name]?.trim() || Number.NaN);
    return Number.isInteger(given) && given >= least ? Math.min(given, most) : fallback;
  };
  const queue = createSpanQueue(
    {
      maxSpans: whole("OTEL_BSP_MAX_QUEUE_SIZE", queueDefault, { most: queueMost }),
      batchSpans: whole("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, { most: queueMost }),
      delayMs: whole("OTEL_BSP_SCHEDULE_DELAY", 5_000, { most: 600_000 }),
    },
    clock,
    { send: (spans, signal) => collector.send(requestBytes(spans, frame), signal), onNote },
  );
  const open = createOpenRecords(openRecordsMax);
  const tracer = createTracer(queue, isSampled, spanTime(clock));
  const messagingSystem = settings.isKafka ? "kafka" : "embedded";
  const records = createRecordTraces({ ...settings, messagingSystem }, tracer, open);
  const enrolledTopic = topicName("enrolled");
  return {
    records,
    requests: createRequestTraces({ messagingSystem, clientId, enrolledTopic }, tracer),
    observe: records.observe,
    spanOf: (at) => open.find(at)?.process ?? null,
    counts: () => ({
      openRecords: open.size(),
      waitingSpans: queue.waiting(),
      exportedSpans: queue.exported(),
      droppedSpans: queue.dropped(),
      droppedRecords: open.refused(),
    }),
    url: collector.url,
    adviceOf: (reason) => adviceOf(collector.url, reason),
    warning,
    async close(withinMs) {
      records.end();
      await queue.close(withinMs);
      collector.close();
    },
  };
}

/** OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME go first. */
function resourceOf({ version }: TracesSettings): Record<string, string | number> {
  const { "service.name": _, ...sdk } = defaultResource().attributes;
  const given = detectResources({ detectors: [envDetector] }).attributes;
  const ours = { "service.name": scopeName, "service.version": version, "service.instance.id": randomUUID() };
  const plain: Record<string, string | number> = {};
  for (const [name, value] of Object.entries({ ...sdk, ...ours, ...given }))
    if (typeof value === "string" || typeof value === "number") plain[name] = value;
  return plain;
}

/** Wall time that does not run backwards within a span, and follows the clock when it is set right. */
function spanTime(clock: Pick<Clock, "nowMs" | "wallMs">): () => number {
  let offsetMs = clock.wallMs() - clock.nowMs();
  let checkedMs = 0;
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs - checkedMs > 1_000) {
      checkedMs = nowMs;
      const behindMs = clock.wallMs() - (nowMs + offsetMs);
      if (Math.abs(behindMs) > 50) offsetMs += behindMs;
    }
    return nowMs + offsetMs;
  };
}
