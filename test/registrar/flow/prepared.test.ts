/** What a create needs beside its request, a token, is fetched while its tenant waits for a request permit. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createWorld } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";

const maxInFlight = 4;
const tenantIds = Array.from(
  { length: 40 },
  (_, n) => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`,
);

/** One record of each tenant waits. `ahead`: how many tenants were prepared beyond those posted, at the most. */
function given(t: TestContext) {
  const world = createWorld(t);
  const prepared: string[] = [];
  const seen = { ahead: 0 };
  world.graph.prepare = (tenantId) => {
    prepared.push(tenantId);
    seen.ahead = Math.max(seen.ahead, prepared.length - world.creates().length);
  };
  world.graph.latencyMs = 100;
  world.emit(...tenantIds.map((tenant) => ({ tenant })));
  return { world, prepared, seen };
}

test("each tenant is prepared once before its turn, in the order of the turns, and not long before", async (t) => {
  const { world, prepared, seen } = given(t);
  world.start({ maxInFlight });
  await world.untilRegistered(tenantIds.length);
  assert.deepEqual(prepared, tenantIds);
  assert.deepEqual(
    world.creates().map(({ tenantId }) => tenantId),
    tenantIds,
  );
  assert.ok(seen.ahead >= maxInFlight && seen.ahead <= 2 * maxInFlight, `${seen.ahead} ahead`);
});

test("while Graph does not answer, none is prepared for those who wait", async (t) => {
  const { world, prepared } = given(t);
  for (const tenant of tenantIds) world.graph.always(tenant, answers(503));
  const worker = world.start({ maxInFlight });
  await world.time.until(
    "Graph counts as down",
    () => worker.registrar.status().breaker !== "closed",
    60_000,
  );
  const before = prepared.length;
  assert.ok(before < tenantIds.length, `${before} were prepared before`);
  await world.time.pass(60_000);
  assert.equal(prepared.length, before);
});
