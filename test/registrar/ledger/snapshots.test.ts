/** When ledgers are saved. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { createLedger } from "../../../src/registrar/ledger/ledger.ts";
import { createSnapshots } from "../../../src/registrar/ledger/snapshots.ts";

const settings = { snapshotIntervalMs: 1_000, snapshotEntriesMin: 50 };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function given(save: () => Promise<null> = async () => null) {
  const clock = virtualClock();
  const saved: number[] = [];
  const held = { number: 3, ledger: createLedger(), lost: new AbortController() };
  const ledgers = {
    save: (_held: unknown, entriesMin: number) => {
      saved.push(entriesMin);
      return save();
    },
  };
  const owned = new Map([[3, held]]);
  const snapshots = createSnapshots({ clock, settings, owned, ledgers }, () => assert.fail("no fault"));
  return { clock, saved, snapshots };
}

test("each partition is looked at once an interval, and sooner is it worth it at a stop", async () => {
  const { clock, saved, snapshots } = given();
  for (let n = 0; n < 3; n++) {
    clock.advance(1_000);
    await turn();
  }
  await snapshots.saveAll(new AbortController().signal);
  assert.deepEqual(saved, [50, 50, 50, 50]);
});

test("after a stop nothing is saved by itself, and no timer is left", async () => {
  const { clock, saved, snapshots } = given();
  snapshots.stop();
  assert.equal(clock.pendingTimers, 0);
  clock.advance(5_000);
  await turn();
  assert.deepEqual(saved, []);
});

test("a stop while a ledger is saved: no other time is planned", async () => {
  let end = () => {};
  const { clock, snapshots } = given(() => new Promise((resolve) => (end = () => resolve(null))));
  clock.advance(1_000);
  snapshots.stop();
  end();
  await turn();
  assert.equal(clock.pendingTimers, 0);
});
