import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes } from "../../lab/testkit/samples.ts";
import { readRegistered } from "../../src/domain/registered-properties.ts";
import type { LogRecord } from "../../src/ports.ts";

const key = "8433970d-25fe-5fcd-8c17-c8d176446bf1";
const identifying = { machineName: "M", connectorName: "C", enrollmentDateTime: "2026-01-01T00:00:00Z" };
const data = {
  id: "Graph-Id",
  tenantId: "5F0C1D2E-3A4B-4C5D-8E6F-708192A3B4C5",
  ...identifying,
  sourceEvent: { topic: "connector.enrolled.retry", partition: 3, offset: 7 },
};

function record(changes: object, recordKey = key): LogRecord {
  const value = bytes(
    JSON.stringify({ id: key, type: "connector.registered", data: { ...data, ...changes } }),
  );
  const place = { topic: "registered", partition: 0, offset: 0, timestampMs: 0, leaderEpoch: -1 } as const;
  return { ...place, key: bytes(recordKey), value, headers: [] };
}

test("the identifying properties, the tenant in lower case, and where the enrollment was first stored", () => {
  assert.deepEqual(readRegistered(record({})), {
    idempotencyKey: key,
    tenantId: data.tenantId.toLowerCase(),
    graphId: "Graph-Id",
    registered: identifying,
    source: { topic: "retry", partition: 3, offset: 7 },
  });
});

for (const [what, changes] of [
  ["without a property that identifies", { machineName: undefined }],
  ["without its source", { sourceEvent: undefined }],
  ["from a topic that there is not", { sourceEvent: { ...data.sourceEvent, topic: "connector.other" } }],
  ["from an offset that is none", { sourceEvent: { ...data.sourceEvent, offset: -1 } }],
] as const)
  test(`${what}: nothing`, () => assert.equal(readRegistered(record(changes)), null));

test("not one of ours: nothing", () => {
  assert.equal(readRegistered(record({}, "another key")), null);
  assert.equal(readRegistered({ ...record({}), value: null }), null);
});
