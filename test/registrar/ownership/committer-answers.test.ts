/** What the answer to a commit changes, what an unknown one leaves open, and the last commits of a clean stop. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { settle } from "../../../src/registrar/intake/window.ts";
import { decodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";
import { attemptAhead, committerAlone as given } from "./committer-alone.ts";

const { settleMs } = settings;

describe("what the answer changes", () => {
  test("a promise that grew is passed on, for partitions that are still owned; an offset alone is not", async () => {
    const { committer, time, owned, promised, read } = given({}, { partitions: 2 });
    committer.commitSoon();
    await time.pass(0);
    owned.get(1)!.lost.abort();
    await time.pass(10);
    assert.deepEqual(promised, [0]);
    assert.equal(owned.get(0)!.window.attemptedThrough, attemptAhead);
    const [first] = read(1);
    settle(owned.get(0)!.window, first!);
    committer.commitSoon();
    await time.pass(5_000);
    assert.deepEqual(promised, [0]);
  });

  test("a refusal voids the lease, an unknown outcome does not; only the latter suspends promises", async () => {
    for (const [result, isVoid, promised] of [
      ["superseded", true, 16],
      ["unknown", false, 10],
    ] as const) {
      const world = given();
      world.committer.commitSoon();
      await world.time.pass(2_000);
      world.script.push(result);
      world.read(6);
      world.committer.commitSoon();
      await world.time.pass(50);
      assert.equal(world.lease.renewedAt === null, isVoid, result);
      await world.time.pass(5_000);
      assert.equal(world.owned.get(0)!.window.attemptedThrough, promised, result);
    }
  });
});

// INV-DOUBT
describe("a partition says that ids are honoured, as far as others may read,", () => {
  const said = (world: ReturnType<typeof given>) => [...world.owned.get(0)!.saysHonoured];

  test("from the first commit on that says so, whatever is answered, until one that does not is acknowledged", async () => {
    const world = given({ attemptAhead: 0 });
    world.committer.commitSoon();
    await world.time.pass(2_000);
    assert.deepEqual(said(world), [], "it was not seen yet");
    world.honoursIds = true;
    world.script.push("superseded");
    world.committer.commitSoon();
    await world.time.pass(0);
    assert.deepEqual(said(world), ["enrolled", "retry"]);
    await world.time.pass(2_000);
    assert.equal(world.sent.length, 3);
    assert.deepEqual([said(world), world.promised], [["enrolled", "retry"], []]);
    world.honoursIds = false;
    world.script.push("superseded");
    world.committer.commitSoon();
    await world.time.pass(10);
    assert.deepEqual(said(world), ["enrolled", "retry"], "that one was refused");
    await world.time.pass(2_000);
    assert.deepEqual([said(world), world.promised], [[], [0]], "records that waited for it are notified");
  });
});

describe("after an unknown outcome", () => {
  async function suspended() {
    const world = given();
    world.committer.commitSoon();
    await world.time.pass(2_000);
    world.committer.suspendPromises();
    const untilMs = world.time.nowMs() + settleMs;
    world.sent.length = 0;
    return { ...world, untilMs, at: () => world.sent.map(({ atMs }) => atMs - untilMs) };
  }

  test("all is committed once more when promises are no longer suspended, once, though nothing changed", async () => {
    const { time, at, sent } = await suspended();
    await time.pass(2 * settleMs);
    assert.deepEqual(at(), [0]);
    assert.equal(sent[0]?.commits.length, 2);
  });

  test("a second one puts the end off", async () => {
    const { time, at, committer } = await suspended();
    await time.pass(10_000);
    committer.suspendPromises();
    committer.suspendPromises();
    await time.pass(2 * settleMs);
    assert.deepEqual(at(), [10_000]);
  });

  test("what is acknowledged meanwhile promises nothing, and is not sent over and over", async () => {
    const { time, at, committer, owned, read } = await suspended();
    read(6);
    committer.commitSoon();
    await time.pass(settleMs - 1);
    assert.deepEqual(at(), [-settleMs]);
    assert.equal(owned.get(0)!.window.attemptedThrough, attemptAhead);
    await time.pass(2);
    assert.equal(owned.get(0)!.window.attemptedThrough, 16);
  });

  test("one that is acknowledged at the very end of it is sent once more, and then promises", async () => {
    for (const latencyMs of [500, 501, 5_000]) {
      const world = given();
      world.committer.commitSoon();
      await world.time.pass(2_000);
      world.committer.suspendPromises();
      await world.time.pass(settleMs - 500);
      world.latencyMs = latencyMs;
      world.read(6);
      world.committer.commitSoon();
      await world.time.pass(latencyMs);
      assert.equal(world.owned.get(0)!.window.attemptedThrough, attemptAhead, `${latencyMs} ms`);
      await world.time.pass(20_000);
      assert.equal(world.owned.get(0)!.window.attemptedThrough, 16, `${latencyMs} ms`);
      assert.equal(world.sent.length, 3, `${latencyMs} ms`);
    }
  });
});

describe("the last commit", () => {
  const finish = async (world: ReturnType<typeof given>) => {
    void world.committer.finish(world.session);
    await world.time.pass(5_000);
  };

  test("promises no more than what may have been carried out, is reported, and nothing follows it", async () => {
    const world = given();
    world.committer.commitSoon();
    await world.time.pass(500);
    world.read(6);
    world.committer.commitSoon();
    await finish(world);
    world.committer.commitNow();
    world.committer.commitSoon();
    await world.time.pass(5_000);
    assert.deepEqual(world.times(), [0, 500]);
    assert.deepEqual(
      world.sent[1]?.commits.map(({ metadata }) => decodeMetadata(metadata)?.attemptedThrough),
      [0, 0],
    );
    assert.equal(world.events.filter(({ kind }) => kind === "committed").length, 2);
  });

  test("is the last one also where no other was planned, and no timer is left", async () => {
    const world = given();
    await finish(world);
    world.read(6);
    world.committer.commitNow();
    await world.time.pass(5_000);
    assert.deepEqual(world.times(), [0]);
    const planned = given();
    planned.committer.commitSoon();
    await planned.time.pass(500);
    planned.read(6);
    planned.committer.commitSoon();
    assert.equal(planned.pending, 1);
    void planned.committer.finish(planned.session);
    assert.equal(planned.pending, 0);
  });

  test("waits for one that is in flight, which would land over it", async () => {
    const world = given();
    world.latencyMs = 400;
    world.committer.commitSoon();
    await world.time.pass(100);
    world.read(6);
    await finish(world);
    assert.deepEqual(world.times(), [0, 400]);
    assert.equal(decodeMetadata(world.sent[1]!.commits[0]!.metadata)?.attemptedThrough, 0);
  });

  test("is sent three times at the most", async () => {
    const world = given();
    world.script.push("unknown", "unknown", "unknown", "unknown");
    await finish(world);
    assert.equal(world.sent.length, 3);
  });

  test("is not sent where all is stored already, nor under another session than the one that it is of", async () => {
    const stored = given({ attemptAhead: 0 });
    stored.committer.commitSoon();
    await stored.time.pass(5_000);
    await finish(stored);
    assert.deepEqual(stored.times(), [0]);
    const other = given();
    void other.committer.finish({ ...other.session });
    await other.time.pass(5_000);
    assert.deepEqual(other.times(), []);
  });
});
