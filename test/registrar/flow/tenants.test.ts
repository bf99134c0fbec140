/** What is known of each tenant, before it has a queue and after, and of all of them together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { objectOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Verdict } from "../../../src/policy/classify.ts";
import { take } from "../../../src/policy/pacing.ts";
import { createTenants } from "../../../src/registrar/flow/tenants.ts";

/** `limits`: of tenants that have one of their own. */
function given(writesPer20s = 0, limits: Record<string, number> = {}) {
  const clock = virtualClock();
  const kinds: RegistrarEvent["kind"][] = [];
  const ports = { clock, random: () => 0.5, observe: ({ kind }: RegistrarEvent) => void kinds.push(kind) };
  const served = { ...settings.tenants, writesPer20sOf: (tenantId: string) => limits[tenantId] ?? null };
  const tenants = createTenants(ports, { writesPer20s, tenants: served });
  const answer = (tenantId: string, ...verdicts: readonly Verdict[]) => {
    const queue = tenants.queueOf(tenantId);
    tenants.takeIn(queue, verdicts, take(queue.pacing, verdicts.length, clock.nowMs()));
  };
  return { clock, kinds, tenants, answer, limits };
}

const created: Verdict = { kind: "created", object: objectOf({}) };
const conflict: Verdict = { kind: "conflict", detail: "409" };
const failed: Verdict = { kind: "unknown", cause: "failure", afterMs: null, detail: "500" };

for (const [writesPer20s, expected] of [
  [0, Number.POSITIVE_INFINITY],
  [7, 7],
] as const)
  test(`a tenant of which nothing was posted can take ${expected} at a limit of ${writesPer20s}`, () => {
    assert.equal(given(writesPer20s).tenants.capacityWithin("a", 1_000), expected);
  });

test("a tenant can take what is left of its limit, its own one if it has one, also when that changes", () => {
  const { tenants, answer, limits } = given(7, { b: 3 });
  assert.equal(tenants.capacityWithin("b", 1_000), 3);
  answer("a", created, conflict);
  answer("b", created);
  assert.deepEqual([tenants.capacityWithin("a", 1_000), tenants.capacityWithin("b", 1_000)], [5, 2]);
  limits.b = 10;
  tenants.renew("b");
  tenants.renew("c");
  assert.equal(tenants.capacityWithin("b", 1_000), 9);
  assert.deepEqual(
    tenants.queues().map(({ tenantId }) => tenantId),
    ["a", "b"],
  );
});

test("creates that succeeded are counted for their tenant and for all, and nothing else is", () => {
  const { tenants, answer } = given();
  assert.deepEqual([tenants.createsOf("a"), tenants.createsOfAll()], [0, 0]);
  answer("a", created, conflict, created);
  answer("b", created);
  assert.deepEqual([tenants.createsOf("a"), tenants.createsOf("b"), tenants.createsOfAll()], [2, 1, 3]);
});

test("a tenant that fails is measured by what all were served before it failed again", () => {
  const { clock, tenants, answer } = given();
  answer("a", failed);
  answer("b", created);
  clock.advance(60_000);
  answer("a", failed);
  assert.equal(tenants.queueOf("a").failing?.forMs, 60_000);
});

// INV-ISOLATION
test("of a tenant whose reads are refused that is known, since when and until when, until one is answered well", () => {
  const { clock, kinds, tenants, answer } = given();
  answer("well", created);
  tenants.block("a", "reads", "403");
  clock.advance(4_000);
  assert.deepEqual(tenants.blocked(), ["a"]);
  assert.deepEqual(
    [tenants.isBlocked("a"), tenants.isBlocked("well"), tenants.isBlocked("c")],
    [true, false, false],
  );
  assert.deepEqual([tenants.blockedForMs("a"), tenants.blockedForMs("c")], [4_000, 0]);
  assert.equal(tenants.closedUntilMs("a"), 7_500);
  assert.equal(tenants.closedUntilMs("c"), Number.NEGATIVE_INFINITY);
  tenants.unblockReads("a");
  assert.deepEqual([tenants.blocked(), tenants.blockedForMs("a")], [[], 0]);
  assert.deepEqual(kinds, ["tenant-blocked", "tenant-unblocked"]);
});

test("to ask about tenants, which may be any number that are not served, keeps nothing of them", () => {
  const { tenants } = given(7);
  for (const tenantId of ["a", "b"]) {
    tenants.closedUntilMs(tenantId);
    tenants.blockedForMs(tenantId);
    tenants.capacityWithin(tenantId, 1_000);
    tenants.createsOf(tenantId);
    tenants.isBlocked(tenantId);
  }
  assert.deepEqual(tenants.queues(), []);
});
