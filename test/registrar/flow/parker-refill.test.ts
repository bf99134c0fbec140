/** Which parked records are taken up, and how many at a time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sendToPark } from "../../../src/registrar/intake/parking.ts";
import { a, b, given, times } from "./parker-refill-given.ts";

describe("of a tenant's parked records", () => {
  test("as many are taken up as half a window holds, in order, and reading stops then", async () => {
    const { parker, partition, scan, scans, seen } = given(times(10, a));
    parker.refill(partition);
    await scan();
    assert.deepEqual([seen(), scans.length], [[0, 1, 2, 3], 1]);
    assert.ok(scans[0]!.signal.aborted);
    assert.equal(partition.refilling, false);
  });

  test("more are taken up once half of them are settled, from where the first of them stands", async () => {
    const { parker, partition, scan, scans, seen, settle } = given(times(10, a));
    parker.refill(partition);
    await scan();
    seen();
    settle(a, 1);
    parker.refill(partition);
    assert.equal(scans.length, 1);
    settle(a, 1);
    parker.refill(partition);
    assert.equal(scans[1]?.from, 4);
    await scan();
    assert.deepEqual(seen(), [4, 5]);
  });

  for (const [windowRecords, parked, expected] of [
    [7, 10, 3],
    [1, 10, 1],
    [10_000, 300, 200],
  ] as const)
    test(`${expected} are taken up with a window of ${windowRecords}`, async () => {
      const { parker, partition, scan, seen } = given(times(parked, a), { windowRecords });
      parker.refill(partition);
      await scan();
      assert.equal(seen().length, expected);
    });

  test("one is taken up of a blocked tenant, none of a paused one, none of one whose copies were not read yet", async () => {
    const { parker, partition, scan, scans, seen, now, settle } = given(times(5, b, a), {
      windowRecords: 30,
    });
    now.blocked.add(a);
    now.paused.add(b);
    sendToPark(partition.parking, "on-the-way", 7);
    parker.refill(partition);
    assert.equal(scans[0]?.from, 1);
    await scan();
    assert.deepEqual(seen(), [1]);
    parker.refill(partition);
    assert.equal(scans.length, 1, "it probes");
    settle(a, 1);
    parker.refill(partition);
    await scan();
    assert.deepEqual(seen(), [3]);
  });

  test("each tenant has its share, by one reading for all", async () => {
    const { parker, partition, scan, scans, seen } = given([...times(4, a), ...times(4, b)]);
    parker.refill(partition);
    await scan();
    assert.deepEqual([seen(), scans.length, scans[0]?.from], [[0, 1, 4, 5], 1, 0]);
  });

  test("those that were taken up before are passed over where another tenant's begin before them", async () => {
    const { parker, partition, scan, scans, seen, settle, now } = given([b, ...times(6, a), b]);
    now.paused.add(b);
    parker.refill(partition);
    await scan();
    assert.deepEqual(seen(), [1, 2]);
    settle(a, 2);
    now.paused.clear();
    parker.refill(partition);
    assert.equal(scans[1]?.from, 0);
    await scan();
    assert.deepEqual(seen(), [0, 3, 4, 7]);
  });

  test("none is looked for while that is under way, or where none is parked", () => {
    const { parker, partition, scans } = given(times(10, a));
    parker.refill(partition);
    parker.refill(partition);
    assert.equal(scans.length, 1);
    const none = given([]);
    none.parker.refill(none.partition);
    assert.deepEqual([none.scans.length, none.partition.refilling], [0, false]);
  });
});
