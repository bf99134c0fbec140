import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, logRecord, text } from "../../lab/testkit/samples.ts";
import { deadLetterRecord, readDeadLetter } from "../../src/domain/dead-letter.ts";
import { decode } from "../../src/domain/decode.ts";
import type { Header, LogRecord, NewRecord } from "../../src/ports.ts";

const reason = {
  refusal: {
    code: "property-empty",
    message: "/data/machineName is empty.",
    pointers: ["/data/machineName"],
  },
  attempts: 2,
  at: { topic: "enrolled", partition: 3, offset: 1042 },
  timeMs: Date.UTC(2017, 0, 1, 8),
  requestId: "b7ad6b71-6920-3331-0af7-651916cd43dd",
} as const;

function stored(record: NewRecord): LogRecord {
  return { ...record, offset: 0, timestampMs: 0, leaderEpoch: -1 };
}

test("key, value and headers are kept byte for byte and in order, and one header says why", () => {
  const headers: Header[] = [
    ["a", Uint8Array.of(0xff)],
    ["b", null],
    ["a", bytes("again")],
  ];
  const record = logRecord({ key: Uint8Array.of(0), value: Uint8Array.of(0xff, 0xfe), headers });
  const { topic, partition, key, value, headers: kept } = deadLetterRecord(5, record, reason);
  assert.deepEqual([topic, partition], ["dlq", 5]);
  assert.equal(key, record.key);
  assert.equal(value, record.value);
  assert.deepEqual(kept.slice(0, 3), headers);
  assert.equal(kept.length, 4);
  assert.equal(kept[3]?.[0], "dead-letter");
  assert.deepEqual(JSON.parse(text(kept[3]?.[1])), {
    id: "enrolled/3/1042",
    code: "property-empty",
    message: "/data/machineName is empty.",
    pointers: ["/data/machineName"],
    attempts: 2,
    source: { topic: "connector.enrolled", partition: 3, offset: 1042 },
    time: "2017-01-01T08:00:00.000Z",
    requestId: "b7ad6b71-6920-3331-0af7-651916cd43dd",
  });
});

test("given a tombstone without a key, it is kept as one", () => {
  const { key, value } = deadLetterRecord(0, logRecord({ key: null, value: null }), reason);
  assert.deepEqual([key, value], [null, null]);
});

test("what was written is read back, with the same id whenever it was written", () => {
  const first = readDeadLetter(stored(deadLetterRecord(5, logRecord(), reason)));
  assert.deepEqual(first, { id: "enrolled/3/1042", ...reason });
  const again = readDeadLetter(
    stored(deadLetterRecord(5, logRecord(), { ...reason, timeMs: 5, attempts: 9 })),
  );
  assert.equal(again?.id, first?.id);
});

test("given a record refused before, the last reason counts and the earlier is kept", () => {
  const once = stored(deadLetterRecord(5, logRecord(), reason));
  const twice = deadLetterRecord(5, once, { ...reason, refusal: { ...reason.refusal, code: "other" } });
  assert.equal(twice.headers.filter(([name]) => name === "dead-letter").length, 2);
  assert.equal(readDeadLetter(stored(twice))?.refusal.code, "other");
});

test("a message is cut at 2,000 characters", () => {
  const refusal = { ...reason.refusal, message: "m".repeat(5_000) };
  const record = stored(deadLetterRecord(5, logRecord(), { ...reason, refusal }));
  assert.equal(readDeadLetter(record)?.refusal.message.length, 2_000);
});

const good = JSON.parse(text(deadLetterRecord(5, logRecord(), reason).headers.at(-1)?.[1]));
const unreadable: readonly (readonly [given: string, value: Uint8Array | null])[] = [
  ["no value", null],
  ["no UTF-8", Uint8Array.of(0xff)],
  ["no JSON", bytes("{")],
  ["null", bytes("null")],
  ["no code", bytes(JSON.stringify({ ...good, code: undefined }))],
  ["pointers that are not a list", bytes(JSON.stringify({ ...good, pointers: "/data" }))],
  [
    "a topic that is none of ours",
    bytes(JSON.stringify({ ...good, source: { ...good.source, topic: "x" } })),
  ],
  ["a time that is none", bytes(JSON.stringify({ ...good, time: "soon" }))],
];
for (const [given, value] of unreadable) {
  test(`given a dead-letter header with ${given}, there is no reason to be read`, () => {
    assert.equal(readDeadLetter(logRecord({ headers: [["dead-letter", value]] })), null);
  });
}

test("given no dead-letter header, there is no reason to be read", () => {
  assert.equal(readDeadLetter(logRecord()), null);
});

test("given a refused record, the same bytes are refused for the same reason once they come back", () => {
  const record = logRecord({ value: bytes('{"specversion":"1.0"}') });
  const decoded = decode(record, () => true);
  assert.equal(decoded.ok, false);
  if (decoded.ok) return;
  const dead = stored(deadLetterRecord(5, record, { ...reason, refusal: decoded.refusal }));
  assert.deepEqual(readDeadLetter(dead)?.refusal, decoded.refusal);
  assert.deepEqual(
    decode(dead, () => true),
    decoded,
  );
});
