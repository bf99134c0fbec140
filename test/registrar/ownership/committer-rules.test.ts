/** When a commit is sent, and what it holds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Commit } from "../../../src/ports.ts";
import { decodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { commitIntervalMs, committerAlone as given } from "./committer-alone.ts";

const attempted = ({ metadata }: Commit) => decodeMetadata(metadata)?.attemptedThrough;
const ofEnrolled = (commits: readonly Commit[]) => commits.filter(({ topic }) => topic === "enrolled");

describe("when a commit is sent", () => {
  test("the first immediately, the next an interval after that was sent, whatever settles meanwhile", async () => {
    const { committer, time, times, read } = given();
    committer.commitSoon();
    await time.pass(300);
    for (let n = 0; n < 5; n++) {
      read(6);
      committer.commitSoon();
      await time.pass(100);
    }
    await time.pass(5_000);
    assert.deepEqual(times(), [0, commitIntervalMs]);
  });

  test("immediately where records wait for it", async () => {
    const { committer, time, times, read } = given();
    committer.commitSoon();
    await time.pass(300);
    read(6);
    committer.commitSoon();
    committer.commitNow();
    await time.pass(1);
    assert.deepEqual(times(), [0, 300]);
  });

  test("one at a time, though something settles and records wait meanwhile; then immediately for those that wait", async () => {
    const world = given();
    const { committer, time, times, read } = world;
    world.latencyMs = 5_000;
    committer.commitSoon();
    await time.pass(2_000);
    read(6);
    committer.commitSoon();
    committer.commitNow();
    await time.pass(3_000);
    assert.deepEqual(times(), [0, 5_000]);
    // Nothing is urgent any more: what settles during the second waits for the interval, which is over by then.
    world.latencyMs = 1;
    await time.pass(5_000);
    read(6);
    committer.commitSoon();
    await time.pass(1);
    assert.deepEqual(times(), [0, 5_000, 10_000]);
    world.latencyMs = 100;
    await time.pass(2_000);
    read(6);
    committer.commitSoon();
    await time.pass(50);
    read(6);
    committer.commitSoon();
    await time.pass(5_000);
    assert.deepEqual(times(), [0, 5_000, 10_000, 12_001, 12_001 + commitIntervalMs]);
  });

  test("what is read while the first is in flight waits for the interval", async () => {
    const world = given();
    world.latencyMs = 100;
    world.committer.commitSoon();
    await world.time.pass(50);
    world.read(6);
    world.committer.commitSoon();
    await world.time.pass(5_000);
    assert.deepEqual(world.times(), [0, commitIntervalMs]);
  });

  test("after a failure it waits, longer each time, and nothing shortens the wait; after a success from the beginning", async () => {
    const world = given();
    const { committer, time, times, read, script } = world;
    script.push("superseded", "superseded", "superseded", "committed", "superseded");
    committer.commitNow();
    for (let n = 0; n < 75; n++) {
      committer.commitNow();
      committer.commitSoon();
      await time.pass(10);
    }
    assert.deepEqual(times(), [0, 101, 302, 703]);
    await time.pass(1_250);
    read(6);
    committer.commitSoon();
    await time.pass(2_000);
    assert.deepEqual(times().slice(4), [2_000, 2_101]);
  });

  test("none while nothing changed, and none is planned where membership can't expire", async () => {
    const { committer, time, times, delays } = given();
    for (let n = 0; n < 10; n++) {
      committer.commitSoon();
      await time.pass(10_000);
    }
    assert.deepEqual(times(), [0]);
    assert.ok(delays.every(Number.isFinite));
  });

  test("one position at a third of the lease, though nothing changed, to the millisecond after it", async () => {
    const { committer, time, times, sent } = given({}, { leaseMs: 10_000, partitions: 2 });
    committer.commitSoon();
    await time.pass(7_000);
    assert.deepEqual(times(), [0, 3_334, 6_668]);
    assert.deepEqual(
      sent.map(({ commits }) => commits.length),
      [4, 1, 1],
    );
  });

  test("none without a partition that is confirmed, and none of a session that ended", async () => {
    const world = given();
    world.owned.get(0)!.confirmed = false;
    world.committer.commitNow();
    await world.time.pass(5_000);
    world.owned.get(0)!.confirmed = true;
    world.ended.abort();
    world.committer.commitNow();
    await world.time.pass(5_000);
    assert.deepEqual(world.times(), []);
  });
});

describe("what a commit holds", () => {
  test("both inputs of each partition that is owned, confirmed, and of this session", async () => {
    const { committer, time, owned, sent, session } = given({}, { partitions: 4 });
    owned.get(1)!.confirmed = false;
    owned.get(2)!.lost.abort();
    owned.get(3)!.lease = createLease({ ...session });
    committer.commitSoon();
    await time.pass(5_000);
    assert.deepEqual(
      sent.map(({ commits }) => commits.map(({ topic, partition }) => `${topic} ${partition}`)),
      [["enrolled 0", "retry 0"]],
    );
  });

  test("a promise that stays until half of it is read, and then goes as far ahead again", async () => {
    const { committer, time, sent, read } = given();
    const promises: (number | undefined)[] = [];
    for (const count of [0, 5, 1, 4, 1]) {
      read(count);
      committer.commitSoon();
      await time.pass(2_000);
      promises.push(ofEnrolled(sent.at(-1)!.commits).map(attempted)[0]);
    }
    assert.deepEqual(promises, [10, 10, 16, 16, 16]);
    assert.equal(sent.length, 2);
  });

  test("what changed, also when the lease is due", async () => {
    const { committer, time, sent, read } = given({}, { leaseMs: 10_000, partitions: 2 });
    committer.commitSoon();
    await time.pass(3_333);
    read(6, 1);
    await time.pass(100);
    assert.deepEqual(
      sent[1]?.commits.map(({ topic, partition }) => `${topic} ${partition}`),
      ["enrolled 1"],
    );
  });
});
