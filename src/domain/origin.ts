/**
 * A record that the worker moved to the retry topic carries where it was before, so that whatever is said about it later
 * names the same place, wherever it is moved from there.
 *
 * 1. Only the retry topic is believed: only workers write there. What producers write into headers of connector.enrolled
 *    says nothing, so a record's origin there is its own position. A record that was moved there, to its tenant's home
 *    partition, carries the header for people.
 * 2. Of several such headers the last counts: it is the worker's, whatever the producer wrote before it.
 */
import type { Position } from "../observer.ts";
import type { Header, LogRecord, NewRecord } from "../ports.ts";
import { topics } from "./topics.ts";

const headerName = "origin";
const shape = /^([a-z]{1,16})\/(\d{1,10})\/(\d{1,16})$/;
const utf8 = new TextEncoder();

/** Where the record was read as an input of its own. */
export function originOf(record: LogRecord): Position {
  const { topic, partition, offset } = record;
  return carriedOrigin(record) ?? { topic, partition, offset };
}

/** The same record for another place: value and headers kept, and `origin` added unless it has one that counts. */
export function movedRecord(
  record: LogRecord,
  { topic, partition, key }: Pick<NewRecord, "topic" | "partition" | "key">,
): NewRecord {
  const origin: Header = [headerName, utf8.encode(positionId(record))];
  const headers = carriedOrigin(record) === null ? [...record.headers, origin] : record.headers;
  return { topic, partition, key, value: record.value, headers };
}

/** `enrolled/3/1042`: one text for each position. */
export function positionId(at: Position): string {
  return `${at.topic}/${at.partition}/${at.offset}`;
}

function carriedOrigin({ topic, headers }: LogRecord): Position | null {
  if (topic !== "retry") return null; // 1
  for (let at = headers.length - 1; at >= 0; at--) {
    const [name, value] = headers[at]!; // 2
    if (name !== headerName || value === null) continue;
    const origin = readPositionId(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1"),
    );
    if (origin !== null) return origin;
  }
  return null;
}

function readPositionId(text: string): Position | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const topic = topics.find((candidate) => candidate === match[1]);
  const partition = Number(match[2]);
  const offset = Number(match[3]);
  if (topic === undefined || !Number.isSafeInteger(offset)) return null;
  return { topic, partition, offset };
}
