/**
 * The `connector.registered` event: the audit trail for others, and the ledger that answers "was it done?" for us.
 *
 * Its CloudEvents id and its record key are the idempotency key, so the topic compacts to one record each and
 * consumers can drop what they have seen.
 */
import Type from "typebox";
import { Compile } from "typebox/compile";
import type { GraphObject } from "../graph-port.ts";
import type { Position } from "../observer.ts";
import type { LogRecord, NewRecord } from "../ports.ts";
import { contentTypeHeader, structuredContentType } from "./cloud-event.ts";
import type { Enrollment } from "./enrollment.ts";
import { decodeUtf8 } from "./json-value.ts";
import { recordTimeMs } from "./record-time.ts";
import { topicName } from "./topics.ts";

export const registeredType = "connector.registered";
/** CloudEvents source of all our events; a URI reference. */
const registrarSource = "/connector-registrar";

const uuid = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
const text = (description: string) => Type.String({ description });
const time = (description: string) => Type.String({ format: "date-time", description });

const graphProperty = (name: string) => text(`${name} as Graph returned it.`);

const registeredData = Type.Object({
  id: Type.String({
    minLength: 1,
    description: "Id that Graph assigned to the certificateConnectorDetails object.",
  }),
  connectorName: graphProperty("connectorName"),
  machineName: graphProperty("machineName"),
  enrollmentDateTime: graphProperty("enrollmentDateTime"),
  lastCheckinDateTime: graphProperty("lastCheckinDateTime"),
  connectorVersion: graphProperty("connectorVersion"),
  tenantId: Type.String({ pattern: uuid, description: "Entra tenant id, lower case." }),
  idempotencyKey: Type.String({
    pattern: uuid,
    description: "The same for each record about the same enrollment.",
  }),
  outcome: Type.Union([Type.Literal("created"), Type.Literal("recovered")], {
    description: "created: by the request reported here. recovered: found in Graph after an unknown outcome.",
  }),
  attempts: Type.Integer({ minimum: 0, description: "Create requests sent by the worker that reports." }),
  graph: Type.Object({
    requestId: Type.Union([Type.String(), Type.Null()], { description: "Graph's request-id, for support." }),
    status: Type.Union([Type.Integer(), Type.Null()], { description: "HTTP status of the answer." }),
    cloud: text("National cloud that was called."),
  }),
  sourceEvent: Type.Object({
    id: text("CloudEvents id of the enrollment event."),
    source: text("CloudEvents source of the enrollment event."),
    topic: text("Topic where it was first stored, without the prefix."),
    partition: Type.Integer({ minimum: 0 }),
    offset: Type.Integer({ minimum: 0 }),
  }),
  enrolledAt: Type.Union([time("When the enrollment event was produced."), Type.Null()]),
  registeredAt: time("When this record was made."),
});

export const registeredEvent = Type.Object({
  specversion: Type.Literal("1.0"),
  id: Type.String({ pattern: uuid, description: "The idempotency key." }),
  source: Type.Literal(registrarSource),
  type: Type.Literal(registeredType),
  time: time("As data.registeredAt."),
  datacontenttype: Type.Literal("application/json"),
  tenantid: Type.String({ pattern: uuid, description: "As data.tenantId." }),
  traceparent: Type.Optional(
    text(
      "W3C trace context: of the append of this record, where workers are traced; else of the enrollment event.",
    ),
  ),
  data: registeredData,
});

export interface Registration {
  /** That the record carries on; null or none: that of the enrollment event. */
  readonly traceparent?: string | null;
  readonly enrollment: Enrollment;
  readonly idempotencyKey: string;
  readonly object: GraphObject;
  readonly outcome: "created" | "recovered";
  readonly attempts: number;
  readonly graph: {
    readonly requestId: string | null;
    readonly status: number | null;
    readonly cloud: string;
  };
  readonly source: Position;
  /** The record's timestamp, as it came. */
  readonly enrolledAt: number;
  /** Wall clock, milliseconds since 1970. */
  readonly registeredAt: number;
}

const utf8 = new TextEncoder();
const isLedgerRecord = Compile(
  Type.Object({
    id: Type.String({ pattern: uuid }),
    type: Type.Literal(registeredType),
    data: Type.Object({ id: Type.String({ minLength: 1 }) }),
  }),
);

const headers: NewRecord["headers"] = [[contentTypeHeader, utf8.encode(structuredContentType)]];

