/** Who waits for room in a window is woken when there may be some. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { Session } from "../../../src/ports.ts";
import { createRoom } from "../../../src/registrar/flow/room.ts";
import { enter } from "../../../src/registrar/intake/window.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { freshPartition } from "../fresh-partition.ts";

function given() {
  const clock = virtualClock();
  const made: number[] = [];
  const parker = { makeRoom: ({ number }: { readonly number: number }) => void made.push(number) };
  const room = createRoom({ clock, settings: { windowRecords: 1 }, parker });
  const lease = createLease({ ended: new AbortController().signal } as Session);
  return { clock, made, room, partition: freshPartition({ lease }) };
}

test("what is settled wakes all who wait, once, and leaves no timer behind", async () => {
  const { clock, made, room, partition } = given();
  const woken: string[] = [];
  const waiting = ["a", "b"].map((name) => room.make(partition).then(() => woken.push(name)));
  assert.deepEqual([made, clock.pendingTimers], [[0, 0], 2]);
  room.wake(partition);
  await Promise.all(waiting);
  assert.deepEqual(woken, ["a", "b"]);
  assert.deepEqual([clock.pendingTimers, partition.roomWaiters.size], [0, 0]);
  room.wake(partition);
});

test("without that it is looked again after a while", async () => {
  const { clock, room, partition } = given();
  const waiting = room.make(partition);
  clock.advance(250);
  await waiting;
  assert.equal(partition.roomWaiters.size, 0);
});

test("who waits again when it is woken waits for the next time", async () => {
  const { made, room, partition } = given();
  const again = room.make(partition).then(() => {
    const waiting = room.make(partition);
    assert.equal(partition.roomWaiters.size, 1);
    return { waiting };
  });
  room.wake(partition);
  const { waiting } = await again;
  room.wake(partition);
  await waiting;
  assert.deepEqual([made.length, partition.roomWaiters.size], [2, 0]);
});

test("only the window of the enrolled topic can be full", () => {
  const { room, partition } = given();
  const isThere = () => [room.isThere(partition, "retry"), room.isThere(partition, "enrolled")];
  assert.deepEqual(isThere(), [true, true]);
  enter(partition.window, 0);
  assert.deepEqual(isThere(), [true, false]);
});
