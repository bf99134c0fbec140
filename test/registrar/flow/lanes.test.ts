/** Lanes: who is the first, who follows, and what a partition knows of a tenant's records in work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InputTopic, Session } from "../../../src/ports.ts";
import { enterLane, isAlone, isFollowed, leaveLane, withdraw } from "../../../src/registrar/flow/lanes.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { stageOf } from "../life.ts";

function given() {
  const lease = createLease({ ended: new AbortController().signal } as Session);
  const partition = freshPartition({ lease });
  /** Of the tenant whose name its lane begins with. */
  const work = (lane: string, { attempts = 0, topic = "enrolled" as InputTopic } = {}) =>
    ({
      ...{ partition, lane, topic, stage: stageOf("queued", { attempts }) },
      enrollment: { tenantId: lane.slice(0, 1) },
    }) as unknown as Work;
  const inWork = () => [...partition.tenants].map(([tenantId, works]) => `${tenantId} ${works.size}`);
  return { partition, work, inWork };
}

// INV-ORDER
test("only the first of a lane is worked on; each that leaves hands over to the next, in the order in which they came", () => {
  const { partition, work, inWork } = given();
  const [first, second, third, other] = [work("a1"), work("a1"), work("a1"), work("a2")];
  assert.deepEqual([first, second, other, third].map(enterLane), [true, false, true, false]);
  assert.deepEqual(inWork(), ["a 4"]);
  assert.equal(leaveLane(first), second);
  assert.throws(() => leaveLane(third), /only the head/);
  assert.equal(leaveLane(second), third);
  assert.equal(leaveLane(third), undefined);
  assert.deepEqual([[...partition.lanes.keys()], inWork()], [["a2"], ["a 1"]]);
  assert.equal(enterLane(work("a1")), true, "the lane is empty: who comes now is the first");
});

// INV-ORDER
test("what steps out of the middle leaves the others in order", () => {
  const { partition, work, inWork } = given();
  const [first, second, third] = [work("a1"), work("a1"), work("a1")];
  for (const each of [first, second, third]) enterLane(each);
  withdraw(second);
  assert.equal(leaveLane(first), third);
  withdraw(third);
  assert.deepEqual([partition.lanes.size, inWork()], [0, []]);
  assert.throws(() => withdraw(third), /only what is in a lane/);
});

test("with its last record a tenant is out of work, and no longer noted as changed", () => {
  const { partition, work, inWork } = given();
  const [a, b, more] = [work("a1"), work("b1"), work("a2")];
  for (const each of [a, b, more]) enterLane(each);
  for (const tenantId of ["a", "b"]) partition.touched.add(tenantId);
  leaveLane(a);
  assert.deepEqual([...partition.touched], ["a", "b"]);
  withdraw(more);
  assert.deepEqual([inWork(), [...partition.touched]], [["b 1"], ["b"]]);
});

// INV-ORDER
test("a lane can be followed while its last record stands in the enrolled topic", () => {
  const { partition, work } = given();
  assert.equal(isFollowed(partition, "a1"), false);
  enterLane(work("a1", { topic: "retry" }));
  assert.equal(isFollowed(partition, "a1"), false);
  enterLane(work("a1"));
  assert.deepEqual([isFollowed(partition, "a1"), isFollowed(partition, "a2")], [true, false]);
  enterLane(work("a1", { topic: "retry" }));
  assert.equal(isFollowed(partition, "a1"), false);
});

// INV-ATTEMPTS
test("a record is alone while no other of its tenant was posted", () => {
  const { work } = given();
  const posted = work("a1", { attempts: 1 });
  assert.equal(isAlone(posted), true);
  for (const each of [work("a1"), posted, work("a2"), work("b1", { attempts: 1 })]) enterLane(each);
  assert.equal(isAlone(posted), true);
  const last = work("a3", { attempts: 1 });
  enterLane(last);
  assert.deepEqual([isAlone(posted), isAlone(last)], [false, false]);
});
