/** Graph honours ids for some and ignores them for others: as where a service is renewed in one place after the other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { createWorld } from "../../../lab/testkit/registrar-world.ts";
import { lostAfterCreating } from "../../../lab/testkit/scripted-graph.ts";

// INV-READ-BACK
test("once an answer has shown that an id was ignored, no other one makes up for it: what is in doubt is looked up in lists", async (t) => {
  const world = createWorld(t);
  const create = async (tenant: string, machine: string, count: number) => {
    world.graph.ids = tenant === contoso ? "honoured" : "ignored";
    world.emit({ tenant, machine });
    await world.untilRegistered(count);
  };
  world.start();
  await create(contoso, "A", 1);
  await create(fabrikam, "B", 2);
  await create(contoso, "C", 3);
  world.graph.script(fabrikam, lostAfterCreating);
  await create(fabrikam, "D", 4);
  assert.deepEqual(
    world.graph.objects.get(fabrikam)?.map(({ machineName }) => machineName),
    ["B", "D"],
  );
});
