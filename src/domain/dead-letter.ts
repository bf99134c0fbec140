/**
 * A refused record in the dead-letter topic: key, value and headers as they were, byte for byte, and one more header
 * that says why. Its id is where the record first was, so an entry appended twice is recognisably one.
 */
import { hash } from "node:crypto";
import Type from "typebox";
import { Compile } from "typebox/compile";
import type { Position } from "../observer.ts";
import type { LogRecord, NewRecord } from "../ports.ts";
import { isEventHeader } from "./cloud-event.ts";
import { decodeUtf8 } from "./json-value.ts";
import { positionId } from "./origin.ts";
import type { Refusal } from "./refusal.ts";
import { topicName, topicNamed } from "./topics.ts";

export const deadLetterHeader = "dead-letter";
const maxMessageCharacters = 2000;

export const deadLetterReason = Type.Object({
  id: Type.String({
    description: "Where the record first was: the same for each entry about the same record.",
  }),
  code: Type.String({ minLength: 1, description: "Why, for programs: stable." }),
  message: Type.String({ maxLength: maxMessageCharacters, description: "Why, for people." }),
  pointers: Type.Array(Type.String(), { description: "JSON pointers into the event that failed." }),
  attempts: Type.Integer({ minimum: 0, description: "Create requests sent for it." }),
  source: Type.Object(
    { topic: Type.String(), partition: Type.Integer({ minimum: 0 }), offset: Type.Integer({ minimum: 0 }) },
    { description: "Where the record first was; the topic without its prefix." },
  ),
  time: Type.String({ format: "date-time", description: "When it was refused." }),
  requestId: Type.Union([Type.String(), Type.Null()], {
    description: "Graph's request-id of the last answer.",
  }),
});

export interface DeadLetterReason {
  readonly refusal: Refusal;
  readonly attempts: number;
  readonly at: Position;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly requestId: string | null;
}

export interface DeadLetter extends DeadLetterReason {
  /** `enrolled/3/1042`. */
  readonly id: string;
}

const utf8 = new TextEncoder();
const isReason = Compile(deadLetterReason);

export function deadLetterRecord(partition: number, record: LogRecord, reason: DeadLetterReason): NewRecord {
  const { refusal, at } = reason;
  const header = {
    id: positionId(at),
    code: refusal.code,
    message: refusal.message.slice(0, maxMessageCharacters),
    pointers: [...refusal.pointers],
    attempts: reason.attempts,
    source: { topic: topicName(at.topic, ""), partition: at.partition, offset: at.offset },
    time: new Date(reason.timeMs).toISOString(),
    requestId: reason.requestId,
  } satisfies Type.Static<typeof deadLetterReason>;
  const headers = [...record.headers, [deadLetterHeader, utf8.encode(JSON.stringify(header))] as const];
  return { topic: "dlq", partition, key: record.key, value: record.value, headers };
}

/** Why the record is in the dead-letter topic, by its last `dead-letter` header. Null: it has none that can be read. */
export function readDeadLetter(record: LogRecord): DeadLetter | null {
  const header = record.headers.findLast(([name]) => name === deadLetterHeader)?.[1];
  const reason = parse(header ?? null);
  if (!isReason.Check(reason)) return null;
  const { id, code, message, pointers, attempts, source, time, requestId } = reason;
  const topic = topicNamed(source.topic);
  if (topic === null) return null;
  const at = { topic, partition: source.partition, offset: source.offset };
  return { id, refusal: { code, message, pointers }, attempts, at, timeMs: Date.parse(time), requestId };
}

/** Distinguishes an event from any other one in its place: SHA-256 over the value, and over the headers that are part of the event. */
export function eventHash({ value, headers }: Pick<LogRecord, "value" | "headers">): string {
  const ofEvent = headers
    .map(([name, bytes]) => [name.toLowerCase(), bytes] as const)
    .filter(([name]) => isEventHeader(name))
    .map(([name, bytes]) => [name, bytes === null ? null : Buffer.from(bytes).toString("base64")]);
  const ofValue = value === null ? "" : hash("sha256", value, "base64");
  return ofEvent.length === 0 ? ofValue : `${ofValue} ${hash("sha256", JSON.stringify(ofEvent), "base64")}`;
}

function parse(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  try {
    return JSON.parse(decodeUtf8(bytes) ?? "");
  } catch {
    return null;
  }
}
