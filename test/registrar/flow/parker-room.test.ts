/** Which records leave a full window, and whose records are looked at for that. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { InputTopic, Session } from "../../../src/ports.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import type { Flow } from "../../../src/registrar/flow/flow.ts";
import { createParker } from "../../../src/registrar/flow/parker.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { type Given, ownDoubt, stageOf } from "../life.ts";

/** Each tenant may send two records within a second. */
function given() {
  const clock = virtualClock();
  const left: string[] = [];
  const looked: string[] = [];
  const now = { paused: new Set<string>(), blocked: new Set<string>(), stalled: new Set<string>() };
  const lease = createLease({ ended: new AbortController().signal } as Session);
  const partition = freshPartition({ lease });
  const standingOf = (tenantId: string) => (now.paused.has(tenantId) ? "paused" : "served");
  const core = {
    ports: { clock },
    settings: { ...settings, tenants: { ...settings.tenants, standingOf } },
    raise: ({ record }: Work, { kind }: { kind: string }) => void left.push(`${kind} ${record.offset}`),
  };
  const flow = {
    tenants: {
      isBlocked: (tenantId: string) => now.blocked.has(tenantId),
      capacityWithin(tenantId: string, withinMs: number) {
        looked.push(tenantId);
        assert.equal(withinMs, 1_000);
        return 2;
      },
    },
    readBack: { isStalled: (tenantId: string) => now.stalled.has(tenantId) },
  };
  const parker = createParker(core as unknown as Core, flow as unknown as Flow, { takeUp: () => {} });
  let offset = 0;
  const put = (
    lane: string,
    at: Work["stage"]["at"] = "queued",
    { topic = "enrolled" as InputTopic, ...life }: Given & { topic?: InputTopic } = {},
  ) => {
    const [tenantId] = lane.split("/");
    const work = {
      ...{ lane, partition, topic, record: { offset: offset++ }, enteredAtMs: clock.nowMs() },
      ...{ enrollment: { tenantId }, stage: stageOf(at, life) },
    } as unknown as Work;
    partition.lanes.set(lane, [...(partition.lanes.get(lane) ?? []), work]);
    partition.tenants.set(tenantId!, (partition.tenants.get(tenantId!) ?? new Set()).add(work));
    partition.touched.add(tenantId!);
    return work;
  };
  const taken = (seen: string[]) => seen.splice(0);
  return {
    ...{ clock, now, partition, put },
    makeRoom() {
      parker.makeRoom(partition);
      return { left: taken(left), looked: taken(looked) };
    },
    parkPaused() {
      parker.parkPaused(partition);
      return taken(left);
    },
  };
}

describe("when a window is full", () => {
  for (const why of ["paused", "blocked", "stalled"] as const)
    test(`all lanes of a tenant leave that is ${why}, and no other's`, () => {
      const { put, now, makeRoom } = given();
      for (const lane of ["a/1", "b/1", "a/2"]) put(lane);
      now[why].add("a");
      assert.deepEqual(makeRoom().left, ["room 0", "room 2"]);
    });

  test("those of a tenant leave that has more records there than it may send soon, and not with as many", () => {
    const { put, makeRoom } = given();
    put("a/1");
    put("a/2");
    assert.deepEqual(makeRoom().left, []);
    put("a/2");
    assert.deepEqual(makeRoom().left, ["room 0", "room 1", "room 2"]);
  });

  // INV-ORDER
  test("a lane whose head is in a request stays as a whole, but for what is behind a parked record that was taken up", () => {
    const { put, now, makeRoom } = given();
    put("a/busy", "posting");
    put("a/busy");
    put("a/taken", "posting", { topic: "retry" });
    put("a/taken", "queued", { topic: "retry" });
    put("a/taken");
    put("a/idle", "queued", { topic: "retry" });
    put("a/idle");
    put("a/first", "posting", { topic: "retry" });
    put("a/first");
    now.blocked.add("a");
    assert.deepEqual(makeRoom().left, ["room 4", "room 6", "room 8"]);
  });
});

// INV-ISOLATION
describe("a lane whose head keeps failing", () => {
  for (const [what, life] of [
    ["by attempts", { attempts: 1 }],
    ["by doubt", { doubt: ownDoubt }],
  ] as const)
    test(`as is seen ${what}, leaves a full window after ten seconds, and no other lane of its tenant`, () => {
      const { clock, put, makeRoom } = given();
      clock.advance(5_000);
      put("a/failing", "backing-off", { attempts: 0, ...life });
      clock.advance(10_000);
      put("a/well");
      assert.deepEqual(makeRoom().left, []);
      clock.advance(1);
      assert.deepEqual(makeRoom().left, ["room 0"]);
    });

  test("is one whose first record fails, not one where a later record is in doubt", () => {
    const { clock, put, makeRoom } = given();
    put("a/1");
    put("a/1", "queued", { doubt: ownDoubt });
    clock.advance(60_000);
    assert.deepEqual(makeRoom().left, []);
  });

  test("is looked at each time, though nothing of it changes; a head that waits for its turn is not", () => {
    const { clock, put, makeRoom } = given();
    put("failing/1", "backing-off", { attempts: 1 });
    put("well/1", "backing-off", { attempts: 0 });
    assert.deepEqual(makeRoom().looked, ["failing", "well"]);
    assert.deepEqual(makeRoom().looked, ["failing"]);
    clock.advance(4_999);
    assert.deepEqual(makeRoom().looked, ["failing"]);
    clock.advance(1);
    assert.deepEqual(makeRoom().looked, ["failing", "well"], "all are looked at now and then");
    assert.deepEqual(makeRoom().looked, ["failing"]);
  });
});

test("a tenant of which something changed is looked at once, also if nothing of it is left", () => {
  const { put, partition, makeRoom } = given();
  put("a/1");
  makeRoom();
  partition.touched.add("a").add("gone");
  assert.deepEqual(makeRoom(), { left: [], looked: ["a"] });
  assert.deepEqual(makeRoom(), { left: [], looked: [] });
});

// INV-SERVED
test("lanes of paused tenants leave at once, except for those whose head is in doubt or in a request", () => {
  const { put, now, parkPaused } = given();
  put("a/1");
  put("a/doubt", "backing-off", { doubt: ownDoubt });
  put("a/doubt");
  put("a/busy", "posting");
  put("b/1");
  put("a/1");
  now.paused.add("a");
  now.blocked.add("b");
  assert.deepEqual(parkPaused(), ["room 0", "room 5"]);
});
