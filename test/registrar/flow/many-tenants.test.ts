/** What a record costs must not grow with the number of tenants that wait: a full window holds as many of them as records. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";

const events = 2_000;
const tenantId = (n: number) => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;

/** How often it is asked whether a tenant is served, for each record, with this number of tenants in the window. */
async function questionsEach(t: TestContext, windowRecords: number): Promise<number> {
  const world = createWorld(t);
  world.graph.latencyMs = 100;
  let questions = 0;
  const standingOf = () => {
    questions++;
    return "served" as const;
  };
  world.emit(...Array.from({ length: events }, (_, n) => ({ tenant: tenantId(n) })));
  world.start({ windowRecords, tenants: { ...settings.tenants, standingOf } });
  await world.untilRegistered(events, 600_000);
  return questions / events;
}

// INV-ISOLATION
test("a full window is not looked through for each record that leaves it", async (t) => {
  const few = await questionsEach(t, 50);
  const many = await questionsEach(t, 1_000);
  assert.ok(many < 2 * few, `${few} questions a record with 50 in the window, ${many} with 1,000`);
});
