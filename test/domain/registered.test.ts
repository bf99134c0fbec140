import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bytes,
  documentedDetails,
  json,
  logRecord,
  sampleEvent,
  tenantId,
  text,
  traceparent,
} from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";
import { identify } from "../../src/domain/identity.ts";
import {
  movedEntry,
  movedMarker,
  type Registration,
  readLedgerEntry,
  registeredRecord,
} from "../../src/domain/registered.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";

const graphId = "104d7361-7361-104d-6173-4d1061734d10";

/** The registration that follows from an event, with Graph answering what it was sent. */
function registrationOf(event: object, changes: Partial<Registration> = {}): Registration {
  const decoded = decode({ value: json(event), headers: [] }, () => true);
  assert.ok(decoded.ok);
  const { enrollment } = decoded;
  const identity = identify(enrollment.tenantId, enrollment.details);
  assert.ok(identity);
  return {
    enrollment,
    idempotencyKey: identity.idempotencyKey,
    object: { id: graphId, ...enrollment.details },
    outcome: "created",
    attempts: 1,
    graph: { requestId: "b7ad6b71-6920-3331-0af7-651916cd43dd", status: 201, cloud: "global" },
    source: { topic: "enrolled", partition: 3, offset: 1042 },
    enrolledAt: Date.UTC(2017, 0, 1, 8),
    registeredAt: Date.UTC(2017, 0, 1, 8, 0, 1),
    ...changes,
  };
}

function stored(record: NewRecord): LogRecord {
  return { ...record, offset: 0, timestampMs: 0, leaderEpoch: -1 };
}

const eventOf = (record: NewRecord) => JSON.parse(text(record.value));

test("the documented example goes through to the last digit, as a structured CloudEvent keyed by its id", () => {
  const registration = registrationOf(sampleEvent);
  const { idempotencyKey } = registration;
  const record = registeredRecord(3, registration);
  assert.deepEqual([record.topic, record.partition, text(record.key)], ["registered", 3, idempotencyKey]);
  assert.deepEqual(record.headers, [["content-type", bytes("application/cloudevents+json")]]);
  assert.deepEqual(eventOf(record), {
    specversion: "1.0",
    id: idempotencyKey,
    source: "/connector-registrar",
    type: "connector.registered",
    time: "2017-01-01T08:00:01.000Z",
    datacontenttype: "application/json",
    tenantid: tenantId,
    data: {
      id: graphId,
      ...documentedDetails,
      tenantId,
      idempotencyKey,
      outcome: "created",
      attempts: 1,
      graph: { requestId: "b7ad6b71-6920-3331-0af7-651916cd43dd", status: 201, cloud: "global" },
      sourceEvent: {
        id: "event-1",
        source: "/installers/17",
        topic: "connector.enrolled",
        partition: 3,
        offset: 1042,
      },
      enrolledAt: "2017-01-01T08:00:00.000Z",
      registeredAt: "2017-01-01T08:00:01.000Z",
    },
  });
});

test("any date-time with an offset comes out as the characters it came in", () => {
  const digits = fc.stringMatching(/^\d{7}$/);
  fc.assert(
    fc.property(
      digits,
      digits,
      fc.constantFrom("Z", "-08:00", "+05:45", "-00:00"),
      (first, second, offset) => {
        const details = {
          ...documentedDetails,
          enrollmentDateTime: `2016-12-31T23:57:59.${first}${offset}`,
          lastCheckinDateTime: `2017-01-01T00:02:46.${second}${offset}`,
        };
        const { data } = eventOf(registeredRecord(0, registrationOf({ ...sampleEvent, data: details })));
        assert.deepEqual({ ...data, ...details }, data);
      },
    ),
  );
});

test("the properties are those that Graph returned, and Graph's own members stay out", () => {
  const object = { id: graphId, ...documentedDetails, machineName: "OTHER", "@odata.etag": "x" };
  const { data } = eventOf(registeredRecord(0, registrationOf(sampleEvent, { object })));
  assert.equal(data.machineName, "OTHER");
  assert.equal("@odata.etag" in data, false);
});

