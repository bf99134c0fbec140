/** What an earlier owner read of the retry topic, and the log lost and replaced by other records since. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parkedBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld } from "../../../lab/testkit/registrar-world.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const known = {
  topicId: null,
  ledgerId: null,
  ledgerEnd: 0,
  ledgerSize: 0,
  leaderEpoch: -1,
  readThrough: 2,
  deadLettersFrom: null,
};

/** Two parked records were read, the second under epoch 3. */
function given(
  t: TestContext,
  { isReplaced, readThroughEpoch = 3 }: { isReplaced: boolean; readThroughEpoch?: number },
) {
  const world = createWorld(t);
  world.log.leaderEpoch = 3;
  for (const machine of ["P-1", "P-2"]) world.log.store(parkedBefore({ machine }, {}));
  const metadata = encodeMetadata({
    attemptedThrough: 2,
    claim: "theirs",
    limits: null,
    known: { ...known, readThroughEpoch },
  });
  world.log.commitBefore({ topic: "retry", partition: 0, offset: 0, metadata });
  if (isReplaced) {
    world.log.cutEnd("retry", 0, 1);
    world.log.leaderEpoch = 4;
    for (const machine of ["Q-1", "Q-2"]) world.log.store(parkedBefore({ machine }, {}));
  }
  return world;
}

// INV-KNOWN-LOG
test("stops the next owner, although the topic has grown past what was read", async (t) => {
  const world = given(t, { isReplaced: true });
  const worker = world.start();
  await world.time.until("it stops", () => worker.fault() !== undefined);
  assert.equal(worker.fault()?.code, "retention-gap");
  assert.match(worker.fault()?.message ?? "", /no longer holds the record before position 2/);
});

test("is reported and skipped where the operator chose to continue", async (t) => {
  const world = given(t, { isReplaced: true });
  const worker = world.start({ onRetentionGap: "continue" });
  await world.time.until("all that is there is made", () => world.createdMachines().length === 3);
  assert.deepEqual(world.createdMachines().sort(), ["P-1", "Q-1", "Q-2"]);
  assert.match(worker.seen("gap-passed")[0]?.detail ?? "", /^retry partition 0: .*before position 2/);
  assert.equal(worker.fault(), undefined);
});

test("is what was read where nothing was replaced, or where the epoch is not known", async (t) => {
  for (const world of [
    given(t, { isReplaced: false }),
    given(t, { isReplaced: true, readThroughEpoch: -1 }),
  ]) {
    const worker = world.start();
    await world.time.until("it is taken over", () => worker.seen("partition-gained").length === 1);
    assert.equal(worker.fault(), undefined);
  }
});

test("is known by the epoch that a commit carries: what the last owner said, then that of the last record read", async (t) => {
  const world = given(t, { isReplaced: false });
  world.log.leaderEpoch = 5;
  world.log.store(parkedBefore({ machine: "P-3" }, {}));
  world.start();
  const stored = () => decodeMetadata(world.log.committed("retry")!.metadata)?.known;
  await world.time.until("it has read the third", () => stored()?.readThrough === 3);
  assert.equal(stored()?.readThroughEpoch, 5);
  const claim = world.log.commits.flat().find(({ topic }) => topic === "retry");
  const claimed = decodeMetadata(claim?.metadata ?? "")?.known;
  assert.deepEqual([claimed?.readThrough, claimed?.readThroughEpoch], [2, 3]);
});
