import assert from "node:assert/strict";
import { test } from "node:test";
import { type Failing, fail } from "../../src/policy/failing.ts";

function after(...failures: readonly (readonly [atMs: number, served: number, isOwn?: boolean])[]): Failing {
  let failing: Failing | null = null;
  for (const [atMs, served, isOwn = false] of failures) failing = fail(failing, { atMs, served, isOwn });
  return failing!;
}

test("an outage of all does not count, even a long one", () => {
  assert.equal(after([0, 5], [100_000, 5], [900_000, 5]).forMs, 0);
});

test("the first failure after an outage counts only since the last one in it", () => {
  assert.equal(after([0, 5], [900_000, 5], [908_000, 9]).forMs, 8_000);
});

test("time counts while others are served", () => {
  assert.equal(after([0, 5], [8_000, 6], [16_000, 7]).forMs, 16_000);
});

test("a failure that is certainly the tenant's own counts also while no tenant is served", () => {
  assert.equal(after([0, 5], [8_000, 5, true], [16_000, 5]).forMs, 8_000);
});

test("failures in a row are counted, also those of an outage", () => {
  assert.equal(after([0, 5], [1, 5], [2, 6]).inARow, 3);
});
