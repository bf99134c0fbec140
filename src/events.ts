/**
 * For consumers of the topics: what is in connector.registered and in the dead letters, as types and as readers of a record.
 * The package offers it as `connector-registrar/events`; it needs no package and no part of the worker.
 *
 * The definitions are those of schemas/connector.registered.schema.json and schemas/dead-letter.schema.json (a test holds the
 * types to them). What a later version adds is kept and not refused; what is missing is.
 */

/** Value of a record of connector.registered: a CloudEvents event in structured mode. */
export interface RegisteredEvent {
  readonly specversion: "1.0";
  /** The idempotency key, a UUID: the same for each record about the same enrollment. Drop what you have seen. */
  readonly id: string;
  readonly source: "/connector-registrar";
  readonly type: "connector.registered";
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** Entra tenant id, lower case. */
  readonly tenantid: string;
  /** W3C trace context of the enrollment event, when it had one. */
  readonly traceparent?: string;
  readonly data: RegisteredData;
}

export interface RegisteredData {
  /** Id that Graph assigned to the certificateConnectorDetails object. */
  readonly id: string;
  /** These five as Graph returned them. */
  readonly connectorName: string;
  readonly machineName: string;
  readonly enrollmentDateTime: string;
  readonly lastCheckinDateTime: string;
  readonly connectorVersion: string;
  readonly tenantId: string;
  readonly idempotencyKey: string;
  /** recovered: found in Graph after an unknown outcome. */
  readonly outcome: "created" | "recovered";
  /** Create requests sent by the worker that reports. */
  readonly attempts: number;
  readonly graph: {
    /** Graph's request-id, for Microsoft's support. */
    readonly requestId: string | null;
    /** HTTP status of the answer. */
    readonly status: number | null;
    readonly cloud: string;
  };
  /** The enrollment event: its CloudEvents id and source, and where it was first stored. */
  readonly sourceEvent: {
    readonly id: string;
    readonly source: string;
    /** Without the prefix. */
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  };
  /** When the enrollment event was produced, RFC 3339. */
  readonly enrolledAt: string | null;
  readonly registeredAt: string;
}

/** The header `dead-letter` of a record in connector.enrolled.dlq; key, value and other headers are as they were enrolled. */
export interface DeadLetterReason {
  /** Where the record first was, as enrolled/3/1042: the same for each entry about the same record. */
  readonly id: string;
  /** Why, for programs. */
  readonly code: string;
  /** Why, for people. */
  readonly message: string;
  /** JSON pointers into the event that failed. */
  readonly pointers: readonly string[];
  /** Create requests sent for it. */
  readonly attempts: number;
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number };
  /** When it was refused, RFC 3339. */
  readonly time: string;
  readonly requestId: string | null;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  /** `reason`: what is wrong, and where, in one line. */
  | { readonly ok: false; readonly reason: string };

/** Bytes or text, as Kafka clients hand out values and headers; null: a tombstone, or no header. */
export type Input = Uint8Array | string | null | undefined;

/** Reads the value of a record of connector.registered. Never throws. */
export function parseRegistered(value: Input): Parsed<RegisteredEvent> {
  return parse<RegisteredEvent>(value, registered);
}

/** Reads the header `dead-letter` of a record in connector.enrolled.dlq; of several, the last one. Never throws. */
export function parseDeadLetter(header: Input | readonly Input[]): Parsed<DeadLetterReason> {
  return parse<DeadLetterReason>(isList(header) ? header.at(-1) : header, deadLetter);
}

function isList(header: Input | readonly Input[]): header is readonly Input[] {
  return Array.isArray(header);
}

type Shape = { readonly [name: string]: Check | Shape };
/** Null: it is as it should be; else what it should be. */
type Check = (value: unknown) => string | null;

const check =
  (isRight: (value: unknown) => boolean, expected: string): Check =>
  (value) =>
    isRight(value) ? null : expected;
const isText = (value: unknown): boolean => typeof value === "string";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const orNull = (isRight: (value: unknown) => boolean) => (value: unknown) => value === null || isRight(value);

const text = check(isText, "text");
const filled = check((value) => isText(value) && value !== "", "text that is not empty");
const textOrNull = check(orNull(isText), "text or null");
const count = check(isCount, "a whole number from 0");
const one = (...values: readonly string[]) =>
  check((value) => values.includes(value as string), values.join(" or "));
const uuid = check(
  (value) => isText(value) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value as string),
  "a UUID in lower case",
);
const time = check(
  (value) => isText(value) && !Number.isNaN(Date.parse(value as string)),
  "a time (RFC 3339)",
);
const timeOrNull = check((value) => value === null || time(value) === null, "a time (RFC 3339) or null");
const position: Shape = { topic: text, partition: count, offset: count };

const registered: Shape = {
  specversion: one("1.0"),
  id: uuid,
  source: one("/connector-registrar"),
  type: one("connector.registered"),
  time,
  datacontenttype: one("application/json"),
  tenantid: uuid,
  traceparent: check((value) => value === undefined || isText(value), "text"),
  data: {
    id: filled,
    connectorName: text,
    machineName: text,
    enrollmentDateTime: text,
    lastCheckinDateTime: text,
    connectorVersion: text,
    tenantId: uuid,
    idempotencyKey: uuid,
    outcome: one("created", "recovered"),
    attempts: count,
    graph: {
      requestId: textOrNull,
      status: check(orNull(Number.isSafeInteger), "a whole number or null"),
      cloud: text,
    },
    sourceEvent: { id: text, source: text, ...position },
    enrolledAt: timeOrNull,
    registeredAt: time,
  },
};

const deadLetter: Shape = {
  id: text,
  code: filled,
  message: text,
  pointers: check((value) => Array.isArray(value) && value.every(isText), "a list of texts"),
  attempts: count,
  source: position,
  time,
  requestId: textOrNull,
};

function parse<T>(input: Input, shape: Shape): Parsed<T> {
  if (input === null || input === undefined) return { ok: false, reason: "there is no value" };
  let value: unknown;
  try {
    value = JSON.parse(
      typeof input === "string" ? input : new TextDecoder("utf-8", { fatal: true }).decode(input),
    );
  } catch {
    return { ok: false, reason: "it is not JSON in UTF-8" };
  }
  const reason = wrongIn(value, shape, "");
  return reason === null ? { ok: true, value: value as T } : { ok: false, reason };
}

function wrongIn(value: unknown, shape: Shape, pointer: string): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `${pointer || "the value"} is not an object`;
  for (const [name, part] of Object.entries(shape)) {
    const found = (value as Record<string, unknown>)[name];
    const at = `${pointer}/${name}`;
    const reason = typeof part === "function" ? part(found) : wrongIn(found, part, at);
    if (reason !== null) return typeof part === "function" ? `${at} is not ${reason}` : reason;
  }
  return null;
}
