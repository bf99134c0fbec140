/** Batches whose records are compressed, and expand further than they may, or than they look. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { crc32c } from "../../../../src/log/kafka/fetch/crc32c.ts";
import { decodeBatches, encodeBatch } from "../../../../src/log/kafka/fetch/record-batch.ts";

const producer = { id: -1, epoch: -1, sequence: -1 };

/** As the broker does it: gives the batch its place in the log. */
function placed(batch: Buffer, baseOffset: number): Buffer {
  const copy = Buffer.from(batch);
  copy.writeBigInt64BE(BigInt(baseOffset), 0);
  return copy;
}

function withBody(codec: number, body: Buffer): Buffer {
  const record = { key: null, value: Buffer.from("v"), headers: [] };
  const batch = Buffer.concat([encodeBatch([record], 0, producer).subarray(0, 61), body]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt16BE(codec, 21);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

test("of batches that expand very far, those behind the first are left for the next fetch", () => {
  const large = encodeBatch([{ key: null, value: Buffer.alloc(20_000_000), headers: [] }], 0, producer);
  const compressed = withBody(1, gzipSync(large.subarray(61)));
  const three = Buffer.concat([0, 1, 2].map((offset) => placed(compressed, offset)));
  assert.ok(three.length < 131_072);
  const first = decodeBatches(three, 0, []);
  assert.deepEqual([first.nextOffset, first.records.length], [1, 1]);
  const small = withBody(
    1,
    gzipSync(encodeBatch([{ key: null, value: null, headers: [] }], 0, producer).subarray(61)),
  );
  const all = decodeBatches(Buffer.concat([0, 1, 2].map((offset) => placed(small, offset))), 0, []);
  assert.equal(all.nextOffset, 3);
});

test("an unknown compression, and one that expands without measure, say so", () => {
  assert.throws(() => decodeBatches(withBody(6, Buffer.of(1)), 0, []), /codec 6 is not known/);
  // A snappy block that says that it is 2 GiB long.
  const endless = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07]);
  assert.throws(() => decodeBatches(withBody(2, endless), 0, []), /expands without measure/);
});
