import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../../../../src/log/kafka/cluster/bytes.ts";
import { crc32c } from "../../../../src/log/kafka/fetch/crc32c.ts";
import {
  BatchError,
  decodeBatches,
  encodeBatch,
  type RecordBody,
  recordBytes,
} from "../../../../src/log/kafka/fetch/record-batch.ts";
import type { Header } from "../../../../src/ports.ts";

const producer = { id: -1, epoch: -1, sequence: -1 };
const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });
const bodies = fc.array(
  fc.record({
    key: bytes,
    value: bytes,
    headers: fc.array(fc.tuple(fc.string({ unit: "binary" }), bytes), { maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 20 },
);

function plain({ key, value, headers }: RecordBody) {
  const own = (part: Uint8Array | null) => (part === null ? null : [...part]);
  return { key: own(key), value: own(value), headers: headers.map(([name, part]) => [name, own(part)]) };
}

function assertSame(decoded: readonly RecordBody[], records: readonly RecordBody[]): void {
  assert.deepEqual(decoded.map(plain), records.map(plain));
}

/** As the broker does it: gives the batch its place in the log. */
function placed(batch: Buffer, baseOffset: number): Buffer {
  const copy = Buffer.from(batch);
  copy.writeBigInt64BE(BigInt(baseOffset), 0);
  return copy;
}

test("what is encoded is decoded, in place, order and time", () => {
  fc.assert(
    fc.property(bodies, fc.integer({ min: 0, max: 2 ** 52 }), (records, baseOffset) => {
      const encoded = placed(encodeBatch(records, 1_700_000_000_123, producer), baseOffset);
      assert.ok(encoded.length <= 61 + records.reduce((sum, record) => sum + recordBytes(record), 0));
      const decoded = decodeBatches(encoded, baseOffset, []);
      assertSame(decoded.records, records);
      assert.equal(decoded.nextOffset, baseOffset + records.length);
      decoded.records.forEach((record, index) => {
        assert.equal(record.offset, baseOffset + index);
        assert.equal(record.timestampMs, 1_700_000_000_123);
      });
    }),
  );
});

test("records of every length class are decoded: where one byte more is needed to tell a length or a place", () => {
  for (const length of [0, 63, 64, 127, 128, 8_191, 8_192, 70_000]) {
    const part = new Uint8Array(length).fill(7);
    const headers: Header[] = [["n".repeat(length % 9_000), part]];
    const records = [{ key: part, value: part, headers }];
    assertSame(decodeBatches(placed(encodeBatch(records, 0, producer), 5), 5, []).records, records);
  }
  const many = Array.from({ length: 8_200 }, () => ({ key: null, value: null, headers: [] }));
  assert.equal(decodeBatches(placed(encodeBatch(many, 0, producer), 5), 5, []).records.length, many.length);
});

test("checksums are CRC-32C, whatever the length", () => {
  // The check value of the Catalogue of parametrised CRC algorithms.
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(0)), 0);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
      let crc = 0xffffffff;
      for (const byte of data) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
      }
      assert.equal(crc32c(data), (crc ^ -1) >>> 0);
    }),
  );
});

test("integers survive", () => {
  const safe = fc.maxSafeInteger();
  fc.assert(
    fc.property(safe, fc.integer(), (large, small) => {
      const writer = new ByteWriter(1)
        .int64(large)
        .varint(small)
        .varint(Math.trunc(large / 2))
        .int32(small);
      const reader = new ByteReader(writer.bytes);
      assert.equal(reader.int64(), large);
      assert.equal(reader.varint(), small);
      assert.equal(reader.varint() + 0, Math.trunc(large / 2) + 0);
      assert.equal(reader.int32(), small);
    }),
  );
});

const javaBatches: Record<string, string> = JSON.parse(
  readFileSync(join(import.meta.dirname, "java-batches.json"), "utf8"),
);

for (const [codec, base64] of Object.entries(javaBatches)) {
  test(`batches that Java's producer wrote with compression.type=${codec} are read`, () => {
    const { records, nextOffset } = decodeBatches(Buffer.from(base64, "base64"), 0, []);
    assert.equal(nextOffset, 40);
    assert.equal(records.length, 40);
    records.forEach((record, index) => {
      const headers: Header[] = [
        ["b", Buffer.from("1")],
        ["a", null],
        ["b", Buffer.of()],
      ];
      assert.equal(record.offset, index);
      assert.equal(record.timestampMs, 1_700_000_000_000 + index);
      const value = index === 7 ? null : Buffer.from(`value ${index} ${"abcdefgh".repeat(index)}`);
      const key = index === 3 ? null : Buffer.from(`key${index}`);
      assertSame([record], [{ key, value, headers: index % 10 === 0 ? headers : [] }]);
    });
    assert.equal(decodeBatches(Buffer.from(base64, "base64"), 30, []).records[0]!.offset, 30);
  });
}

test("a batch that is cut short waits for the next fetch; one that is damaged is an error", () => {
  const record = { key: null, value: Buffer.from("v"), headers: [] };
  const first = encodeBatch([record, record], 0, producer);
  const second = placed(encodeBatch([record], 0, producer), 2);
  const both = Buffer.concat([first, second]);
  for (let end = first.length; end < both.length; end += 1) {
    assert.equal(decodeBatches(both.subarray(0, end), 0, []).nextOffset, 2);
  }
  assert.equal(decodeBatches(both, 0, []).nextOffset, 3);
  for (let at = 21; at < first.length; at += 1) {
    const damaged = Buffer.from(first);
    damaged[at]! ^= 1;
    assert.throws(() => decodeBatches(damaged, 0, []), BatchError);
  }
});

