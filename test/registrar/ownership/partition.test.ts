import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Moment } from "../../../src/moment.ts";
import type { Clock, Session } from "../../../src/ports.ts";
import { noteEpoch } from "../../../src/registrar/intake/leader-epochs.ts";
import { note, settleTaken, takeUp } from "../../../src/registrar/intake/parking.ts";
import { enter, settle } from "../../../src/registrar/intake/window.ts";
import {
  isHeld,
  knownLogOf,
  limitsOf,
  mayPublish,
  settledThroughOf,
  taintedThroughOf,
  trackOf,
  widest,
} from "../../../src/registrar/ownership/partition.ts";
import { freshPartition, planFrom } from "../fresh-partition.ts";

const leaseMs = 10_000;
const heartbeat = { heldUntilMs: Number.POSITIVE_INFINITY };
const requestTimeoutMs = 1_000;

const moment = (monotonicMs: number, wallMs = monotonicMs): Moment => ({ monotonicMs, wallMs });
const at = (monotonicMs: number, wallMs = monotonicMs) =>
  ({ nowMs: () => monotonicMs, wallMs: () => wallMs }) as Clock;

function given({ startAt = 0, suspectsBelow = 0 } = {}) {
  const session = {
    leaseMs,
    heldUntilMs: () => heartbeat.heldUntilMs,
    ended: new AbortController().signal,
  } as Session;
  const lease = { session, renewedAt: moment(0) };
  const plan = planFrom(startAt, suspectsBelow);
  const inherited = { settleMs: 1_000, orphanMs: 0, isHonoured: false };
  return freshPartition({ lease, plans: { enrolled: plan, retry: plan }, inherited });
}

// INV-LEASE
describe("held", () => {
  test("until the last acknowledged commit is too old by either clock", () => {
    const partition = given();
    assert.deepEqual([isHeld(partition, at(leaseMs - 1)), isHeld(partition, at(leaseMs))], [true, false]);
    assert.equal(isHeld(partition, at(1, leaseMs)), false, "the machine was suspended");
    assert.equal(isHeld(partition, at(leaseMs, 1)), false, "the wall clock was set back");
  });
  test("until the last answered heartbeat is too old", () => {
    const partition = given();
    heartbeat.heldUntilMs = 5;
    assert.deepEqual([isHeld(partition, at(4)), isHeld(partition, at(5))], [true, false]);
    heartbeat.heldUntilMs = Number.POSITIVE_INFINITY;
  });
  test("not before a commit of its session was acknowledged", () => {
    const partition = given();
    partition.lease.renewedAt = null;
    assert.equal(isHeld(partition, at(0)), false);
  });
  test("not while its session is unconfirmed, and never once it is lost", () => {
    const partition = given();
    partition.confirmed = false;
    assert.equal(isHeld(partition, at(0)), false);
    partition.confirmed = true;
    partition.lost.abort();
    assert.equal(isHeld(partition, at(0)), false);
  });
});

// INV-SETTLE-TIME
describe("an outcome may be published", () => {
  const posted = leaseMs;
  const table = [
    ["while held", leaseMs - 1, null, false, "yes"],
    [
      "within the request time-out after its POST, held or not",
      posted + requestTimeoutMs,
      posted,
      false,
      "yes",
    ],
    [
      "within the request time-out after its POST, also when lost",
      posted + requestTimeoutMs,
      posted,
      true,
      "yes",
    ],
    ["only after the next session, later than that", posted + requestTimeoutMs + 1, posted, false, "wait"],
    ["never, later than that and lost", posted + requestTimeoutMs + 1, posted, true, "no"],
    ["never, when lost and not posted at all", 0, null, true, "no"],
  ] as const;
  for (const [when, nowMs, postedAtMs, isLost, answer] of table)
    test(when, () => {
      const partition = given();
      if (isLost) partition.lost.abort();
      const postedAt = postedAtMs === null ? null : moment(postedAtMs);
      assert.equal(mayPublish(partition, { postedAt, requestTimeoutMs }, at(nowMs)), answer);
    });
});

describe("a clean shutdown leaves promised", () => {
  test("suspects that were not even read", () => {
    const partition = given({ startAt: 2, suspectsBelow: 9 });
    assert.equal(taintedThroughOf(partition, "enrolled"), 9);
    for (let offset = 2; offset < 9; offset++) enter(partition.window, offset);
    assert.equal(taintedThroughOf(partition, "enrolled"), 2);
  });
  test("suspects that are parked still", () => {
    const partition = given({ suspectsBelow: 3 });
    for (let offset = 0; offset < 5; offset++) note(partition.parking, "tenant", offset);
    assert.equal(taintedThroughOf(partition, "retry"), 3);
  });
});

