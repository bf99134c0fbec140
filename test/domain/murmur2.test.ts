import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Partitioners } from "kafkajs";
import { bytes } from "../../lab/testkit/samples.ts";
import { homePartition, murmur2 } from "../../src/domain/murmur2.ts";

/** The vectors of Kafka's own UtilsTest. */
const vectors: readonly (readonly [text: string, hash: number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];
for (const [text, hash] of vectors) {
  test(`murmur2 of ${text}`, () => assert.equal(murmur2(bytes(text)), hash));
}

test("a negative hash keeps its low 31 bits: Kafka's toPositive, not the absolute value", () => {
  assert.equal(homePartition("21", 10), (-973932308 & 0x7fffffff) % 10);
  assert.notEqual(homePartition("21", 10), 973932308 % 10);
});

test("chooses the partition that kafkajs's Java-compatible partitioner chooses for the key", () => {
  const partitioner = Partitioners.DefaultPartitioner();
  const metadata = (count: number) =>
    Array.from({ length: count }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 0,
      replicas: [0],
      isr: [0],
    }));
  fc.assert(
    fc.property(
      fc.oneof(fc.uuid(), fc.string({ unit: "binary" })),
      fc.integer({ min: 1, max: 64 }),
      (key, count) => {
        fc.pre(key.isWellFormed());
        const message = { key, value: null };
        const expected = partitioner({ topic: "t", partitionMetadata: metadata(count), message });
        assert.equal(homePartition(key, count), expected);
      },
    ),
    { numRuns: 2_000 },
  );
});
