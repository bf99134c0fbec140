/** Waiting on the Clock port, with an end by signal. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { virtualTime } from "../lab/testkit/virtual-time.ts";
import { sleep } from "../src/sleep.ts";

test("a sleep ends with its time or with its signal, whichever comes first, and says which", async () => {
  const time = virtualTime();
  const wake = new AbortController();
  const ends: string[] = [];
  void sleep(time, 1_000, wake.signal).then((isOver) => ends.push(`short ${isOver}`));
  void sleep(time, 5_000, wake.signal).then((isOver) => ends.push(`long ${isOver}`));
  await time.pass(999);
  assert.deepEqual(ends, []);
  await time.pass(1);
  assert.deepEqual(ends, ["short true"]);
  assert.equal(getEventListeners(wake.signal, "abort").length, 1, "the one that is over no longer listens");
  wake.abort();
  await time.rest();
  assert.deepEqual(ends, ["short true", "long false"]);
});

test("a sleep whose signal has aborted before ends immediately", async () => {
  assert.equal(await sleep(virtualTime(), 5_000, AbortSignal.abort()), false);
});

test("a sleep without a signal ends with its time", async () => {
  const time = virtualTime();
  let isOver = false;
  void sleep(time, 10).then((over) => {
    isOver = over;
  });
  await time.pass(10);
  assert.ok(isOver);
});
