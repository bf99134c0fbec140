/** What records say, as columns of a row. */
import { decode } from "../domain/decode.ts";
import type { Enrollment as Decoded } from "../domain/enrollment.ts";
import { identify } from "../domain/identity.ts";
import type { LogRecord } from "../ports.ts";
import type { LetterRow } from "./letters.ts";
import type { RegisteredFacts } from "./registered-facts.ts";
import { emptyRow, type NewRow, states } from "./rows.ts";
import type { Seen } from "./state.ts";
import type { Texts } from "./texts.ts";
import { keyBytes, machineHash, nameHash, pack, topicNumber, topicOf } from "./values.ts";

/** Also for the first load, which inserts without a look. */
export function registeredColumns(
  texts: Texts,
  facts: RegisteredFacts,
  { partition, offset }: LogRecord,
): NewRow {
  return {
    ...emptyRow,
    key: keyBytes(facts.key),
    ...nameColumns(texts, facts),
    event_id: pack(facts.eventId),
    source: texts.numberOf(facts.source),
    state: states.registered,
    at_ms: facts.registeredAtMs,
    graph: facts.graphId === facts.key ? 0 : pack(facts.graphId),
    request: facts.requestId === null ? null : pack(facts.requestId),
    status: facts.status,
    recovered: facts.outcome === "recovered" ? 1 : 0,
    attempts: facts.attempts,
    registered_partition: partition,
    registered_offset: offset,
    ...eventColumns({ at: facts.event, atMs: facts.enrolledAtMs ?? 0 }),
  };
}

/** Whether the registered record of `a` comes before that of `b`. */
export function isEarlier(a: NewRow, b: NewRow): boolean {
  if (a.at_ms !== b.at_ms) return a.at_ms < b.at_ms;
  if (a.registered_partition !== b.registered_partition)
    return a.registered_partition! < b.registered_partition!;
  return a.registered_offset! < b.registered_offset!;
}

export interface Content {
  readonly key: string;
  readonly enrollment: Decoded;
}

export function contentOf(record: LogRecord): Content | null {
  const decoded = decode(record, () => true);
  if (!decoded.ok) return null;
  const { enrollment } = decoded;
  const identity = identify(enrollment.tenantId, enrollment.details);
  return identity === null ? null : { key: identity.idempotencyKey, enrollment };
}

export function contentColumns(texts: Texts, { key, enrollment }: Content): Partial<NewRow> {
  return { key: keyBytes(key), ...eventNames(texts, enrollment) };
}

export function eventNames(texts: Texts, { tenantId, details, event }: Decoded): Partial<NewRow> {
  const names = nameColumns(texts, { tenantId, ...details });
  return { ...names, event_id: pack(event.id), source: texts.numberOf(event.source) };
}

function nameColumns(
  texts: Texts,
  of: Pick<RegisteredFacts, "tenantId" | "machineName" | "connectorName" | "enrollmentDateTime">,
): Partial<NewRow> {
  return {
    tenant: texts.numberOf(of.tenantId),
    machine: of.machineName,
    connector: of.connectorName,
    enrolled: of.enrollmentDateTime,
    machine_hash: machineHash(of.machineName),
    connector_hash: nameHash(of.connectorName),
  };
}

export function eventColumns({ at, atMs }: Seen): Partial<NewRow> {
  return {
    event_topic: topicNumber(at.topic),
    event_partition: at.partition,
    event_offset: at.offset,
    event_ms: atMs === 0 ? null : atMs,
  };
}

export const notRegistered = {
  ...{ graph: null, request: null, status: null, recovered: null, attempts: null },
  ...{ registered_partition: null, registered_offset: null },
};

export const noPlace = { place_topic: null, place_partition: null, place_offset: null };

export function placeColumns({ topic, partition, offset }: LogRecord): Partial<NewRow> {
  return { place_topic: topicNumber(topic), place_partition: partition, place_offset: offset };
}

export function eventSeen(row: NewRow): Seen | null {
  const { event_topic, event_partition, event_offset, event_ms } = row;
  if (event_topic === null) return null;
  const at = { topic: topicOf(event_topic), partition: event_partition!, offset: event_offset! };
  return { at, atMs: event_ms ?? 0 };
}

export function letterSeen({ at_topic, at_partition, at_offset, at_ms }: LetterRow): Seen {
  return { at: { topic: topicOf(at_topic), partition: at_partition, offset: at_offset }, atMs: at_ms };
}
