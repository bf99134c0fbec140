import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../src/clock.ts";

test("calls back no earlier than asked, to the fraction of a millisecond that nowMs tells", async () => {
  const earlyMs: number[] = [];
  const timers = Array.from({ length: 400 }, (_, index) => {
    const delayMs = (index % 40) + index / 401;
    return new Promise<void>((resolve) => {
      // Timers that are set at different fractions of a millisecond.
      for (const untilMs = systemClock.nowMs() + 0.05; systemClock.nowMs() < untilMs; );
      const dueMs = systemClock.nowMs() + delayMs;
      systemClock.after(delayMs, () => {
        if (systemClock.nowMs() < dueMs) earlyMs.push(dueMs - systemClock.nowMs());
        resolve();
      });
    });
  });
  await Promise.all(timers);
  assert.deepEqual(earlyMs, []);
});

test("a cancelled call never comes, whether it was armed once or again", async () => {
  let calls = 0;
  const cancels = Array.from({ length: 50 }, (_, index) =>
    systemClock.after(1 + index / 50, () => {
      calls++;
    }),
  );
  for (const cancel of cancels) cancel();
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  assert.equal(calls, 0);
});
