/** What the index keeps of a registered record. Pure; never throws, whatever the bytes. */
import Type from "typebox";
import { Compile } from "typebox/compile";
import { decodeUtf8 } from "../domain/json-value.ts";
import { topicNamed } from "../domain/topics.ts";
import { isUuid } from "../domain/uuid.ts";
import type { Position } from "../observer.ts";
import type { LogRecord } from "../ports.ts";

export interface RegisteredFacts {
  readonly key: string;
  readonly tenantId: string;
  /** As Graph returned them. */
  readonly machineName: string;
  readonly connectorName: string;
  readonly enrollmentDateTime: string;
  readonly graphId: string;
  readonly requestId: string | null;
  readonly status: number | null;
  readonly outcome: "created" | "recovered";
  readonly attempts: number;
  readonly eventId: string;
  readonly source: string;
  readonly event: Position;
  readonly enrolledAtMs: number | null;
  readonly registeredAtMs: number;
}

export type RegisteredRead =
  | { readonly kind: "registered"; readonly facts: RegisteredFacts }
  /** The record of this key was removed. */
  | { readonly kind: "tombstone"; readonly key: string }
  | { readonly kind: "unreadable" };

const text = Type.String();
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const hasFacts = Compile(
  Type.Object({
    id: text,
    type: Type.Literal("connector.registered"),
    data: Type.Object({
      id: Type.String({ minLength: 1 }),
      tenantId: text,
      machineName: text,
      connectorName: text,
      enrollmentDateTime: text,
      outcome: Type.Union([Type.Literal("created"), Type.Literal("recovered")]),
      attempts: whole,
      graph: Type.Object({
        requestId: Type.Union([text, Type.Null()]),
        status: Type.Union([whole, Type.Null()]),
      }),
      sourceEvent: Type.Object({ id: text, source: text, topic: text, partition: whole, offset: whole }),
      enrolledAt: Type.Union([text, Type.Null()]),
      registeredAt: text,
    }),
  }),
);
const unreadable: RegisteredRead = { kind: "unreadable" };

export function readFacts({ key: keyBytes, value }: Pick<LogRecord, "key" | "value">): RegisteredRead {
  const key = keyBytes === null ? null : decodeUtf8(keyBytes);
  if (key === null || !isUuid(key) || key !== key.toLowerCase()) return unreadable;
  if (value === null) return { kind: "tombstone", key };
  const event = parse(value);
  if (!hasFacts.Check(event) || event.id !== key) return unreadable;
  const { data } = event;
  const topic = topicNamed(data.sourceEvent.topic);
  const registeredAtMs = Date.parse(data.registeredAt);
  if (topic === null || !isTime(registeredAtMs)) return unreadable;
  const enrolledAtMs = data.enrolledAt === null ? null : Date.parse(data.enrolledAt);
  const { partition, offset } = data.sourceEvent;
  return {
    kind: "registered",
    facts: {
      key,
      tenantId: data.tenantId.toLowerCase(),
      machineName: data.machineName,
      connectorName: data.connectorName,
      enrollmentDateTime: data.enrollmentDateTime,
      graphId: data.id,
      requestId: data.graph.requestId,
      status: data.graph.status,
      outcome: data.outcome,
      attempts: data.attempts,
      eventId: data.sourceEvent.id,
      source: data.sourceEvent.source,
      event: { topic, partition, offset },
      enrolledAtMs: enrolledAtMs !== null && isTime(enrolledAtMs) ? enrolledAtMs : null,
      registeredAtMs,
    },
  };
}

/** Cursors and columns hold times since 1970. */
function isTime(ms: number): boolean {
  return ms >= 0;
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(value) ?? "");
  } catch {
    return null;
  }
}
