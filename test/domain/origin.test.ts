import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, logRecord, structuredHeaders, text } from "../../lab/testkit/samples.ts";
import { movedRecord, originOf } from "../../src/domain/origin.ts";
import { topicName, topicNamed, topics } from "../../src/domain/topics.ts";
import type { Header, LogRecord, NewRecord } from "../../src/ports.ts";

const home = { topic: "enrolled", partition: 3, offset: 1042 } as const;
const key = bytes("home");

function stored(record: NewRecord, offset: number): LogRecord {
  return { ...record, offset, timestampMs: 0, leaderEpoch: -1 };
}

test("given a record that never moved, its origin is where it is", () => {
  assert.deepEqual(originOf(logRecord()), home);
});

test("given a record parked and moved again, its origin is where it was first", () => {
  const record = logRecord();
  const parked = movedRecord(record, { topic: "retry", partition: 7, key });
  assert.deepEqual(parked, {
    topic: "retry",
    partition: 7,
    key,
    value: record.value,
    headers: [...structuredHeaders, ["origin", bytes("enrolled/3/1042")]],
  });
  const again = movedRecord(stored(parked, 5), { topic: "retry", partition: 8, key });
  assert.deepEqual(again.headers, parked.headers);
  assert.deepEqual(originOf(stored(again, 9)), home);
});

test("in the enrolled topic a header says nothing: producers write there", () => {
  const forged: Header = ["origin", bytes("enrolled/0/1")];
  const record = logRecord({ headers: [forged] });
  assert.deepEqual(originOf(record), home);
  for (const topic of ["retry", "enrolled"] as const) {
    const moved = movedRecord(record, { topic, partition: 7, key });
    assert.deepEqual(moved.headers, [forged, ["origin", bytes("enrolled/3/1042")]]);
  }
  assert.deepEqual(originOf(stored(movedRecord(record, { topic: "retry", partition: 7, key }), 5)), home);
});

test("a record that was moved to its home partition counts as of there, whichever worker moved it", () => {
  const moved = stored(movedRecord(logRecord(), { topic: "enrolled", partition: 7, key }), 9);
  assert.deepEqual(originOf(moved), { topic: "enrolled", partition: 7, offset: 9 });
  const parked = stored(movedRecord(moved, { topic: "retry", partition: 7, key }), 2);
  assert.deepEqual(originOf(parked), { topic: "enrolled", partition: 7, offset: 9 });
});

const unreadable: readonly (readonly [given: string, value: Uint8Array | null])[] = [
  ["no value", null],
  ["nothing", bytes("")],
  ["another topic", bytes("orders/3/1")],
  ["a member of every object", bytes("constructor/3/1")],
  ["no number", bytes("enrolled/x/1")],
  ["a negative offset", bytes("enrolled/3/-1")],
  ["an offset beyond safe integers", bytes("enrolled/3/9007199254740993")],
  ["more than a position", bytes("enrolled/3/1/2")],
  ["bytes", Uint8Array.of(0xff, 0x00)],
];
for (const [given, value] of unreadable) {
  test(`given an origin header with ${given}, the record's own position counts, and goes with it when it moves`, () => {
    const header: Header = ["origin", value];
    const record = logRecord({ headers: [header] });
    assert.deepEqual(originOf(record), home);
    const moved = movedRecord(record, { topic: "retry", partition: 3, key });
    assert.deepEqual(moved.headers[0], header);
    assert.deepEqual(originOf(stored(moved, 1)), home);
  });
}

test("topic names, with and without a prefix", () => {
  const names = [
    "connector.enrolled",
    "connector.enrolled.retry",
    "connector.registered",
    "connector.enrolled.dlq",
  ];
  assert.deepEqual(
    topics.map((topic) => topicName(topic, "")),
    names,
  );
  assert.equal(topicName("dlq", "test."), "test.connector.enrolled.dlq");
  for (const topic of topics) assert.equal(topicNamed(topicName(topic, "")), topic);
  assert.equal(topicNamed("toString"), null);
});

test("a moved record keeps value and key bytes as they are", () => {
  const value = Uint8Array.of(0xff, 0xfe);
  const moved = movedRecord(logRecord({ value }), { topic: "retry", partition: 0, key });
  assert.equal(moved.value, value);
  assert.equal(text(moved.key), "home");
});
