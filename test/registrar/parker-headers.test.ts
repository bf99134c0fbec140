/** What a parked record's headers say, and whose word that is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, headerNames, parkedBefore } from "./enrollments.ts";
import { createWorld } from "./harness.ts";
import { answers } from "./scripted-graph.ts";

test("given a producer's in-doubt header on a record that is parked, it does not go with it", async (t) => {
  const world = createWorld(t);
  world.log.store(parkedBefore({ machine: "A" }));
  world.log.store({ ...parkedBefore({ machine: "B" }, { inDoubt: true }), topic: "enrolled" });
  world.graph.always(contoso, answers(403));
  const worker = world.start();
  await world.time.until("it is parked", () => worker.seen("record-parked").length === 1);
  assert.deepEqual(headerNames(world.log.records("retry")[1]!), ["origin"]);
});