test("a trace context is passed on, and absent where there was none", () => {
  assert.equal(
    eventOf(registeredRecord(0, registrationOf({ ...sampleEvent, traceparent }))).traceparent,
    traceparent,
  );
  assert.equal("traceparent" in eventOf(registeredRecord(0, registrationOf(sampleEvent))), false);
  const later = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
  const traced = registrationOf({ ...sampleEvent, traceparent }, { traceparent: later });
  assert.equal(eventOf(registeredRecord(0, traced)).traceparent, later);
});

for (const enrolledAt of [-1, Number.NaN, 2 ** 63, 253_402_300_800_000]) {
  test(`given a record timestamp of ${enrolledAt}, it is unknown when the enrollment was produced`, () => {
    assert.equal(
      eventOf(registeredRecord(0, registrationOf(sampleEvent, { enrolledAt }))).data.enrolledAt,
      null,
    );
  });
}

test("the ledger reads back what was written", () => {
  const registration = registrationOf(sampleEvent);
  assert.deepEqual(readLedgerEntry(stored(registeredRecord(3, registration))), {
    idempotencyKey: registration.idempotencyKey,
    graphId,
    tenantId,
    movedFor: null,
  });
});

test("a moved record is the same one elsewhere; its marker is the same one again, and says for how many partitions", () => {
  const record = stored(registeredRecord(3, registrationOf(sampleEvent)));
  const moved = movedEntry(record, 7);
  assert.deepEqual(moved, { ...registeredRecord(7, registrationOf(sampleEvent)), key: record.key });
  const marker = stored(movedMarker(record, 9));
  assert.deepEqual([marker.partition, marker.key, marker.value], [3, record.key, record.value]);
  assert.deepEqual(readLedgerEntry(marker), { ...readLedgerEntry(record), movedFor: 9 });
  assert.equal(readLedgerEntry(stored(movedMarker(marker, 12)))?.movedFor, 12);
  assert.deepEqual(movedEntry(marker, 7), moved);
});

test("a marker that names no number of partitions says nothing", () => {
  const record = stored(registeredRecord(3, registrationOf(sampleEvent)));
  for (const value of [
    null,
    bytes(""),
    bytes("0"),
    bytes("-1"),
    bytes("1.5"),
    bytes("x"),
    Uint8Array.of(0xff),
  ]) {
    const headers = [...record.headers, ["moved-for-partitions", value] as const];
    assert.equal(readLedgerEntry({ ...record, headers })?.movedFor, null);
  }
});

test("a tenant that can't be read is none", () => {
  const record = stored(registeredRecord(3, registrationOf(sampleEvent)));
  const value = json({ ...eventOf(record), tenantid: 5 });
  assert.equal(readLedgerEntry({ ...record, value })?.tenantId, null);
});

const ours = stored(registeredRecord(3, registrationOf(sampleEvent)));
const event = eventOf(ours);
const foreign: readonly (readonly [given: string, changes: Partial<LogRecord>])[] = [
  ["a tombstone", { value: null }],
  ["no key", { key: null }],
  ["another key", { key: bytes(graphId) }],
  ["a key that is not UTF-8", { key: Uint8Array.of(0xff) }],
  ["a value that is not UTF-8", { value: Uint8Array.of(0xff) }],
  ["a value that is not JSON", { value: bytes("{") }],
  ["null", { value: bytes("null") }],
  ["another type", { value: json({ ...event, type: "connector.enrolled" }) }],
  ["no data", { value: json({ ...event, data: undefined }) }],
  ["no Graph id", { value: json({ ...event, data: { ...event.data, id: "" } }) }],
  ["a Graph id that is a number", { value: json({ ...event, data: { ...event.data, id: 5 } }) }],
  ["an id that is not a UUID", { key: bytes("x"), value: json({ ...event, id: "x" }) }],
  ["an enrollment", { value: logRecord().value }],
];
for (const [given, changes] of foreign) {
  test(`given ${given}, it is not a ledger entry`, () => {
    assert.equal(readLedgerEntry({ ...ours, ...changes }), null);
  });
}
