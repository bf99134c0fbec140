import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keyOf as keyOfEvent, registeredBefore } from "../../../lab/testkit/enrollments.ts";
import { uuidV5In } from "../../../src/domain/uuid.ts";
import {
  absorb,
  claimedIds,
  createLedger,
  graphIdOf,
  isRegistered,
  lacks,
  merge,
  remember,
} from "../../../src/registrar/ledger/ledger.ts";

const namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const keyOf = (n: number) => uuidV5In(namespace)(String(n));

// INV-ONE-CREATE-PER-KEY
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

test("keys that differ in any one of their four words are two, also where they share a cell", () => {
  const keys = [
    "10000000-0000-5000-8000-000000000001",
    "20000000-0000-5000-8000-000000000001",
    "10000000-0001-5000-8000-000000000001",
    "10000000-0000-5000-8001-000000000001",
    "10000000-0000-5000-8000-000000000002",
    // No word of it has a bit in common with the next one.
    "00000000-0000-5000-8000-000000000000",
  ];
  for (const [n, key] of keys.entries()) {
    const ledger = createLedger();
    remember(ledger, key, `object-${n}`);
    for (const other of keys) assert.equal(isRegistered(ledger, other), other === key, `${key} ${other}`);
  }
});

test("any UUID but the nil one can be a key: no other cell counts as empty", () => {
  const ledger = createLedger();
  const keys = [
    "00000001-0000-0000-0000-000000000000",
    "00000000-0001-0000-0000-000000000000",
    "00000000-0000-0000-0001-000000000000",
    "00000000-0000-0000-0000-000000000001",
  ];
  for (const [n, key] of keys.entries()) {
    remember(ledger, key, `object-${n}`);
    assert.deepEqual([isRegistered(ledger, key), graphIdOf(ledger, key)], [true, `object-${n}`]);
  }
  assert.equal(ledger.size, 4);
});

test("a key stands in the cell that its first word points at, or the next one that is free: snapshots hold it there", () => {
  const ledger = createLedger();
  const keys = ["ffffffff", "aaaaaaff", "bbbbbb00", "12345680"].map(
    (word) => `${word}-0000-5000-8000-00000000000a`,
  );
  for (const key of keys) remember(ledger, key, key);
  const cellOf = (key: string) => {
    const word = Number.parseInt(key.slice(0, 8), 16);
    return ledger.cells.findIndex((cell, at) => at % 8 === 0 && cell === word) / 8;
  };
  assert.deepEqual(keys.map(cellOf), [63, 0, 1, 2]);
  assert.deepEqual(
    [...ledger.cells.slice(63 * 8)],
    [
      ...[0xffffffff, 0x00005000, 0x80000000, 0x0000000a],
      ...[0xffffffff, 0x00005000, 0x80000000, 0x0000000a],
    ],
  );
});

test("the table doubles when three quarters of it are taken and one more comes", () => {
  const ledger = createLedger();
  const sizes = new Map<number, number>();
  for (let n = 0; n < 200; n++) {
    remember(ledger, keyOf(n), `object-${n}`);
    sizes.set(ledger.cells.length / 8, ledger.size);
  }
  assert.deepEqual(
    [...sizes],
    [
      [64, 48],
      [128, 96],
      [256, 192],
      [512, 200],
    ],
  );
});

test("a hundred thousand entries take at most 120 bytes each", () => {
  const ledger = createLedger();
  for (let n = 0; n < 100_000; n++) remember(ledger, keyOf(n), keyOf(-n - 1));
  assert.equal(ledger.size, 100_000);
  assert.ok(ledger.cells.byteLength / ledger.size <= 120);
  assert.equal(graphIdOf(ledger, keyOf(77_777)), keyOf(-77_778));
  assert.equal(ledger.otherIds.size, 0);
});

test("an object is claimed when its id, in any case, is registered", () => {
  const ledger = createLedger();
  assert.deepEqual(claimedIds(ledger, new Set([keyOf(1)])), new Set());
  for (let n = 0; n < 100; n++) remember(ledger, keyOf(n), keyOf(-n - 1));
  remember(ledger, keyOf(100), "Object-100");
  remember(ledger, keyOf(101), keyOf(101));
  const asked = [keyOf(-50).toUpperCase(), keyOf(101), "OBJECT-100", keyOf(50), "object-1", ""];
  assert.deepEqual(claimedIds(ledger, new Set(asked)), new Set([keyOf(-50), keyOf(101), "object-100"]));
  assert.deepEqual(claimedIds(ledger, new Set()), new Set());
});

test("reading takes in what is registered, passes over the rest, and remembers how far and what came last", () => {
  const ledger = createLedger("id");
  const record = (n: number) => ({
    ...registeredBefore({ machine: `HOST-${n}` }),
    offset: n,
    timestampMs: 0,
    leaderEpoch: -1,
  });
  const tombstone = { ...record(8), value: null };
  absorb(ledger, [record(3), record(4), { ...record(3), offset: 5 }, tombstone]);
  assert.deepEqual([ledger.size, ledger.nextOffset], [2, 9]);
  assert.deepEqual(ledger.last, { offset: 5, idempotencyKey: keyOfEvent({ machine: "HOST-3" }) });
});

test("ids that differ from those that are registered in one digit are not claimed", () => {
  const ledger = createLedger();
  const id = "12345678-9abc-4def-8123-456789abcdef";
  remember(ledger, keyOf(1), id);
  remember(ledger, keyOf(2), "an id that is no UUID");
  const others = [...id].map((digit, at) => id.slice(0, at) + (digit === "0" ? "1" : "0") + id.slice(at + 1));
  const asked = others.filter((other, at) => id[at] !== "-" && other !== id);
  assert.deepEqual(claimedIds(ledger, new Set(asked)), new Set());
  assert.deepEqual(claimedIds(ledger, new Set([...asked, id])), new Set([id]));
});

test("the nil UUID is an id like any other: claimed only where it is registered", () => {
  const nil = "00000000-0000-0000-0000-000000000000";
  const ledger = createLedger();
  remember(ledger, keyOf(1), "an id that is no UUID");
  assert.deepEqual(claimedIds(ledger, new Set([nil])), new Set());
  remember(ledger, keyOf(2), nil);
  assert.deepEqual(claimedIds(ledger, new Set([nil])), new Set([nil]));
  assert.equal(graphIdOf(ledger, keyOf(2)), nil);
});

test("a ledger lacks what only the earlier one holds, and merging takes all that the later one holds", () => {
  const [earlier, later] = [createLedger(), createLedger()];
  for (let n = 0; n < 200; n++) remember(earlier, keyOf(n), keyOf(n));
  for (let n = 199; n >= 0; n--) remember(later, keyOf(n), keyOf(n));
  assert.equal(lacks(later, earlier), null);
  remember(later, keyOf(200), "an id that is no UUID");
  remember(later, keyOf(201), keyOf(-1));
  assert.equal(lacks(later, earlier), null);
  assert.ok([keyOf(200), keyOf(201)].includes(lacks(earlier, later)!));
  later.nextOffset = 77;
  later.last = { offset: 76, idempotencyKey: keyOf(201) };
  merge(earlier, later);
  assert.deepEqual([earlier.size, earlier.nextOffset, earlier.last], [202, 77, later.last]);
  assert.deepEqual(
    [0, 200, 201].map((n) => graphIdOf(earlier, keyOf(n))),
    [keyOf(0), "an id that is no UUID", keyOf(-1)],
  );
});
