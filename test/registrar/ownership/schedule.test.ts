import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import { createSchedule } from "../../../src/registrar/ownership/schedule.ts";

test("what several ask for is done once, at the earliest time that was asked for, and then again if asked again", async () => {
  const time = virtualTime();
  const doneAtMs: number[] = [];
  const startMs = time.nowMs();
  const schedule = createSchedule(time, () => doneAtMs.push(time.nowMs() - startMs));
  for (const atMs of [500, 200, 300]) schedule.at(startMs + atMs);
  await time.pass(1_000);
  assert.deepEqual(doneAtMs, [200]);
  schedule.at(startMs + 1_500);
  await time.pass(1_000);
  assert.deepEqual(doneAtMs, [200, 1_500]);
});

test("a time that has passed means now, and what is cancelled is not done", async () => {
  const time = virtualTime();
  await time.pass(1_000);
  const doneAtMs: number[] = [];
  const schedule = createSchedule(time, () => doneAtMs.push(time.nowMs()));
  const nowMs = time.nowMs();
  schedule.at(nowMs - 500);
  await time.pass(10);
  assert.deepEqual(doneAtMs, [nowMs]);
  schedule.at(time.nowMs() + 5);
  schedule.cancel();
  await time.pass(100);
  assert.equal(doneAtMs.length, 1);
});
