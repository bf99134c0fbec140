import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contoso, parkedBefore } from "../../../lab/testkit/enrollments.ts";
import {
  type Awaited,
  acknowledge,
  createParking,
  firstParked,
  isParked,
  lostCopies,
  note,
  noteArrival,
  parkedCount,
  parkedTaintedThrough,
  parkedTenantOf,
  parkedThrough,
  sendToPark,
  settleTaken,
  takeUp,
} from "../../../src/registrar/intake/parking.ts";
import type { Slot } from "../../../src/registrar/intake/window.ts";

const tenants = ["a", "b", "c"];

// INV-DURABLE-OUTCOME, INV-ORDER
test("parkedThrough is the first parked or unsettled offset, a tenant's first comes first: against a plain model", () => {
  const step = fc.record({ act: fc.constantFrom("note", "note", "take", "settle"), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3_000 }), (steps) => {
      const parking = createParking(5);
      const waiting = new Map<string, number[]>(tenants.map((tenant) => [tenant, []]));
      const taken: Slot[] = [];
      for (const { act, pick } of steps) {
        const tenant = tenants[pick % tenants.length]!;
        const offsets = waiting.get(tenant)!;
        if (act === "note") {
          offsets.push(parking.nextOffset + (pick % 2));
          note(parking, tenant, parking.nextOffset + (pick % 2));
        } else if (act === "take" && offsets.length > 0) {
          taken.push(takeUp(parking, tenant, offsets.shift()!));
        } else if (act === "settle" && taken.length > 0) {
          settleTaken(parking, taken.splice(pick % taken.length, 1)[0]!);
        }
        assert.equal(firstParked(parking, tenant), offsets[0] ?? null);
        assert.equal(isParked(parking, tenant), offsets.length > 0);
      }
      const open = [...[...waiting.values()].flat(), ...taken.map(({ offset }) => offset)];
      assert.equal(parkedThrough(parking), Math.min(parking.nextOffset, ...open));
      assert.equal(parkedCount(parking), [...waiting.values()].flat().length);
    }),
    { numRuns: 60 },
  );
});

test("a tenant counts as parked from the decision on, before its record is seen in the topic", () => {
  const parking = createParking(0);
  sendToPark(parking, "a", 7);
  assert.deepEqual(
    [isParked(parking, "a"), firstParked(parking, "a"), parkedCount(parking)],
    [true, null, 1],
  );
  note(parking, "a", 0);
  noteArrival(parking, "a", 7);
  assert.deepEqual([isParked(parking, "a"), firstParked(parking, "a"), parkedCount(parking)], [true, 0, 1]);
  takeUp(parking, "a", 0);
  assert.equal(isParked(parking, "a"), false);
});

test("a clean shutdown promises up to the last record in doubt that was taken up", () => {
  const parking = createParking(0);
  for (let offset = 0; offset < 4; offset++) note(parking, "a", offset);
  const slots = [0, 1, 2].map((offset) => takeUp(parking, "a", offset));
  assert.equal(parkedTaintedThrough(parking), 0);
  slots[1]!.tainted = true;
  assert.equal(parkedTaintedThrough(parking), 2);
  settleTaken(parking, slots[1]!);
  assert.equal(parkedTaintedThrough(parking), 0);
  settleTaken(parking, slots[2]!, true);
  assert.equal(parkedTaintedThrough(parking), 3, "one that was settled in doubt");
});

test("a record that is sent to be parked once more is no longer awaited from the append before", () => {
  const parking = createParking(0);
  const awaited = (retryOffset: number): Awaited => ({
    ...{ enrolledOffset: 7, retryOffset },
    ...{ arrive: () => {}, sendAgain: () => {} },
  });
  const [first, second] = [awaited(0), awaited(5)];
  sendToPark(parking, "a", 7);
  assert.equal(acknowledge(parking, "a", first), true);
  note(parking, "b", 1);
  assert.deepEqual(lostCopies(parking, []), [first]);
  sendToPark(parking, "a", 7);
  assert.deepEqual(lostCopies(parking, []), []);
  acknowledge(parking, "a", second);
  assert.deepEqual(lostCopies(parking, []), []);
  note(parking, "a", 5);
  assert.equal(noteArrival(parking, "a", 7), second);
  assert.equal(acknowledge(parking, "a", second), false, "its copy was read already");
  assert.equal(parking.awaited.size, 0);
});

