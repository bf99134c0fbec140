/** The right to post: renewed by acknowledged commits, by both clocks, and void as soon as one is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import type { Clock, Session } from "../../../src/ports.ts";
import {
  createLease,
  dueInMs,
  isDue,
  isHolding,
  renew,
  revoke,
} from "../../../src/registrar/ownership/lease.ts";

const leaseMs = 12_000;
const idleMs = 60_000;

/** A worker whose sessions hold for leaseMs after an acknowledged commit. */
function startLeased(world: World) {
  const worker = world.start();
  worker.member.leaseMs = leaseMs;
  return worker;
}

// INV-LEASE
describe("the lease", () => {
  test("of an idle worker is renewed by a commit now and then, so that its next record is posted immediately", async (t) => {
    const world = createWorld(t);
    startLeased(world);
    await world.time.pass(idleMs);
    const commits = world.log.commits.length;
    await world.time.pass(idleMs);
    const renewals = world.log.commits.slice(commits);
    assert.equal(renewals.length, idleMs / (leaseMs / 3));
    assert.ok(renewals.every((commit) => commit.length === 1));
    world.emit({});
    await world.untilRegistered(1, 1_000);
  });

  test("runs out while no commit is acknowledged, whatever the heartbeats say; the next one lets it on", async (t) => {
    const world = createWorld(t);
    const { registrar } = startLeased(world);
    await world.time.pass(idleMs);
    assert.deepEqual(registrar.status().notReady, []);
    const release = world.log.hold("commit");
    await world.time.pass(leaseMs);
    world.emit(...many(3, contoso));
    await world.time.pass(idleMs);
    assert.deepEqual(world.creates(), []);
    assert.deepEqual(registrar.status().notReady, [
      "group: no commit was acknowledged lately, so nothing is posted",
    ]);
    release();
    await world.untilRegistered(3, 1_000);
    assert.equal(registrar.status().ready, true);
  });

  test("is void after the machine was suspended: the wall clock ran ahead of the monotonic one", async (t) => {
    const world = createWorld(t);
    startLeased(world);
    await world.time.pass(idleMs);
    const release = world.log.hold("commit");
    world.time.suspend(leaseMs);
    world.emit({});
    await world.time.pass(1_000);
    assert.deepEqual(world.creates(), []);
    release();
    await world.untilRegistered(1, 1_000);
  });

  test("is renewed immediately where a record has all else that it needs", async (t) => {
    const world = createWorld(t);
    startLeased(world);
    world.emit({});
    await world.untilRegistered(1);
    // Until right after a renewal: the next one is some seconds away.
    await world.time.pass(idleMs);
    const commits = world.log.commits.length;
    await world.time.until("the next renewal", () => world.log.commits.length > commits);
    world.time.suspend(leaseMs);
    world.emit({ machine: "NEXT" });
    await world.untilRegistered(2, 1_000);
  });

  test("runs on when the wall clock was set back", async (t) => {
    const world = createWorld(t);
    startLeased(world);
    await world.time.pass(idleMs);
    world.time.suspend(-3_600_000);
    const release = world.log.hold("commit");
    await world.time.pass(leaseMs);
    world.emit({});
    await world.time.pass(idleMs);
    assert.deepEqual(world.creates(), []);
    release();
    await world.untilRegistered(1, 1_000);
  });

  test("is void as soon as a commit is refused", async (t) => {
    const world = createWorld(t);
    startLeased(world);
    await world.time.pass(idleMs);
    for (let n = 0; n < 100; n++) world.log.commitScript.push("superseded");
    await world.time.pass(leaseMs / 2);
    world.emit({});
    await world.time.pass(1_000);
    assert.deepEqual(world.creates(), []);
  });

  test("of a new session begins with a commit of that session", async (t) => {
    const world = createWorld(t);
    const worker = startLeased(world);
    await world.time.pass(1_000);
    const release = world.log.hold("commit");
    worker.member.rebalance([0]);
    await world.time.until("it is kept", () => worker.seen("partition-kept").length === 1);
    world.emit({});
    await world.time.pass(1_000);
    assert.deepEqual(world.creates(), []);
    release();
    await world.untilRegistered(1, 1_000);
  });
});

