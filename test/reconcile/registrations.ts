/** Objects of Graph, and the records of connector.registered that name them. */
import assert from "node:assert/strict";
import { documentedDetails, json, sampleEvent, tenantId } from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";
import { identify } from "../../src/domain/identity.ts";
import { registeredRecord } from "../../src/domain/registered.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import type { LogRecord } from "../../src/ports.ts";

export function object(id: string, changes: Partial<GraphObject> = {}): GraphObject {
  return { id, ...documentedDetails, ...changes };
}

/** As the worker writes it, with Graph having answered `registered`. */
export function record(registered: GraphObject): LogRecord {
  const { id: _, ...details } = registered;
  const decoded = decode({ value: json({ ...sampleEvent, data: details }), headers: [] }, () => true);
  assert.ok(decoded.ok);
  const made = registeredRecord(0, {
    enrollment: decoded.enrollment,
    idempotencyKey: identify(tenantId, details)!.idempotencyKey,
    object: registered,
    outcome: "created",
    attempts: 1,
    graph: { requestId: null, status: 201, cloud: "global" },
    source: { topic: "enrolled", partition: 0, offset: 0 },
    enrolledAt: 0,
    registeredAt: 0,
  });
  return { ...made, offset: 0, timestampMs: 0, leaderEpoch: -1 };
}