test("copies that lie beyond the end are lost unless they arrived meanwhile; others are while they are passed", () => {
  const parking = createParking(0);
  const awaited = (enrolledOffset: number, retryOffset: number | null): Awaited => ({
    ...{ enrolledOffset, retryOffset },
    ...{ arrive: () => {}, sendAgain: () => {} },
  });
  const copies = [awaited(1, null), awaited(2, 0), awaited(3, 5), awaited(4, 6)];
  for (const [n, copy] of copies.entries()) {
    sendToPark(parking, "a", n + 1);
    assert.equal(acknowledge(parking, "a", copy), true);
  }
  assert.deepEqual(lostCopies(parking, []), []);
  assert.deepEqual(lostCopies(parking, [copies[3]!]), [copies[3]]);
  note(parking, "b", 0);
  assert.deepEqual(lostCopies(parking, []), [copies[1]], "the one at 0 was passed, and was another record");
  note(parking, "b", 5);
  assert.equal(noteArrival(parking, "a", 4), copies[3]);
  assert.deepEqual(lostCopies(parking, [copies[3]!]), [copies[1], copies[2]]);
  assert.equal(noteArrival(parking, "a", 9), null, "it was not awaited");
});

test("nothing is acknowledged for a tenant of which nothing is on its way", () => {
  const parking = createParking(0);
  const never = { enrolledOffset: 7, retryOffset: 0, arrive: () => {}, sendAgain: () => {} };
  assert.equal(acknowledge(parking, "a", never), false);
  sendToPark(parking, "a", 8);
  assert.equal(acknowledge(parking, "a", never), false);
  assert.deepEqual([...parking.awaited], []);
  assert.equal(firstParked(parking, "b"), null);
});

test("a clean shutdown promises up to the last record in doubt, whatever the order in which they end", () => {
  const parking = createParking(4);
  assert.deepEqual(
    [parking.attemptedThrough, parkedTaintedThrough(parking), parkedThrough(parking)],
    [4, 4, 4],
  );
  for (let offset = 4; offset < 8; offset++) note(parking, "a", offset);
  const slots = [4, 5, 6, 7].map((offset) => takeUp(parking, "a", offset));
  assert.deepEqual(slots[0], { offset: 4, settled: false, tainted: false });
  for (const n of [1, 2]) slots[n]!.tainted = true;
  assert.equal(parkedTaintedThrough(parking), 7);
  settleTaken(parking, slots[2]!, true);
  settleTaken(parking, slots[1]!, true);
  assert.equal(parkedTaintedThrough(parking), 7);
  settleTaken(parking, slots[3]!);
  assert.equal(parkedTaintedThrough(parking), 7);
  settleTaken(parking, slots[0]!);
  assert.equal(parkedTaintedThrough(parking), 8, "all is settled");
});

test("offsets rise, a tenant's records are taken up in order, and each is settled once", () => {
  const parking = createParking(3);
  assert.throws(() => note(parking, "a", 2));
  note(parking, "a", 3);
  note(parking, "a", 4);
  assert.throws(() => takeUp(parking, "a", 4));
  const slot = takeUp(parking, "a", 3);
  settleTaken(parking, slot);
  assert.throws(() => settleTaken(parking, slot));
});

test("the key of a parked record is its tenant; any other key waits for no tenant", () => {
  const record = { ...parkedBefore({}), offset: 0, timestampMs: 0, leaderEpoch: -1 };
  const keyed = (key: Uint8Array | null) => parkedTenantOf({ ...record, key });
  assert.equal(parkedTenantOf(record), contoso);
  assert.equal(
    keyed(new TextEncoder().encode("AAAAAAAA-0000-4000-8000-000000000000")),
    "aaaaaaaa-0000-4000-8000-000000000000",
  );
  assert.deepEqual(
    [keyed(null), keyed(new TextEncoder().encode("host")), keyed(Uint8Array.of(0xff))],
    ["", "", ""],
  );
});

test("a second copy of one parked record does not stand for another record that is still on its way", () => {
  const parking = createParking(0);
  sendToPark(parking, "a", 7);
  sendToPark(parking, "a", 8);
  note(parking, "a", 0);
  noteArrival(parking, "a", 7);
  note(parking, "a", 1);
  noteArrival(parking, "a", 7);
  takeUp(parking, "a", 0);
  takeUp(parking, "a", 1);
  assert.ok(isParked(parking, "a"), "the record at 8 would be overtaken");
  note(parking, "a", 2);
  noteArrival(parking, "a", 8);
  takeUp(parking, "a", 2);
  assert.ok(!isParked(parking, "a"));
});

test("what was taken up takes no memory for long, though there is always more to come", () => {
  const parking = createParking(0);
  note(parking, "a", 0);
  for (let offset = 1; offset < 10_000; offset++) {
    note(parking, "a", offset);
    settleTaken(parking, takeUp(parking, "a", offset - 1));
    const { offsets } = parking.tenants.get("a")!;
    assert.ok(offsets.length <= 1_100, `${offsets.length} at ${offset}`);
  }
  assert.deepEqual([parkedThrough(parking), parkedCount(parking)], [9_999, 1]);
});
