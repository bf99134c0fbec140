/** The benchmark's arithmetic. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOnce, cpuUsPerEvent, eventsPerSecond } from "../../../lab/bench/backlog.ts";
import { median, medians, percentile, rounded } from "../../../lab/bench/numbers.ts";
import { against, atLeast, atMost } from "../../../lab/bench/scenario.ts";
import { table } from "../../../lab/bench/table.ts";

test("a median is the middle one, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 10, 2]), 3);
  assert.throws(() => median([]));
});

test("a percentile is a value that was measured", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile([7], 0.99), 7);
});

test("medians are taken name by name, over the runs that have it", () => {
  assert.deepEqual(medians([{ a: 1, b: 10 }, { a: 3 }, { a: 2, b: 20 }]), { a: 2, b: 15 });
});

test("numbers keep four digits, and whole ones all of them", () => {
  assert.equal(rounded(6187.4), 6187);
  assert.equal(rounded(0.987654), 0.9877);
  assert.equal(rounded(123456), 123456);
});

test("CPU counts from the last sample before the first record", () => {
  const samples = [
    { atMs: 0, count: 0, cpuUs: 300_000 },
    { atMs: 25, count: 0, cpuUs: 500_000 },
    { atMs: 50, count: 100, cpuUs: 520_000 },
    { atMs: 75, count: 1_000, cpuUs: 600_000 },
  ];
  assert.equal(cpuUsPerEvent(samples), 100);
});

test("the pace includes the time of Graph's first answer", () => {
  const stored = [1_000, 1_400, 1_900].map((atMs) => ({ value: Buffer.of(), atMs }));
  assert.equal(eventsPerSecond(stored, 100), 3);
});

test("with a record too many, or the same twice, there is no result", () => {
  const stored = ["a", "b"].map((name) => ({ value: Buffer.from(`{"connectorName":"${name}"}`), atMs: 0 }));
  assertOnce(stored, 2);
  assert.throws(() => assertOnce(stored, 3), /2 records registered instead of 3/);
  assert.throws(() => assertOnce([stored[0]!, stored[0]!], 2), /1 different events/);
});

test("targets hold, fail, or have nothing to compare with", () => {
  const results = {
    registrar: { eventsPerSecond: 6_000, cpuUsPerEvent: 50 },
    naive: { eventsPerSecond: 600 },
  };
  const reached = (target: ReturnType<typeof atLeast>) => target.reached(results);
  assert.equal(reached(atLeast("eventsPerSecond", 5_760, "")), true);
  assert.equal(reached(atMost("cpuUsPerEvent", 49, "")), false);
  assert.equal(reached(against("naive", "eventsPerSecond", { atLeast: 12, text: "" })), false);
  assert.equal(reached(against("naive", "eventsPerSecond", { atLeast: 10, text: "" })), true);
  assert.equal(reached(against("bento", "eventsPerSecond", { atLeast: 12, text: "" })), null);
});

test("the table shows each number beside the registrar's", () => {
  const targets = [atLeast("eventsPerSecond", 7_000, "fast")];
  const text = table({ targets }, { registrar: { eventsPerSecond: 6_000 }, naive: { eventsPerSecond: 600 } });
  assert.match(text, /eventsPerSecond +6000 +600 \(0\.1 x\)/);
  assert.match(text, /NOT reached: fast/);
});
