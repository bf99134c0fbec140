import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCleanStop } from "../../../lab/simulation/check-stop.ts";
import type { Entry, Happening } from "../../../lab/simulation/history.ts";

const by = "w0.0";
const commit = (attemptedThrough: number): Happening => ({
  kind: "commit",
  ...{ by, topic: "enrolled", partition: 0, offset: 12, metadata: JSON.stringify({ a: attemptedThrough }) },
});
const stopping: Happening = { kind: "stopping", by };
const sessionOver: Happening = { kind: "session-over", by };
const problemsOf = (...happenings: readonly Happening[]) =>
  checkCleanStop({
    entries: happenings.map((happening, tMs): Entry => ({ tMs, ...happening })),
    activeMs: 0,
    hasDefect: false,
  });

test("a stop that promises more than it settled is a problem", () => {
  assert.deepEqual(problemsOf(commit(505), stopping, commit(12)), []);
  assert.deepEqual(problemsOf(commit(505), stopping), [
    "w0.0 stopped, and left suspects in enrolled/0: 12..505",
  ]);
});

test("unless its generation ended while it stopped; one that ended before does not excuse it", () => {
  assert.deepEqual(problemsOf(commit(505), stopping, sessionOver), []);
  assert.equal(problemsOf(sessionOver, commit(505), stopping).length, 1);
});
