import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { uuidV5In } from "../../../src/domain/uuid.ts";
import { createLedger, graphIdOf, remember } from "../../../src/registrar/ledger/ledger.ts";
import { decodeSnapshot, encodeSnapshot } from "../../../src/registrar/ledger/ledger-snapshot.ts";

const keyOf = (n: number) => uuidV5In("6ba7b810-9dad-11d1-80b4-00c04fd430c8")(String(n));

test("a ledger comes back from its bytes with every entry, and continues to grow", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.uuid(), fc.string()), { minLength: 1, maxLength: 200 }), (ids) => {
      const ledger = createLedger();
      ids.forEach((id, n) => {
        remember(ledger, keyOf(n), id);
      });
      ledger.nextOffset = 77;
      ledger.last = { offset: 76, idempotencyKey: keyOf(0) };
      ledger.topicId = ids.length % 2 === 0 ? "id" : null;
      const bytes = encodeSnapshot(ledger, 8);
      // As a file store hands it over: a Buffer, somewhere within a larger one.
      const back = decodeSnapshot(Buffer.concat([Buffer.alloc(20), bytes]).subarray(20), 8);
      assert.ok(back !== null);
      assert.deepEqual(
        [back.size, back.nextOffset, back.last, back.topicId],
        [ids.length, 77, ledger.last, ledger.topicId],
      );
      for (let n = 0; n < 100; n++) remember(back, keyOf(1000 + n), keyOf(n));
      ids.forEach((id, n) => {
        assert.equal(graphIdOf(back, keyOf(n)), id);
      });
      assert.equal(graphIdOf(back, keyOf(1099)), keyOf(99));
    }),
    { numRuns: 50 },
  );
});

test("bytes of another version or length are none", () => {
  const bytes = encodeSnapshot(createLedger(), 8);
  assert.ok(decodeSnapshot(bytes, 8) !== null);
  assert.equal(decodeSnapshot(bytes, 9), null, "made when there were fewer partitions");
  assert.equal(decodeSnapshot(bytes.subarray(0, 4), 8), null);
  assert.equal(decodeSnapshot(bytes.subarray(0, bytes.length - 32), 8), null);
  const cellsAt = bytes.length - createLedger().cells.byteLength;
  for (const left of [0, 1, 8, 16, 48, 96])
    assert.equal(decodeSnapshot(bytes.subarray(0, cellsAt + left), 8), null, `${left}`);
  for (const left of [32, 64, 128])
    assert.equal(decodeSnapshot(bytes.subarray(0, cellsAt + left), 8)?.cells.byteLength, left);
  const withLast = createLedger();
  withLast.last = { offset: 3, idempotencyKey: keyOf(1) };
  assert.equal(decodeSnapshot(encodeSnapshot(withLast, 8), 8), null, "its last entry isn't in it");
  const other = bytes.slice();
  other[0] = 9;
  assert.equal(decodeSnapshot(other, 8), null);
});