describe("what the next owner must wait for", () => {
  const own = { settleMs: 2_000, orphanMs: 500, isHonoured: true };
  const doubt = { absentAfterMs: 0, orphansUntilMs: 0, misses: 0, nextReadAtMs: 0, byCreate: false };

  test("is what this one needs, while nothing is in doubt", () => {
    assert.deepEqual(limitsOf(given(), own), own);
  });
  test("is no less than what it inherited, while some of that is in doubt still", () => {
    const partition = given();
    partition.doubts.set("a", { ...doubt, inherited: true, isHonoured: true });
    assert.deepEqual(limitsOf(partition, own), { settleMs: 2_000, orphanMs: 500, isHonoured: false });
    const short = { settleMs: 1, orphanMs: 0, isHonoured: true };
    assert.deepEqual(limitsOf(partition, short), { settleMs: 1_000, orphanMs: 0, isHonoured: false });
  });
  test("is no less than what it inherited, where that is handed on though nothing is in doubt", () => {
    const partition = given();
    assert.deepEqual(limitsOf(partition, own), own);
    partition.handsOnLimits = true;
    assert.deepEqual(limitsOf(partition, own), { settleMs: 2_000, orphanMs: 500, isHonoured: false });
  });
  test("counts ids as honoured only if all that is in doubt carried one", () => {
    const partition = given();
    partition.doubts.set("a", { ...doubt, inherited: false, isHonoured: true });
    assert.equal(limitsOf(partition, own).isHonoured, true);
    partition.doubts.set("b", { ...doubt, inherited: false, isHonoured: false });
    assert.deepEqual(limitsOf(partition, own), { ...own, isHonoured: false });
  });
  test("is by each limit the longer of two, and honoured only by both", () => {
    const a = { settleMs: 1, orphanMs: 9, isHonoured: true };
    const b = { settleMs: 5, orphanMs: 2, isHonoured: false };
    for (const both of [widest(a, b), widest(b, a)])
      assert.deepEqual(both, { settleMs: 5, orphanMs: 9, isHonoured: false });
    assert.equal(widest(a, a).isHonoured, true);
  });
});

test("each input has its own position, watermark, and end of what is settled", () => {
  const partition = given({ startAt: 2 });
  const both = <T>(ask: (topic: "enrolled" | "retry") => T) => [ask("enrolled"), ask("retry")];
  for (const offset of [2, 3]) enter(partition.window, offset);
  settle(partition.window, partition.window.slots[0]!);
  note(partition.parking, "tenant", 6);
  assert.deepEqual(
    both((topic) => trackOf(partition, topic).nextOffset),
    [4, 7],
  );
  assert.deepEqual(
    both((topic) => settledThroughOf(partition, topic)),
    [3, 6],
  );
  trackOf(partition, "retry").attemptedThrough = 9;
  assert.deepEqual(
    both((topic) => trackOf(partition, topic).attemptedThrough),
    [2, 9],
  );
  // Of the enrolled topic a commit says no more than the offset that it is at; of the other how far that was read.
  assert.deepEqual(
    both((topic) => knownLogOf(partition, topic, 3).readThrough),
    [3, 7],
  );
});

test("a partition that was taken over is confirmed, holds no records, and its suspects wait", () => {
  const partition = given();
  const { confirmed, suspectsReleased, handsOnLimits, refilling, allLookedAtMs } = partition;
  assert.deepEqual([confirmed, suspectsReleased, handsOnLimits, refilling], [true, false, false, false]);
  assert.equal(allLookedAtMs, Number.NEGATIVE_INFINITY, "all is due to be looked at");
});

test("a clean shutdown leaves suspects promised only while they are there, read or parked", () => {
  const partition = given({ startAt: 2, suspectsBelow: 4 });
  enter(partition.window, 2);
  assert.equal(taintedThroughOf(partition, "enrolled"), 4);
  enter(partition.window, 3);
  assert.equal(taintedThroughOf(partition, "enrolled"), 2);
  for (const offset of [2, 3, 4]) note(partition.parking, "tenant", offset);
  for (const offset of [2, 3]) settleTaken(partition.parking, takeUp(partition.parking, "tenant", offset));
  assert.equal(taintedThroughOf(partition, "retry"), 4);
  settleTaken(partition.parking, takeUp(partition.parking, "tenant", 4));
  assert.equal(taintedThroughOf(partition, "retry"), 5);
});

// INV-KNOWN-LOG
test("commits say what the last owner had read of the retry topic, until this one has read as far, then what it found", () => {
  const lease = { session: {} as Session, renewedAt: null };
  const retry = { ...planFrom(0), readThrough: 2, readThroughEpoch: -1 };
  const partition = freshPartition({ lease, plans: { enrolled: planFrom(0), retry } });
  const told = () => {
    const { readThrough, readThroughEpoch } = knownLogOf(partition, "retry", 0);
    return { readThrough, readThroughEpoch };
  };
  const read = (offset: number) => {
    note(partition.parking, "tenant", offset);
    noteEpoch(partition.leaderEpochs.retry, offset, 5);
  };
  read(0);
  assert.deepEqual(told(), { readThrough: 2, readThroughEpoch: -1 });
  read(1);
  assert.deepEqual(told(), { readThrough: 2, readThroughEpoch: 5 });
  read(2);
  assert.deepEqual(told(), { readThrough: 3, readThroughEpoch: 5 });
});
