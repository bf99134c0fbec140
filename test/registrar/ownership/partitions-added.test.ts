/** Partitions that are added by hand while workers run: no rebalance follows, and no worker would read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import type { Topic } from "../../../src/ports.ts";

/** From now on this topic has this number of partitions. */
function recount(world: World, topic: Topic, count: () => number): void {
  const { connect } = world.log;
  world.log.connect = (...to) => {
    const { log, member } = connect(...to);
    const survey: typeof log.survey = async () => {
      const result = await log.survey();
      if (!result.ok) return result;
      const bounds = Array.from(
        { length: count() },
        (_, p) => result.topics[topic].bounds[p] ?? { start: 0, end: 0 },
      );
      return { ok: true, topics: { ...result.topics, [topic]: { ...result.topics[topic], bounds } } };
    };
    return { member, log: { ...log, survey } };
  };
}

// INV-KNOWN-LOG
for (const topic of ["enrolled", "retry", "registered"] as const)
  test(`${topic} has more partitions than before: a running worker stops, and says what to type`, async (t) => {
    const world = createWorld(t, { partitions: 2 });
    let count = 2;
    recount(world, topic, () => count);
    world.emit(...many(3, contoso));
    const worker = world.start();
    await world.time.until("registered", () => world.registered().length + world.registered(1).length === 3);
    await world.time.pass(30_000);
    assert.equal(worker.fault(), undefined);
    count = 4;
    await world.time.until("it has stopped", () => worker.fault() !== undefined, 30_000);
    assert.equal(worker.fault()?.code, "topic-partitions");
    assert.match(worker.fault()!.message, new RegExp(`connector\\.${topic} has 4 partitions, and had 2`));
    assert.match(worker.fault()!.fix, /Stop every worker.* repartition --partitions 4$/);
  });

test("the dead-letter topic may have any number; no worker reads it by partition", async (t) => {
  const world = createWorld(t);
  recount(world, "dlq", () => 5);
  world.emit(...many(3, contoso));
  const worker = world.start();
  await world.untilRegistered(3);
  await world.time.pass(30_000);
  assert.equal(worker.fault(), undefined);
});
