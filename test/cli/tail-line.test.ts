import assert from "node:assert/strict";
import { test } from "node:test";
import { enrollmentRecord } from "../../src/cli/samples/enrollment-event.ts";
import { sampleEnrollment } from "../../src/cli/samples/enrollments.ts";
import { seededRandom } from "../../src/cli/samples/random.ts";
import { recordLine } from "../../src/cli/tail-line.ts";
import { deadLetterRecord } from "../../src/domain/dead-letter.ts";
import { registeredRecord } from "../../src/domain/registered.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";

const tenantId = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const event = sampleEnrollment(0, [tenantId], seededRandom(1));
const at = { topic: "enrolled", partition: 3, offset: 7 } as const;
const stored = (record: NewRecord): LogRecord => ({
  ...record,
  offset: 7,
  timestampMs: Date.UTC(2026, 0, 1),
  leaderEpoch: -1,
});
const wide = 200;
const registeredAs = (id: string) =>
  registeredRecord(3, {
    enrollment: { tenantId, details: event.data, event: { id: "e", source: "s", traceparent: null } },
    idempotencyKey: "0f8fad5b-d9cb-569f-a165-70867728950e",
    object: { id, ...event.data },
    outcome: "created",
    attempts: 1,
    graph: { requestId: null, status: 201, cloud: "global" },
    source: at,
    enrolledAt: 0,
    registeredAt: 1,
  });
const enrolled = stored(enrollmentRecord(event, "structured", 8));

test("an enrollment: tenant, machine, connector, when", () => {
  assert.match(
    recordLine(enrolled, wide),
    /^2026-01-01T00:00:00\.000Z {2}enrolled\/\d@7 {2}5f0c1d2e\S+ {2}PKI-0000 \/ Certificate Connector 00000, enrolled 2024-/,
  );
});

test("a registered record: with the id that Graph assigned", () => {
  const record = registeredAs("graph-id");
  assert.match(
    recordLine(stored(record), wide),
    /PKI-0000 \/ Certificate Connector 00000 -> graph-id \(created\)$/,
  );
});

test("a dead letter: where it was, code, pointers, message; control characters don't reach the terminal", () => {
  const refusal = { code: "property-empty", message: "bell \u0007", pointers: ["/data/machineName"] };
  const record = deadLetterRecord(3, enrolled, { refusal, attempts: 0, at, timeMs: 0, requestId: null });
  assert.match(
    recordLine(stored(record), wide),
    /enrolled\/3\/7 {2}property-empty at \/data\/machineName: bell ·$/,
  );
});

test("what can't be read is said to be so", () => {
  const foreign = { ...enrolled, value: Buffer.from("{"), headers: [] };
  assert.match(recordLine(foreign, wide), /not an enrollment: value-not-json$/);
  assert.match(recordLine({ ...foreign, topic: "registered" }, wide), /not a registered event$/);
  assert.match(recordLine({ ...foreign, topic: "dlq" }, wide), /not a dead letter$/);
});

test("on 80 columns a line is as long at the most, whatever the record: short ids, and the names cut last", () => {
  const registered = registeredAs("0f8fad5b-d9cb-569f-a165-70867728950e");
  const refusal = { code: "property-empty", message: "long ".repeat(30), pointers: ["/data/machineName"] };
  const letter = deadLetterRecord(3, enrolled, { refusal, attempts: 0, at, timeMs: 0, requestId: null });
  const lines = [enrolled, stored(registered), stored(letter)].map((record) => recordLine(record, 80));
  for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  assert.equal(lines[0]!, "01-01 00:00:00  6@7  5f0c1d2e  PKI-0000 / Certificate Connector 00000");
  assert.match(lines[1]!, /^01-01 00:00:00 {2}3@7 {2}5f0c1d2e -> 0f8fad5b {2}created {2}PKI-0000 \/ Cert/);
  assert.match(lines[2]!, /^01-01 00:00:00 {2}3@7 {2}enrolled\/3\/7 {2}property-empty at .*\u2026$/);
});

test("a timestamp in microseconds is shown as the time that it is, nonsense as unknown", () => {
  assert.match(
    recordLine({ ...enrolled, timestampMs: enrolled.timestampMs * 1_000 }, wide),
    /^2026-01-01T00:00:00\.000Z /,
  );
  assert.match(recordLine({ ...enrolled, timestampMs: 10 ** 16 }, wide), /^time unknown {2,}enrolled/);
});
