import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createWindow,
  enter,
  hasRoom,
  type Slot,
  settle,
  settledThrough,
  taintedThrough,
} from "../../../src/registrar/intake/window.ts";

// INV-DURABLE-OUTCOME
test("settledThrough is the first unsettled offset, against a plain model, whatever the order and the gaps", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3000 });
  fc.assert(
    fc.property(gaps, fc.infiniteStream(fc.nat()), (steps, picks) => {
      const window = createWindow(5);
      const open: Slot[] = [];
      const offsets = new Map<number, boolean>();
      let offset = 5;
      for (const gap of steps) {
        offset += gap;
        open.push(enter(window, offset));
        offsets.set(offset, false);
        offset++;
        const pick = picks.next().value as number;
        if (pick % 3 === 0) continue;
        const [slot] = open.splice(pick % open.length, 1);
        if (slot === undefined) continue;
        settle(window, slot);
        offsets.set(slot.offset, true);
      }
      const firstOpen = [...offsets].find(([, settled]) => !settled)?.[0] ?? window.nextOffset;
      assert.equal(settledThrough(window), firstOpen);
      assert.equal(window.unsettled, open.length);
      assert.equal(taintedThrough(window), firstOpen);
    }),
    { numRuns: 200 },
  );
});

test("a clean shutdown promises up to the last record in doubt", () => {
  const window = createWindow(0);
  const [a, b, c] = [enter(window, 0), enter(window, 1), enter(window, 2)];
  b.tainted = true;
  assert.equal(taintedThrough(window), 2);
  settle(window, b);
  assert.equal(taintedThrough(window), 0);
  settle(window, a);
  settle(window, c);
  assert.equal(settledThrough(window), 3);
});

test("a clean shutdown promises up to the last of several records in doubt", () => {
  const window = createWindow(0);
  const slots = [0, 1, 2, 3].map((offset) => enter(window, offset));
  slots[0]!.tainted = true;
  slots[2]!.tainted = true;
  assert.equal(taintedThrough(window), 3);
});

test("what is settled takes no memory for long, though there is always one that is not", () => {
  const window = createWindow(0);
  let last = enter(window, 0);
  for (let offset = 1; offset < 10_000; offset++) {
    const next = enter(window, offset);
    settle(window, last);
    last = next;
    assert.ok(window.slots.length <= 1_100, `${window.slots.length} at ${offset}`);
    assert.ok(hasRoom(window, 2), `no room at ${offset}`);
  }
  settle(window, last);
  assert.equal(window.slots.length, 0);
});

test("a full window takes no more, and neither does one whose first record is stuck", () => {
  const window = createWindow(0);
  enter(window, 0);
  enter(window, 1);
  assert.equal(hasRoom(window, 2), false);
  const stuck = createWindow(0);
  enter(stuck, 0);
  let offset = 1;
  while (hasRoom(stuck, 2)) settle(stuck, enter(stuck, offset++));
  assert.equal(offset, 16, "eight marks for each record that it may hold");
});

test("offsets must rise, and a record is settled once", () => {
  const window = createWindow(7);
  const slot = enter(window, 9);
  assert.throws(() => enter(window, 9));
  settle(window, slot);
  assert.throws(() => settle(window, slot));
});
