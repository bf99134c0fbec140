/**
 * Taking over from a static member, whose place another worker may have while it is still at work. INV-LEASE: nothing of its
 * partitions is read or claimed before it can't begin a create any more.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings, type World } from "../../../lab/testkit/registrar-world.ts";
import { inputTopics } from "../../../src/ports.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";

const overlapMs = 30_000;
const theirs = { memberId: "their-id", overlapMs };

function committedBefore(world: World, attemptedThrough: number, holder = theirs): void {
  for (const topic of inputTopics) {
    const metadata = encodeMetadata({ attemptedThrough, claim: "theirs", limits: null, known: null, holder });
    world.log.commitBefore({ topic, partition: 0, offset: 0, metadata });
  }
}
const stored = (world: World) => decodeMetadata(world.log.committed("enrolled")!.metadata);

describe("a partition whose last commit is a static member's", () => {
  test("is not claimed before that member's lease is over; what came meanwhile under its promise is suspect", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 500);
    const assignedAtMs = world.time.nowMs();
    const worker = world.start();
    await world.time.pass(overlapMs - 1_000);
    // The member that still believes to hold it may post these: its promise covers them.
    world.emit(...many(2, contoso));
    assert.equal(stored(world)?.claim, "theirs");
    assert.deepEqual(
      worker.seen("take-over-waits").map(({ partition, forMs }) => ({ partition, forMs })),
      [{ partition: 0, forMs: overlapMs }],
    );
    await world.time.until("it is gained", () => worker.seen("partition-gained").length === 1);
    assert.ok(world.time.nowMs() >= assignedAtMs + overlapMs);
    assert.equal(worker.seen("partition-gained")[0]?.suspects, 2);
    await world.untilRegistered(2);
    assert.ok(world.lists()[0]!.atMs >= assignedAtMs + overlapMs + settings.settleMs);
    assert.equal(world.creates().length > 0, true);
  });

  test("is taken over immediately when that member came into this generation by itself", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 0);
    world.emit(...many(1, contoso));
    const worker = world.start({});
    worker.member.joinedBy = ["their-id"];
    await world.untilRegistered(1, 5_000);
    assert.deepEqual(worker.seen("take-over-waits"), []);
  });

  test("is taken over immediately after that member's clean stop, and not after its crash", async (t) => {
    const world = createWorld(t);
    const place = (memberId: string) => {
      const worker = world.start({});
      worker.member.holder = { memberId, overlapMs };
      return worker;
    };
    const first = place("first");
    world.emit(...many(1, contoso));
    await world.untilRegistered(1);
    assert.deepEqual(stored(world)?.holder, { memberId: "first", overlapMs });
    await first.stop();
    assert.equal(stored(world)?.holder, undefined, "its last commit says that it begins nothing more");
    const second = place("second");
    world.emit({ machine: "B" });
    await world.untilRegistered(2, 5_000);
    second.crash();
    const third = place("third");
    const crashedAtMs = world.time.nowMs();
    world.emit({ machine: "C" });
    await world.untilRegistered(3);
    assert.ok(world.time.nowMs() >= crashedAtMs + overlapMs);
    assert.deepEqual([second.seen("take-over-waits").length, third.seen("take-over-waits").length], [0, 1]);
  });

  test("a session that ends while it waits claims nothing, and the next one waits from its own beginning", async (t) => {
    const world = createWorld(t);
    committedBefore(world, 1);
    const worker = world.start();
    await world.time.pass(overlapMs / 2);
    worker.member.rebalance([0]);
    const againAtMs = world.time.nowMs();
    await world.time.pass(overlapMs - 1_000);
    assert.equal(stored(world)?.claim, "theirs");
    await world.time.until("it is gained", () => worker.seen("partition-gained").length === 1);
    assert.ok(world.time.nowMs() >= againAtMs + overlapMs);
  });
});
