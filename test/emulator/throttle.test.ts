import assert from "node:assert/strict";
import { test } from "node:test";
import { countCall, documentedLimits, newThrottle } from "../../emulator/throttle.ts";

const write = (tenantId: string, nowMs: number, appId = "app") => ({ appId, tenantId, isWrite: true, nowMs });
const read = (tenantId: string, nowMs: number) => ({ ...write(tenantId, nowMs), isWrite: false });

test("100 writes in any 20 s; the 101st gets the time to wait", () => {
  const throttle = newThrottle();
  for (let call = 0; call < 100; call += 1) {
    assert.equal(countCall(throttle, documentedLimits, write("t", call)), 0, `call ${call}`);
  }
  // Refused at 100 ms; with it counted, the oldest of the last 100 calls is the one of 1 ms.
  assert.equal(countCall(throttle, documentedLimits, write("t", 100)), 1 + 20_000 - 100);
  assert.equal(countCall(throttle, documentedLimits, write("t", 20_000)), 2);
  assert.equal(countCall(throttle, documentedLimits, write("t", 20_002)), 0);
});

test("the window slides: no 20 s hold more than 100 writes let through", () => {
  const throttle = newThrottle();
  const letThrough: number[] = [];
  for (let nowMs = 0; nowMs < 100_000; nowMs += 137) {
    if (countCall(throttle, documentedLimits, write("t", nowMs)) === 0) letThrough.push(nowMs);
  }
  const fullest = Math.max(
    ...letThrough.map((from) => letThrough.filter((at) => at >= from && at < from + 20_000).length),
  );
  assert.equal(fullest, 100);
});

test("exactly 20 s after the first, one more goes through", () => {
  const throttle = newThrottle();
  for (let call = 0; call < 100; call += 1) countCall(throttle, documentedLimits, write("t", 0));
  assert.equal(countCall(throttle, documentedLimits, write("t", 20_000)), 0);
});

test("tenants have windows of their own; reads have another limit", () => {
  const throttle = newThrottle();
  for (let call = 0; call <= 100; call += 1) countCall(throttle, documentedLimits, write("full", 0));
  assert.equal(countCall(throttle, documentedLimits, write("other", 0)), 0);
  assert.equal(countCall(throttle, documentedLimits, read("full", 0)), 0);
  for (let call = 0; call < 1_000; call += 1) countCall(throttle, documentedLimits, read("reader", 0));
  assert.equal(countCall(throttle, documentedLimits, read("reader", 5_000)), 15_000);
});

test("200 writes for a tenant over all apps", () => {
  const throttle = newThrottle();
  for (const app of ["one", "two"]) {
    for (let call = 0; call < 100; call += 1) {
      assert.equal(countCall(throttle, documentedLimits, write("t", 0, app)), 0);
    }
  }
  assert.notEqual(countCall(throttle, documentedLimits, write("t", 0, "three")), 0);
});

test("an app has a limit over all tenants", () => {
  const throttle = newThrottle();
  const limits = { ...documentedLimits, requestsPerApp: 3 };
  for (const tenant of ["a", "b", "c"]) assert.equal(countCall(throttle, limits, read(tenant, 0)), 0);
  assert.equal(countCall(throttle, limits, read("d", 4_000)), 6_000);
});

test("a changed limit begins a new window", () => {
  const throttle = newThrottle();
  for (let call = 0; call < 150; call += 1) countCall(throttle, documentedLimits, write("t", 0));
  const lower = { ...documentedLimits, writesPerAppAndTenant: 2 };
  assert.equal(countCall(throttle, lower, write("t", 1)), 0);
  assert.equal(countCall(throttle, lower, write("t", 1)), 0);
  assert.notEqual(countCall(throttle, lower, write("t", 1)), 0);
});
