import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DamageError } from "../../../src/log/embedded/errors.ts";
import { decodeHeaders, encodeHeaders, recordChecksum } from "../../../src/log/embedded/record-bytes.ts";

const bytes = fc.uint8Array({ maxLength: 40 });
const headers = fc.array(
  fc.tuple(fc.string({ unit: "grapheme", maxLength: 10 }), fc.option(bytes, { nil: null })),
  { maxLength: 6 },
);

test("headers come back as they were", () => {
  fc.assert(
    fc.property(headers, (list) => {
      const back = decodeHeaders(encodeHeaders(list)).map(([name, value]) => [
        name,
        value === null ? null : Uint8Array.from(value),
      ]);
      assert.deepEqual(back, list);
    }),
  );
});

test("headers that end early are damage", () => {
  const encoded = encodeHeaders([["name", Buffer.from("value")]]);
  for (let length = 1; length < encoded.length; length += 1) {
    assert.throws(() => decodeHeaders(encoded.subarray(0, length)), DamageError);
  }
});

test("a checksum covers the place and each part, and where one part ends", () => {
  const a = Buffer.from("a");
  const ab = Buffer.from("ab");
  const b = Buffer.from("b");
  const none = new Uint8Array(0);
  const place = { topic: "enrolled", partition: 0, offset: 1, timestampMs: 2 } as const;
  const parts = { key: a, value: b, headers: none };
  const sums = [
    recordChecksum(place, parts),
    recordChecksum({ ...place, topic: "retry" }, parts),
    recordChecksum({ ...place, partition: 1 }, parts),
    recordChecksum({ ...place, offset: 2 }, parts),
    recordChecksum({ ...place, timestampMs: 3 }, parts),
    recordChecksum(place, { ...parts, key: ab, value: none }),
    recordChecksum(place, { ...parts, key: ab, value: null }),
    recordChecksum(place, { ...parts, key: none, value: ab }),
    recordChecksum(place, { ...parts, key: null, value: ab }),
    recordChecksum(place, { key: a, value: none, headers: b }),
  ];
  assert.equal(new Set(sums).size, sums.length);
});
