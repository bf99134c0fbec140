/**
 * A record that the worker moved (to its tenant's home partition, or to the retry topic) carries where it first was,
 * so that whatever is said about it later names the same place. The first place wins: moving again changes nothing.
 */
import type { Header, LogRecord, NewRecord, Position, Topic } from "../ports.ts";
import { topics } from "./topics.ts";

const headerName = "origin";
const shape = /^([a-z]{1,16})\/(\d{1,10})\/(\d{1,16})$/;
const utf8 = new TextEncoder();

/** Where the record was first stored: what its `origin` header says, or its own position without a readable one. */
export function originOf(record: LogRecord): Position {
  const { topic, partition, offset } = record;
  return readOrigin(record.headers) ?? { topic, partition, offset };
}

/** The same record for another place: value and headers kept, and `origin` added unless it has one. */
export function movedRecord(record: LogRecord, topic: Topic, partition: number, key: Uint8Array): NewRecord {
  const origin: Header = [headerName, utf8.encode(positionId(record))];
  const headers = readOrigin(record.headers) === null ? [...record.headers, origin] : record.headers;
  return { topic, partition, key, value: record.value, headers };
}

/** `enrolled/3/1042`: one text for each position. */
export function positionId(at: Position): string {
  return `${at.topic}/${at.partition}/${at.offset}`;
}

function readOrigin(headers: readonly Header[]): Position | null {
  for (const header of headers) {
    const value = header[1];
    if (header[0] !== headerName || value === null) continue;
    const at = readPositionId(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1"),
    );
    if (at !== null) return at;
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