test("the last commit of a clean stop comes after one that is in flight, not before it", async (t) => {
  const world = createWorld(t);
  const worker = startLeased(world);
  await world.time.pass(idleMs);
  const release = world.log.hold("commit");
  await world.time.pass(leaseMs / 2);
  void worker.registrar.stop(30_000);
  await world.time.pass(100);
  release();
  await world.time.until("it has stopped", () => worker.fault() === null);
  const { offset, metadata } = world.log.committed("enrolled")!;
  assert.equal(JSON.parse(metadata).a, offset);
});

test("a stop ends in its time, though no commit is ever answered", async (t) => {
  const world = createWorld(t);
  const worker = startLeased(world);
  await world.time.pass(idleMs);
  world.log.hold("commit");
  void worker.registrar.stop(9_000);
  await world.time.until("it has stopped", () => worker.fault() === null, 9_000);
});

// INV-LEASE
describe("the rules of the lease", () => {
  const length = 9_000;
  const clockAt = (nowMs: number, wallMs = nowMs) => ({ nowMs: () => nowMs, wallMs: () => wallMs }) as Clock;
  const moment = (monotonicMs: number) => ({ monotonicMs, wallMs: monotonicMs });
  const given = ({ heldUntilMs = Number.POSITIVE_INFINITY } = {}) => {
    const ended = new AbortController();
    const session = { leaseMs: length, heldUntilMs: () => heldUntilMs, ended: ended.signal } as Session;
    return { ended, lease: createLease(session) };
  };

  test("it counts from when the latest acknowledged commit was sent, in whatever order the answers come", () => {
    const { lease } = given();
    renew(lease, moment(1_000));
    renew(lease, moment(500));
    assert.deepEqual(
      [isHolding(lease, clockAt(1_000 + length - 1)), isHolding(lease, clockAt(1_000 + length))],
      [true, false],
    );
  });

  test("it needs a heartbeat of this time, a session that lasts, and no refusal", () => {
    const short = given({ heldUntilMs: 50 });
    renew(short.lease, moment(0));
    assert.deepEqual(
      [isHolding(short.lease, clockAt(49)), isHolding(short.lease, clockAt(50))],
      [true, false],
    );
    const { ended, lease } = given();
    assert.equal(isHolding(lease, clockAt(0)), false);
    renew(lease, moment(0));
    assert.equal(isHolding(lease, clockAt(1)), true);
    revoke(lease);
    assert.equal(isHolding(lease, clockAt(1)), false);
    renew(lease, moment(1));
    ended.abort();
    assert.equal(isHolding(lease, clockAt(1)), false);
  });

  test("it is void where the two clocks disagree by an eighth of its length, in either direction", () => {
    const { lease } = given();
    renew(lease, moment(10_000));
    const holdsAt = (behindMs: number) => isHolding(lease, clockAt(12_000, 12_000 - behindMs));
    assert.deepEqual([1_124, 1_125, -1_124, -1_125].map(holdsAt), [true, false, true, false]);
  });

  test("it is due immediately before the first commit, then at a third of its length, by the clock that ran further", () => {
    const { lease } = given();
    assert.deepEqual([isDue(lease, clockAt(0)), dueInMs(lease, clockAt(0))], [true, 0]);
    renew(lease, moment(100));
    assert.deepEqual([isDue(lease, clockAt(3_099)), isDue(lease, clockAt(3_100))], [false, true]);
    assert.equal(isDue(lease, clockAt(200, 3_100)), true);
    assert.equal(dueInMs(lease, clockAt(1_100)), 2_000);
  });
});
