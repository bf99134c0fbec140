import assert from "node:assert/strict";
import { test } from "node:test";
import { isLaterEvent, isLaterLetter, type Seen, stateOf } from "../../src/index/state.ts";

const seen = (partition: number, offset: number, atMs: number): Seen => ({
  at: { topic: "enrolled", partition, offset },
  atMs,
});
const home = 0;

test("an installer's clock that is ahead does not make a record elsewhere later than its copy at home", () => {
  const astray = seen(1, 5, 9_000_000);
  const copy = seen(0, 7, 1000);
  assert.equal(isLaterEvent(astray, copy, home), false);
  assert.equal(isLaterEvent(copy, astray, home), true);
  // Of two elsewhere, of which neither is the copy, the times decide.
  assert.equal(isLaterEvent(seen(2, 1, 5), seen(1, 9, 4), home), true);
  assert.equal(isLaterEvent(seen(2, 1, 4), seen(1, 9, 4), home), false);
});

test("within a partition offsets decide, whatever the times say", () => {
  assert.equal(isLaterEvent(seen(0, 8, 1), seen(0, 7, 2), home), true);
  assert.equal(isLaterEvent(seen(0, 7, 2), seen(0, 7, 1), home), false);
  assert.equal(isLaterLetter(seen(0, 8, 1), seen(0, 7, 2)), true);
  assert.equal(stateOf(false, seen(0, 8, 1), seen(0, 7, 2)), "waiting");
  assert.equal(stateOf(false, seen(0, 7, 2), seen(0, 7, 1)), "refused");
  assert.equal(stateOf(false, seen(0, 6, 9), seen(0, 7, 1)), "refused");
});

test("across partitions times decide; without an event a dead letter is one", () => {
  assert.equal(isLaterLetter(seen(0, 1, 3), seen(1, 9, 2)), true);
  assert.equal(stateOf(false, seen(1, 9, 3), seen(0, 1, 2)), "waiting");
  assert.equal(stateOf(false, seen(1, 9, 2), seen(0, 1, 2)), "refused");
  assert.equal(stateOf(false, null, seen(0, 1, 2)), "refused");
  assert.equal(stateOf(false, seen(0, 1, 2), null), "waiting");
  assert.equal(stateOf(true, seen(0, 9, 9), seen(0, 1, 1)), "registered");
});
