import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { uuidV5In } from "../../src/domain/uuid.ts";
import { createLedger, graphIdOf, isRegistered, remember } from "../../src/registrar/ledger.ts";

const namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const keyOf = (n: number) => uuidV5In(namespace)(String(n));

test("it answers like a Map, whatever is put in, and the first id of a key stays", () => {
  const id = fc.oneof(
    fc.uuid(),
    fc.string(),
    fc.constant("00000000-0000-0000-0000-000000000000"),
    fc.uuid().map((u) => u.toUpperCase()),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), id), { maxLength: 600 }), (puts) => {
      const ledger = createLedger();
      const model = new Map<string, string>();
      for (const [n, id] of puts) {
        const key = keyOf(n);
        const graphId = id ?? key; // Null: Graph took our id.
        remember(ledger, key, graphId);
        if (!model.has(key)) model.set(key, graphId);
      }
      for (let n = 0; n <= 300; n++) {
        assert.equal(graphIdOf(ledger, keyOf(n)), model.get(keyOf(n)) ?? null);
        assert.equal(isRegistered(ledger, keyOf(n)), model.has(keyOf(n)));
      }
      assert.equal(ledger.size, model.size);
    }),
    { numRuns: 50 },
  );
});

test("a hundred thousand entries take at most 120 bytes each", () => {
  const ledger = createLedger();
  for (let n = 0; n < 100_000; n++) remember(ledger, keyOf(n), keyOf(-n - 1));
  assert.equal(ledger.size, 100_000);
  assert.ok(ledger.slots.byteLength / ledger.size <= 120);
  assert.equal(graphIdOf(ledger, keyOf(77_777)), keyOf(-77_778));
});