/** The record for one registration; `partition` is that of the enrollment's input. */
export function registeredRecord(partition: number, registration: Registration): NewRecord {
  const { enrollment, idempotencyKey } = registration;
  const traceparent = registration.traceparent ?? enrollment.event.traceparent;
  const registeredAt = registeredAtText(registration.registeredAt);
  const event = {
    specversion: "1.0",
    id: idempotencyKey,
    source: registrarSource,
    type: registeredType,
    time: registeredAt,
    datacontenttype: "application/json",
    tenantid: enrollment.tenantId,
    traceparent: traceparent ?? undefined,
    data: dataOf(registration, registeredAt),
  } satisfies Type.Static<typeof registeredEvent>;
  const value = Buffer.from(JSON.stringify(event));
  return { topic: "registered", partition, key: Buffer.from(idempotencyKey), value, headers };
}

function dataOf(registration: Registration, registeredAt: string): Type.Static<typeof registeredData> {
  const { enrollment, object, source } = registration;
  const enrolledMs = recordTimeMs(registration.enrolledAt);
  return {
    id: object.id,
    connectorName: object.connectorName,
    machineName: object.machineName,
    enrollmentDateTime: object.enrollmentDateTime,
    lastCheckinDateTime: object.lastCheckinDateTime,
    connectorVersion: object.connectorVersion,
    tenantId: enrollment.tenantId,
    idempotencyKey: registration.idempotencyKey,
    outcome: registration.outcome,
    attempts: registration.attempts,
    graph: registration.graph,
    sourceEvent: {
      id: enrollment.event.id,
      source: enrollment.event.source,
      topic: topicName(source.topic, ""),
      partition: source.partition,
      offset: source.offset,
    },
    enrolledAt: enrolledMs === null ? null : enrolledAtText(enrolledMs),
    registeredAt,
  };
}

/** Remembers the last: the records of a batch share their times, and to write one takes longer than most of a record. */
function isoTimes(): (ms: number) => string {
  let lastMs = Number.NaN;
  let text = "";
  return (ms) => {
    if (ms === lastMs) return text;
    lastMs = ms;
    text = new Date(ms).toISOString();
    return text;
  };
}

const registeredAtText = isoTimes();
const enrolledAtText = isoTimes();

export interface LedgerEntry {
  readonly idempotencyKey: string;
  readonly graphId: string;
  /** Null: it names none that could be read. */
  readonly tenantId: string | null;
  /** Not null: all earlier records of its partition that belong elsewhere are in their home too, for this number of partitions. */
  readonly movedFor: number | null;
}

/** What the ledger remembers of a registered record. Null: not one of ours (a tombstone, foreign): callers report it. */
export function readLedgerEntry(record: LogRecord): LedgerEntry | null {
  if (record.key === null || record.value === null) return null;
  const key = decodeUtf8(record.key);
  const event = parse(record.value);
  if (!isLedgerRecord.Check(event) || event.id !== key) return null;
  const { tenantid: tenantId } = event as { tenantid?: unknown };
  return {
    idempotencyKey: key,
    graphId: event.data.id,
    tenantId: typeof tenantId === "string" ? tenantId : null,
    movedFor: movedFor(record),
  };
}

const movedHeader = "moved-for-partitions";

/**
 * The same record, to be appended once more to its partition: it says that all earlier records that belong elsewhere, for this
 * number of partitions, are there too. To other readers it is a registered record that comes twice.
 */
export function movedMarker(record: LogRecord, partitionCount: number): NewRecord {
  const { topic, partition, key, value } = record;
  const headers = record.headers.filter(([name]) => name !== movedHeader);
  return {
    topic,
    partition,
    key,
    value,
    headers: [...headers, [movedHeader, utf8.encode(String(partitionCount))]],
  };
}

/** The same record for its home partition. */
export function movedEntry(record: LogRecord, partition: number): NewRecord {
  const { topic, key, value } = record;
  return { topic, partition, key, value, headers: record.headers.filter(([name]) => name !== movedHeader) };
}

function movedFor({ headers: given }: LogRecord): number | null {
  for (const [name, value] of given) {
    if (name !== movedHeader || value === null) continue;
    const count = Number(decodeUtf8(value));
    return Number.isSafeInteger(count) && count > 0 ? count : null;
  }
  return null;
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(value) ?? "");
  } catch {
    return null;
  }
}
