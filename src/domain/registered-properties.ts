/** Of a registered record: the properties that identify, and where the enrollment was first stored. Pure. */
import Type from "typebox";
import { Compile } from "typebox/compile";
import type { Position } from "../observer.ts";
import type { LogRecord } from "../ports.ts";
import { decodeUtf8 } from "./json-value.ts";
import { readLedgerEntry } from "./registered.ts";
import type { Identifying } from "./same-enrollment.ts";
import { topicNamed } from "./topics.ts";

export interface RegisteredProperties {
  readonly idempotencyKey: string;
  /** Lower case. */
  readonly tenantId: string;
  readonly graphId: string;
  /** As Graph returned it. */
  readonly registered: Identifying;
  readonly source: Position;
}

const whole = Type.Integer({ minimum: 0 });
const isComplete = Compile(
  Type.Object({
    data: Type.Object({
      tenantId: Type.String(),
      machineName: Type.String(),
      connectorName: Type.String(),
      enrollmentDateTime: Type.String(),
      sourceEvent: Type.Object({ topic: Type.String(), partition: whole, offset: whole }),
    }),
  }),
);

/** Null: not one of ours, or without these. */
export function readRegistered(record: LogRecord): RegisteredProperties | null {
  const entry = readLedgerEntry(record);
  if (entry === null) return null;
  const event: unknown = JSON.parse(decodeUtf8(record.value!)!);
  if (!isComplete.Check(event)) return null;
  const { tenantId, machineName, connectorName, enrollmentDateTime, sourceEvent } = event.data;
  const topic = topicNamed(sourceEvent.topic);
  if (topic === null) return null;
  const { partition, offset } = sourceEvent;
  return {
    idempotencyKey: entry.idempotencyKey,
    tenantId: tenantId.toLowerCase(),
    graphId: entry.graphId,
    registered: { machineName, connectorName, enrollmentDateTime },
    source: { topic, partition, offset },
  };
}
