/**
 * A record's trace: `process` from when it was read to when it is settled, below it each request to Graph and each append.
 *
 * 1. The trace begins here. It is linked to the context of the event, as the messaging conventions recommend, and that of a
 *    parked record to the append that parked it too.
 * 2. A record that is not sampled, or is beyond the limit, has no entry: then nothing else is done for it.
 * 3. A request for several records is one span below the first of them; those of the others link to it.
 */
import { readTraceparent, traceparentHeader, traceparentOf } from "../../domain/traceparent.ts";
import type { Observer, Position } from "../../observer.ts";
import type { LogRecord, Topic } from "../../ports.ts";
import type { RecordTraces, TracedEnrollment } from "../../trace-port.ts";
import { createGraphSpans } from "./graph-spans.ts";
import { conventional as names, own } from "./names.ts";
import type { OpenRecords, TracedRecord } from "./open-records.ts";
import { type AttributeValue, eventsMax, type Key, type Span, type SpanRef, spanKinds } from "./span.ts";
import { fixedAttributes } from "./span-bytes.ts";
import type { Tracer } from "./tracer.ts";

export interface RecordTracesSettings {
  readonly messagingSystem: string;
  readonly groupId: string;
  readonly clientId: string;
  readonly topicName: (topic: Topic) => string;
  /** Where the tenant's Graph is. */
  readonly graphUrlOf: (tenantId: string) => string;
}

const outcomes: Readonly<Record<Topic, string>> = {
  registered: "registered",
  dlq: "dead-lettered",
  retry: "parked",
  enrolled: "moved",
};

export function createRecordTraces(
  settings: RecordTracesSettings,
  tracer: Tracer,
  open: OpenRecords,
): RecordTraces & { readonly observe: Observer; end(): void } {
  const destinations = destinationsOf(settings);
  const asked = createGraphSpans(settings, tracer, open);
  return {
    taken,
    asked,
    sending(at, { to, partition, refusal }) {
      const record = open.find(at);
      if (record === undefined) return null;
      const { name, sends } = destinations[to];
      const attributes: Span["attributes"] = [[names.destinationPartition, String(partition)]];
      const span = tracer.child(record.process, { name, kind: spanKinds.producer, fixed: sends, attributes });
      if (refusal !== null)
        record.process.attributes.push([own.deadLetterCode, refusal], [names.errorType, refusal]);
      record.process.hasFailed ||= refusal !== null;
      record.sending = span;
      record.outcome = outcomes[to];
      return traceparentOf(span);
    },
    sent(at) {
      const record = open.find(at);
      if (record === undefined || record.sending === null) return;
      tracer.end(record.sending);
      record.sending = null;
    },
    settled(at) {
      const record = open.find(at);
      if (record === undefined) return;
      open.remove(at);
      end(record, record.outcome ?? "known");
    },
    end() {
      for (const record of open.takeAll()) end(record, "interrupted");
    },
    observe(event) {
      if (event.kind === "partition-lost")
        for (const record of open.takePartition(event.partition)) end(record, "lost");
      if (event.kind === "record-duplicate") note(event.at, "duplicate", []);
      if (event.kind === "attempt-failed") {
        const { at, verdict, detail, retryInMs } = event;
        note(at, "attempt failed", [
          [own.verdict, verdict],
          [own.detail, detail],
          [own.retryInMs, Math.ceil(retryInMs)],
        ]);
      }
    },
  };

  function taken(record: LogRecord, enrollment: TracedEnrollment | null): void {
    const { topic, partition, offset } = record;
    const { processName, processes } = destinations[topic];
    const attributes: Span["attributes"] = [
      [names.destinationPartition, String(partition)],
      [names.offset, offset],
    ];
    if (enrollment !== null) {
      attributes.push([names.eventId, enrollment.eventId], [own.tenantId, enrollment.tenantId]);
      attributes.push([own.idempotencyKey, enrollment.idempotencyKey]);
    }
    const links = linksOf(record, enrollment?.traceparent ?? null); // 1
    const span = tracer.root({
      name: processName,
      kind: spanKinds.consumer,
      fixed: processes,
      attributes,
      links,
    });
    if (span !== null) open.add(record, { process: span, sending: null, outcome: null }); // 2
  }

  function end({ process, sending }: TracedRecord, outcome: string): void {
    if (sending !== null) tracer.end(sending);
    process.attributes.push([own.outcome, outcome]);
    tracer.end(process);
  }

  function note(at: Position, name: string, attributes: readonly (readonly [Key, AttributeValue])[]): void {
    const events = open.find(at)?.process.events;
    if (events !== undefined && events.length < eventsMax)
      events.push({ name, atMs: tracer.nowMs(), attributes });
  }
}

/** Of the event, and of the last append of its record: that is another one where a traced worker parked it. */
function linksOf({ headers }: LogRecord, traceparent: string | null): SpanRef[] {
  const last = headers.findLast(([name]) => name === traceparentHeader)?.[1];
  const hop = last == null ? null : Buffer.from(last).toString("latin1");
  const contexts = [traceparent, hop === traceparent ? null : hop].map(readTraceparent);
  return contexts.filter((context) => context !== null);
}

function destinationsOf({ messagingSystem, groupId, clientId, topicName }: RecordTracesSettings) {
  const fixed = (topic: Topic, operation: string, more: (readonly [Key, AttributeValue])[]) =>
    fixedAttributes([
      [names.messagingSystem, messagingSystem],
      [names.operationName, operation],
      [names.operationType, operation],
      [names.destination, topicName(topic)],
      [names.clientId, clientId],
      ...more,
    ]);
  const destination = (topic: Topic) => ({
    name: `send ${topicName(topic)}`,
    sends: fixed(topic, "send", []),
    processName: `process ${topicName(topic)}`,
    processes: fixed(topic, "process", [[names.consumerGroup, groupId]]),
  });
  return {
    enrolled: destination("enrolled"),
    retry: destination("retry"),
    registered: destination("registered"),
    dlq: destination("dlq"),
  };
}