test("a batch that can't be read is left for the next fetch; what stands before it is handed over", () => {
  const record = { key: null, value: Buffer.from("v"), headers: [] };
  const good = encodeBatch([record, record], 0, producer);
  const damaged = placed(encodeBatch([record, record, record], 0, producer), 2);
  damaged[damaged.length - 1]! ^= 1;
  const decoded = decodeBatches(Buffer.concat([good, damaged]), 0, []);
  assert.equal(decoded.records.length, 2);
  assert.equal(decoded.nextOffset, 2);
  assert.throws(
    () => decodeBatches(damaged, 2, []),
    (error) => error instanceof BatchError && error.offset === 2 && error.nextOffset === 5,
  );
});

/** A message of format 0 or 1, as brokers stored them before Kafka 0.11. */
function oldMessage(magic: number, offset: number): Buffer {
  const message = new ByteWriter().int64(offset).int32(0).uint32(0).int8(magic).int8(0);
  if (magic === 1) message.int64(0);
  message.int32(-1).int32(1).int8(7);
  const { bytes } = message;
  bytes.writeInt32BE(bytes.length - 12, 8);
  return Buffer.from(bytes);
}

for (const magic of [0, 1]) {
  test(`a message of format ${magic}, shorter than any batch, is an error, not an end`, () => {
    assert.throws(
      () => decodeBatches(oldMessage(magic, 41), 41, []),
      (error) =>
        error instanceof BatchError &&
        error.offset === 41 &&
        error.nextOffset === 42 &&
        error.message.includes(`format ${magic}`),
    );
  });
}

test("a record that is longer or shorter than its parts is an error, whatever its batch's checksum says", () => {
  const good = encodeBatch([{ key: null, value: Buffer.from("v"), headers: [] }], 0, producer);
  for (const more of [1, -1]) {
    const bad = Buffer.concat([good, Buffer.alloc(1)]);
    bad.writeInt32BE(bad.length - 12, 8);
    bad[61]! += 2 * more;
    bad.writeUInt32BE(crc32c(bad.subarray(21)), 17);
    assert.throws(() => decodeBatches(bad, 0, []), BatchError);
  }
});

test("no bytes make the decoder hang or fail otherwise than by an error", () => {
  const good = Buffer.from(javaBatches.snappy!, "base64");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (changes) => {
        const damaged = Buffer.from(good);
        for (const [at, value] of changes) damaged[at] = value;
        // A right checksum over wrong content: what reaches the codec and the record reader.
        const size = 12 + damaged.readInt32BE(8);
        if (size > 61 && size <= damaged.length) {
          damaged.writeUInt32BE(crc32c(damaged.subarray(21, size)), 17);
        }
        try {
          decodeBatches(damaged, 0, []);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

function transactional(batch: Buffer, baseOffset: number, control: boolean): Buffer {
  const copy = placed(batch, baseOffset);
  copy.writeInt16BE(16 | (control ? 32 : 0), 21);
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17);
  return copy;
}

test("records of aborted transactions and control records are left out, and still move the position", () => {
  const body = (text: string) => ({ key: null, value: Buffer.from(text), headers: [] });
  const of = (id: number, text: string) => encodeBatch([body(text)], 0, { id, epoch: 0, sequence: 0 });
  const marker = (id: number, commit: boolean) =>
    encodeBatch([{ key: Buffer.from([0, 0, 0, commit ? 1 : 0]), value: null, headers: [] }], 0, {
      id,
      epoch: 0,
      sequence: -1,
    });
  const log = Buffer.concat([
    transactional(of(1, "aborted"), 0, false),
    transactional(of(2, "committed"), 1, false),
    transactional(marker(1, false), 2, true),
    transactional(of(1, "after"), 3, false),
    transactional(marker(2, true), 4, true),
    transactional(marker(1, true), 5, true),
  ]);
  const decoded = decodeBatches(log, 0, [{ producerId: 1, firstOffset: 0 }]);
  assert.deepEqual(
    decoded.records.map((record) => String(record.value)),
    ["committed", "after"],
  );
  assert.equal(decoded.nextOffset, 6);
});

test("an empty batch, as compaction leaves it, moves the position", () => {
  const emptied = encodeBatch([{ key: null, value: null, headers: [] }], 0, producer).subarray(0, 61);
  const copy = placed(emptied, 9);
  copy.writeInt32BE(copy.length - 12, 8);
  copy.writeInt32BE(4, 23);
  copy.writeInt32BE(0, 57);
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17);
  assert.deepEqual(decodeBatches(copy, 9, []), { records: [], nextOffset: 14, lastEpoch: -1 });
});

test("records have the leader epoch of their batch; the last batch's is kept separately", () => {
  const one = { key: null, value: Buffer.of(1), headers: [] };
  const batchOf = (baseOffset: number, leaderEpoch: number) => {
    const batch = placed(encodeBatch([one], 0, producer), baseOffset);
    batch.writeInt32BE(leaderEpoch, 12);
    return batch;
  };
  const decoded = decodeBatches(Buffer.concat([batchOf(3, 7), batchOf(4, 9)]), 3, []);
  assert.deepEqual(
    decoded.records.map(({ leaderEpoch }) => leaderEpoch),
    [7, 9],
  );
  assert.equal(decoded.lastEpoch, 9);
});
