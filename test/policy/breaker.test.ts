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
const record = (breaker: Breaker, tenantId: string, health: "well" | "ill" | "neither", nowMs = 0) =>
  recordHealth(breaker, { tenantId, health, nowMs }, () => 0.5);
const times = (count: number, act: () => string) => Array.from({ length: count }, act);

describe("an outage of Graph", () => {
  test("opens at the threshold, not before, and a well answer in between starts the count again", () => {
    const breaker = createBreaker(4, backoff);
    const tenants = ["a", "b", "c", "d"];
    for (const tenant of tenants.slice(1)) assert.equal(record(breaker, tenant, "ill"), "unchanged");
    record(breaker, "a", "well");
    assert.deepEqual(
      tenants.map((tenant) => record(breaker, tenant, "ill")),
      ["unchanged", "unchanged", "unchanged", "opened"],
    );
    assert.equal(probed(breaker, "another"), "all");
    assert.ok(heldUntilMs(breaker, "another") > 0);
  });

  test("is probed by one request at a time, waited for longer after each that fails, and over with the first well one", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) record(breaker, tenant, "ill");
    const firstMs = heldUntilMs(breaker, "d");
    assert.deepEqual(
      [breakerState(breaker, firstMs - 1), breakerState(breaker, firstMs)],
      ["open", "probing"],
    );
    record(breaker, "a", "ill", firstMs);
    assert.ok(heldUntilMs(breaker, "d") - firstMs > firstMs);
    assert.equal(record(breaker, "b", "well", 60_000), "closed");
    assert.deepEqual(
      [probed(breaker, "a"), probed(breaker, "d"), heldUntilMs(breaker, "a")],
      ["none", "none", 0],
    );
  });

  test("waits half the base, and at random up to twice the base, then up to four times", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) record(breaker, tenant, "ill");
    assert.equal(heldUntilMs(breaker, "d"), 500 + 0.5 * 2_000);
    record(breaker, "a", "ill", 10_000);
    assert.equal(heldUntilMs(breaker, "d"), 10_000 + 500 + 0.5 * 4_000);
  });

  test("an answer that says nothing about Graph's health never opens it, and suspects no tenant", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c", "a", "b"])
      assert.equal(record(breaker, tenant, "neither"), "unchanged");
    assert.deepEqual([probed(breaker, "a"), isSuspected(breaker, "a")], ["none", false]);
  });

  test("late failures of requests sent before it opened change nothing", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) record(breaker, tenant, "ill");
    const untilMs = heldUntilMs(breaker, "d");
    times(50, () => record(breaker, "b", "ill", 1));
    assert.equal(heldUntilMs(breaker, "d"), untilMs);
    record(breaker, "a", "neither", 1);
    assert.equal(breakerState(breaker, 1), "open");
  });

  test("a probe had better ask a tenant that did not just fail", () => {
    const breaker = createBreaker(2, backoff);
    for (const tenant of ["a", "b", "c"]) record(breaker, tenant, "ill");
    assert.deepEqual([isSuspected(breaker, "a"), isSuspected(breaker, "d")], [true, false]);
  });
});

describe("few ill answers", () => {
  test("over five seconds are an outage too; within less they are not", () => {
    const breaker = createBreaker(8, backoff);
    const at = (nowMs: number) => record(breaker, "a", "ill", nowMs);
    assert.deepEqual([at(10_000), at(14_999), at(15_000)], ["unchanged", "unchanged", "opened"]);
    assert.deepEqual([probed(breaker, "a"), probed(breaker, "b")], ["tenant", "none"]);
  });

  test("two are none, and a well answer in between begins the count and the time again", () => {
    const breaker = createBreaker(8, backoff);
    const at = (nowMs: number) => record(breaker, "a", "ill", nowMs);
    assert.deepEqual([at(0), at(50_000)], ["unchanged", "unchanged"]);
    record(breaker, "a", "well", 51_000);
    assert.deepEqual([at(60_000), at(62_000), at(64_000)], ["unchanged", "unchanged", "unchanged"]);
    assert.equal(breakerState(breaker, 64_000), "closed");
  });

  test("of a tenant, while others are served, hold it, and are not an outage", () => {
    const breaker = createBreaker(8, backoff);
    const at = (nowMs: number) => record(breaker, "a", "ill", nowMs);
    at(0);
    record(breaker, "b", "well", 1_000);
    assert.deepEqual([at(6_000), at(12_000)], ["unchanged", "unchanged"]);
    assert.deepEqual([probed(breaker, "a"), breakerState(breaker, 12_000)], ["tenant", "closed"]);
    assert.equal(at(18_000), "opened");
  });
});

// INV-ISOLATION
describe("one tenant that always fails", () => {
  test("is held itself, after any number of failures, and never another", () => {
    const breaker = createBreaker(8, backoff);
    assert.deepEqual(new Set(times(7, () => record(breaker, "a", "ill"))), new Set(["unchanged"]));
    assert.deepEqual([probed(breaker, "a"), heldUntilMs(breaker, "a")], ["none", 0]);
    assert.equal(record(breaker, "a", "ill"), "opened");
    for (let nowMs = 0; nowMs < 3_600_000; nowMs = heldUntilMs(breaker, "a")) {
      record(breaker, "a", "ill", nowMs);
      assert.deepEqual([probed(breaker, "a"), probed(breaker, "b")], ["tenant", "none"]);
      assert.equal(heldUntilMs(breaker, "b"), 0);
    }
  });

  test("with a second one that fails once, too: that is not an outage yet", () => {
    const breaker = createBreaker(8, backoff);
    times(20, () => record(breaker, "a", "ill"));
    record(breaker, "b", "ill");
    assert.equal(probed(breaker, "c"), "none");
    record(breaker, "b", "ill");
    assert.equal(probed(breaker, "c"), "all");
  });

  test("is reported as an outage only until another is served, and does not bring it back while others are", () => {
    const breaker = createBreaker(8, backoff);
    times(8, () => record(breaker, "a", "ill"));
    assert.equal(record(breaker, "b", "well"), "closed");
    assert.equal(probed(breaker, "a"), "tenant");
    for (let n = 0; n < 100; n++) {
      assert.equal(record(breaker, "b", "well", n * 60_000), "unchanged");
      assert.equal(record(breaker, "a", "ill", n * 60_000), "unchanged");
      assert.equal(breakerState(breaker, n * 60_000), "closed");
      assert.equal(probed(breaker, "a"), "tenant");
    }
    record(breaker, "a", "well", 0);
    assert.equal(probed(breaker, "a"), "none");
  });
});
