/** INV-SERVED: the list of tenants changes: whose records are looked at again, and when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import { tenantsOf } from "../tenants-list.ts";

const inAnHour = answers(429, { retryAfter: "3600" });

test("what waits for a tenant that is removed is refused immediately, however long Graph asked it to wait", async (t) => {
  const world = createWorld(t);
  const { served, set } = tenantsOf(contoso, fabrikam);
  world.graph.script(contoso, inAnHour);
  world.emit(...many(3, contoso));
  world.start({ tenants: served, maxInFlight: 1, batchMax: 1 });
  await world.time.pass(10_000);
  assert.deepEqual([world.creates().length, world.deadLetters()], [1, []]);
  set(fabrikam);
  await world.time.pass(1_000);
  assert.deepEqual(
    world.deadLetters(),
    [0, 1, 2].map((offset) => `tenant-not-allowed enrolled/0/${offset}`),
  );
});

test("only of tenants of which something changed the limit is asked for again", async (t) => {
  const world = createWorld(t);
  const { served, set } = tenantsOf(contoso, fabrikam);
  const asked: string[] = [];
  const writesPer20sOf: typeof served.writesPer20sOf = (tenantId) => {
    asked.push(tenantId);
    return served.writesPer20sOf(tenantId);
  };
  for (const tenant of [contoso, fabrikam]) {
    world.graph.script(tenant, inAnHour);
    world.emit(...many(3, tenant));
  }
  world.start({ tenants: { ...served, writesPer20sOf } });
  await world.time.pass(10_000);
  asked.length = 0;
  set({ tenantId: contoso, writesPer20s: 30 }, fabrikam);
  await world.time.rest();
  assert.deepEqual(asked, [contoso]);
});
