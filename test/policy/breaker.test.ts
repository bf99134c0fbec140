import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Breaker,
  breakerState,
  createBreaker,
  heldUntilMs,
  isSuspected,
  probed,
  recordHealth,
} from "../../src/policy/breaker.ts";

const backoff = { baseMs: 1000, capMs: 8000 };
/** One answer to a tenant, and what it says of Graph's health. */
const answered =
  (health: "well" | "ill" | "neither") =>
  (breaker: Breaker, tenantId: string, nowMs = 0) =>
    recordHealth(breaker, { tenantId, health, nowMs }, () => 0.5);
const [well, ill, neither] = [answered("well"), answered("ill"), answered("neither")];
const times = (count: number, act: () => string) => Array.from({ length: count }, act);

describe("an outage of Graph", () => {
  test("opens at the threshold, not before, and a well answer in between starts the count again", () => {
    const breaker = createBreaker(4, backoff);
    const tenants = ["a", "b", "c", "d"];
    for (const tenant of tenants.slice(1)) assert.equal(ill(breaker, tenant), "unchanged");
    well(breaker, "a");
    assert.deepEqual(
      tenants.map((tenant) => ill(breaker, tenant)),
      ["unchanged", "unchanged", "unchanged", "opened"],
    );
    assert.equal(probed(breaker, "another"), "all");
    assert.ok(heldUntilMs(breaker, "another") > 0);
  });

  test("is probed by one request at a time, waited for longer after each that fails, and over with the first well one", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) ill(breaker, tenant);
    const firstMs = heldUntilMs(breaker, "d");
    assert.deepEqual(
      [breakerState(breaker, firstMs - 1), breakerState(breaker, firstMs)],
      ["open", "probing"],
    );
    ill(breaker, "a", firstMs);
    assert.ok(heldUntilMs(breaker, "d") - firstMs > firstMs);
    assert.equal(well(breaker, "b", 60_000), "closed");
    assert.deepEqual(
      [probed(breaker, "a"), probed(breaker, "d"), heldUntilMs(breaker, "a")],
      ["none", "none", 0],
    );
  });

  test("waits half the base, and at random up to twice the base, then up to four times", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) ill(breaker, tenant);
    assert.equal(heldUntilMs(breaker, "d"), 500 + 0.5 * 2_000);
    ill(breaker, "a", 10_000);
    assert.equal(heldUntilMs(breaker, "d"), 10_000 + 500 + 0.5 * 4_000);
  });

  test("an answer that says nothing about Graph's health never opens it, and suspects no tenant", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c", "a", "b"]) assert.equal(neither(breaker, tenant), "unchanged");
    assert.deepEqual([probed(breaker, "a"), isSuspected(breaker, "a")], ["none", false]);
  });

  test("late failures of requests sent before it opened change nothing", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) ill(breaker, tenant);
    const untilMs = heldUntilMs(breaker, "d");
    times(50, () => ill(breaker, "b", 1));
    assert.equal(heldUntilMs(breaker, "d"), untilMs);
    neither(breaker, "a", 1);
    assert.equal(breakerState(breaker, 1), "open");
  });

  test("a probe had better ask a tenant that did not just fail", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) ill(breaker, tenant);
    assert.deepEqual([isSuspected(breaker, "a"), isSuspected(breaker, "d")], [true, false]);
  });
});

describe("few ill answers", () => {
  test("over five seconds are an outage too; within less they are not", () => {
    const breaker = createBreaker(8, backoff);
    const at = (nowMs: number) => ill(breaker, "a", nowMs);
    assert.deepEqual([at(10_000), at(14_999), at(15_000)], ["unchanged", "unchanged", "opened"]);
    assert.deepEqual([probed(breaker, "a"), probed(breaker, "b")], ["tenant", "none"]);
  });

  test("two are none, and a well answer in between begins the count and the time again", () => {
    const breaker = createBreaker(8, backoff);
    const at = (nowMs: number) => ill(breaker, "a", nowMs);
    assert.deepEqual([at(0), at(50_000)], ["unchanged", "unchanged"]);
    well(breaker, "a", 51_000);
    assert.deepEqual([at(60_000), at(62_000), at(64_000)], ["unchanged", "unchanged", "unchanged"]);
    assert.equal(breakerState(breaker, 64_000), "closed");
  });

  test("of a tenant, while others are served, hold it, and are not an outage", () => {
    const breaker = createBreaker(8, backoff);
    const at = (nowMs: number) => ill(breaker, "a", nowMs);
    at(0);
    well(breaker, "b", 1_000);
    assert.deepEqual([at(6_000), at(12_000)], ["unchanged", "unchanged"]);
    assert.deepEqual([probed(breaker, "a"), breakerState(breaker, 12_000)], ["tenant", "closed"]);
    assert.equal(at(18_000), "opened");
  });
});

// INV-ISOLATION
describe("one tenant that always fails", () => {
  test("is held itself, after any number of failures, and never another", () => {
    const breaker = createBreaker(8, backoff);
    assert.deepEqual(new Set(times(7, () => ill(breaker, "a"))), new Set(["unchanged"]));
    assert.deepEqual([probed(breaker, "a"), heldUntilMs(breaker, "a")], ["none", 0]);
    assert.equal(ill(breaker, "a"), "opened");
    for (let nowMs = 0; nowMs < 3_600_000; nowMs = heldUntilMs(breaker, "a")) {
      ill(breaker, "a", nowMs);
      assert.deepEqual([probed(breaker, "a"), probed(breaker, "b")], ["tenant", "none"]);
      assert.equal(heldUntilMs(breaker, "b"), 0);
    }
  });

  test("with a second one that fails once, too: that is not an outage yet", () => {
    const breaker = createBreaker(8, backoff);
    times(20, () => ill(breaker, "a"));
    ill(breaker, "b");
    assert.equal(probed(breaker, "c"), "none");
    ill(breaker, "b");
    assert.equal(probed(breaker, "c"), "all");
  });

  test("is reported as an outage only until another is served, and does not bring it back while others are", () => {
    const breaker = createBreaker(8, backoff);
    times(8, () => ill(breaker, "a"));
    assert.equal(well(breaker, "b"), "closed");
    assert.equal(probed(breaker, "a"), "tenant");
    for (let n = 0; n < 100; n++) {
      assert.equal(well(breaker, "b", n * 60_000), "unchanged");
      assert.equal(ill(breaker, "a", n * 60_000), "unchanged");
      assert.equal(breakerState(breaker, n * 60_000), "closed");
      assert.equal(probed(breaker, "a"), "tenant");
    }
    well(breaker, "a", 0);
    assert.equal(probed(breaker, "a"), "none");
  });
});
