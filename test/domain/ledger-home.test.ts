import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createHomes, createPlacement, place } from "../../src/domain/ledger-home.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import type { LedgerEntry } from "../../src/domain/registered.ts";

const tenants = Array.from(
  { length: 200 },
  (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
);
const livesIn = (partition: number, partitions: number) =>
  tenants.find((tenant) => homePartition(tenant, partitions) === partition)!;

function entry(tenantId: string | null, movedFor: number | null = null): LedgerEntry {
  return { idempotencyKey: "k", graphId: "g", tenantId, movedFor };
}

function placed(entries: readonly LedgerEntry[], partition = 2, partitions = 6) {
  const placement = createPlacement(partition, partitions, createHomes(partitions));
  const belongs = entries.map((each, offset) => place(placement, each, offset));
  const { misplaced, first } = placement;
  return { misplaced, first, belongs };
}

suite("where registered records belong", () => {
  test("those of tenants that live here belong here, and those that name no tenant are taken as they stand", () => {
    assert.deepEqual(placed([entry(livesIn(2, 6)), entry(null)]), {
      misplaced: 0,
      first: null,
      belongs: [true, true],
    });
  });

  test("those of others are counted, with the first and its home", () => {
    const elsewhere = entry(livesIn(5, 6));
    const found = placed([entry(livesIn(2, 6)), elsewhere, entry(livesIn(0, 6))]);
    assert.deepEqual(found, { misplaced: 2, first: { offset: 1, home: 5 }, belongs: [true, false, false] });
  });

  test("a marker for this number of partitions covers all before it, itself included, and nothing after", () => {
    const elsewhere = entry(livesIn(5, 6));
    const marker = entry(livesIn(5, 6), 6);
    assert.equal(placed([elsewhere, elsewhere, marker]).misplaced, 0);
    assert.deepEqual(placed([elsewhere, marker, elsewhere]).first, { offset: 2, home: 5 });
  });

  test("a marker for another number covers nothing", () => {
    assert.equal(placed([entry(livesIn(5, 6)), entry(livesIn(5, 6), 9)]).misplaced, 2);
  });

  test("after the number of partitions was raised by hand, some are misplaced", () => {
    const before = tenants.filter((tenant) => homePartition(tenant, 6) === 2).map((tenant) => entry(tenant));
    assert.equal(placed(before, 2, 6).misplaced, 0);
    assert.ok(placed(before, 2, 9).misplaced > 0);
  });

  test("homes are those of Kafka's partitioner, for any number of tenants", () => {
    const homes = createHomes(6);
    for (let round = 0; round < 2; round++) {
      for (const tenant of tenants) assert.equal(homes(tenant), homePartition(tenant, 6));
    }
  });
});
