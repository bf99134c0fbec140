/** A row as the enrollment that it stands for. */
import type { Enrollment, RefusedDetails, RegisteredDetails } from "./enrollment-index.ts";
import type { LetterRow } from "./letters.ts";
import { type Row, states } from "./rows.ts";
import type { Store } from "./store.ts";
import { keyText, topicOf, unpack } from "./values.ts";

const names = ["waiting", "registered", "refused"] as const;

export function toEnrollment({ letters, texts }: Store, row: Row): Enrollment {
  const letter = row.letter === null ? null : letters.byNumber(row.letter);
  const key = row.key === null ? null : keyText(row.key);
  const text = (number: number | null) => (number === null ? null : texts.textOf(number));
  return {
    id: key ?? letter?.id ?? "",
    key,
    tenantId: text(row.tenant),
    machineName: row.machine,
    connectorName: row.connector,
    enrollmentDateTime: row.enrolled,
    eventId: row.event_id === null ? null : unpack(row.event_id),
    source: text(row.source),
    state: names[row.state] ?? "waiting",
    atMs: row.at_ms,
    position: row.state === states.refused && letter !== null ? letterAt(letter) : eventAt(row),
    enrolledAtMs: row.event_ms,
    waiting: row.state === states.waiting ? { position: placeOf(row) } : null,
    registered: row.graph === null || key === null ? null : registeredOf(row, key),
    refused: letter === null ? null : refusedOf(letter, texts.textOf(letter.code)),
  };
}

function registeredOf(row: Row, key: string): RegisteredDetails {
  const { graph, request, status, recovered, attempts, registered_partition, registered_offset } = row;
  return {
    graphId: graph === 0 || graph === null ? key : unpack(graph),
    requestId: request === null ? null : unpack(request),
    status,
    outcome: recovered === 1 ? "recovered" : "created",
    attempts: attempts ?? 0,
    atMs: row.at_ms,
    position: { topic: "registered", partition: registered_partition ?? 0, offset: registered_offset ?? 0 },
  };
}

function refusedOf(letter: LetterRow, code: string): RefusedDetails {
  const { id, message, pointers, attempts, request, at_ms, replayed, partition, offset } = letter;
  return {
    id,
    code,
    message,
    pointers: pointers === null ? [] : (JSON.parse(pointers) as string[]),
    attempts,
    requestId: request === null ? null : unpack(request),
    atMs: at_ms,
    replayed: replayed === 1,
    position: { topic: "dlq", partition, offset },
  };
}

function letterAt({ at_topic, at_partition, at_offset }: LetterRow): Enrollment["position"] {
  return { topic: topicOf(at_topic), partition: at_partition, offset: at_offset };
}

function eventAt({ event_topic, event_partition, event_offset }: Row): Enrollment["position"] {
  if (event_topic === null) return null;
  return { topic: topicOf(event_topic), partition: event_partition ?? 0, offset: event_offset ?? 0 };
}

function placeOf({ place_topic, place_partition, place_offset }: Row) {
  return { topic: topicOf(place_topic ?? 0), partition: place_partition ?? 0, offset: place_offset ?? 0 };
}
