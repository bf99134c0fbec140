/** A record that is never settled must not hold up what stands behind a full window. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fabrikam } from "./enrollments.ts";
import { createWorld, many } from "./harness.ts";
import { answers } from "./scripted-graph.ts";

test("a machine whose record keeps failing leaves a full window, and the others behind it flow", async (t) => {
  const world = createWorld(t);
  world.graph.always("HOST-0", answers(500));
  const worker = world.start({ windowRecords: 3 });
  world.emit(
    ...[1, 2, 3].map((n) => ({ machine: "HOST-0", event: `event-${n}`, at: `2020-01-0${n}T00:00:00Z` })),
  );
  world.emit(...many(20, fabrikam, 10));
  await world.time.until(
    "the other tenant is served",
    () => (world.graph.objects.get(fabrikam)?.length ?? 0) === 20,
    300_000,
  );
  assert.ok(worker.seen("record-parked").length >= 3);
});
