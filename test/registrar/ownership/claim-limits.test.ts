/** The first commit of a take-over, and a worker that vanishes right after it: what its successor still has to know. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import { crashWhile, park, specify } from "../../../lab/testkit/specification.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const theirs = { settleMs: 600_000, orphanMs: 300_000, isHonoured: false };

// INV-DOUBT
describe("given a record that was parked in doubt by a worker with longer time limits, which then stopped", () => {
  test("who takes over and vanishes after its first commit hands these limits on", async (t) => {
    const world = createWorld(t);
    park(world.log, { inDoubt: true });
    for (const topic of ["enrolled", "retry"] as const) {
      const metadata = encodeMetadata({ attemptedThrough: 0, claim: "theirs", limits: theirs, known: null });
      world.log.commitBefore({ topic, partition: 0, offset: 0, metadata });
    }
    await crashWhile(world, "its claim is stored", () => world.log.commits.length > 0);
    assert.equal(world.log.commits.length, 1);
    const stored = decodeMetadata(world.log.committed("retry")!.metadata)?.limits;
    assert.deepEqual(stored, theirs);

    const startedMs = world.time.nowMs();
    world.start();
    await world.time.pass(settings.settleMs + settings.orphanMs + 60_000);
    assert.deepEqual(world.creates(), [], "the first worker's create may still be carried out");
    await world.untilRegistered(1, 3_600_000);
    assert.ok(world.creates()[0]!.atMs - startedMs >= theirs.settleMs + theirs.orphanMs);
  });
});

// INV-DOUBT
describe("given no registered record, and a stored commit of one input only", () => {
  for (const [gone, committed] of [
    ["enrolled", "retry"],
    ["retry", "enrolled"],
  ] as const)
    test(`a worker was at work: records of the ${gone} topic are looked up before they are posted`, (t) =>
      specify(t, {
        given: {
          ...(gone === "enrolled" ? { enrolled: [{}] } : { parked: [{}] }),
          objects: [{}],
        },
        async when(world) {
          const metadata = encodeMetadata({
            attemptedThrough: 200,
            claim: "theirs",
            limits: null,
            known: null,
          });
          world.log.commitBefore({ topic: committed, partition: 0, offset: 0, metadata });
          world.start();
          await world.untilRegistered(1);
          assert.equal(world.registered()[0]!.data.id, objectOf({}, "object-of-before-0").id);
        },
        expect: { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 0 },
      }));
});
