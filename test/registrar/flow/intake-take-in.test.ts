/** What a record is taken for: none, another partition's, known, or an enrollment that may have to wait in the retry topic. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, type Enrolling, eventRecord, fabrikam, keyOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import type { InputTopic, NewRecord, Session, Standing } from "../../../src/ports.ts";
import { createIntake } from "../../../src/registrar/flow/intake.ts";
import { enterLane } from "../../../src/registrar/flow/lanes.ts";
import type { LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { note } from "../../../src/registrar/intake/parking.ts";
import { enter } from "../../../src/registrar/intake/window.ts";
import { remember } from "../../../src/registrar/ledger/ledger.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { UnsettledRecord, Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { ownDoubt } from "../life.ts";

function given({ partitionCount = 1, number = 0, standing = "served" as Standing } = {}) {
  const time = virtualTime();
  const lease = createLease({ ended: new AbortController().signal } as Session);
  const partition = freshPartition({ lease, number });
  const raised: { readonly unsettled: UnsettledRecord; readonly event: LifeEvent }[] = [];
  const tenants = { ...settings.tenants, standingOf: () => standing };
  const intake = createIntake(
    {
      ports: { clock: time, log: { partitionCount } } as never,
      settings: { ...settings, tenants },
      raise: (unsettled, event) => void raised.push({ unsettled, event }),
    },
    { createsOf: () => 3, createsOfAll: () => 8 },
  );
  let offset = 0;
  /** As if it had been read of that topic. */
  function read(record: Enrolling | NewRecord, topic: InputTopic = "enrolled") {
    const bytes = "value" in record ? record : eventRecord(record as Enrolling, number);
    const stored = { ...bytes, topic, offset: offset++, timestampMs: 0, leaderEpoch: -1 };
    if (topic === "enrolled") intake.accept(partition, stored);
    else intake.takeUp(partition, enter(partition.window, stored.offset), stored);
    return raised.at(-1)!;
  }
  return { partition, read, time };
}
const park = { kind: "accepted", mustPark: true };
const work = { kind: "accepted", mustPark: false };

test("an enrollment is accepted with what is known of its tenant then, and of its own doubt", () => {
  const { partition, read, time } = given();
  const { unsettled, event } = read({});
  assert.deepEqual(event, work);
  const { topic, idempotencyKey, enteredAtMs, stage, slot } = unsettled as Work;
  assert.deepEqual(
    [topic, idempotencyKey, enteredAtMs, slot.offset],
    ["enrolled", keyOf({}), time.nowMs(), 0],
  );
  assert.deepEqual([stage.doubt, stage.past.tenantCreates, stage.past.allCreates], [null, 3, 8]);
  partition.doubts.set(keyOf({}), ownDoubt);
  assert.equal(read({}).unsettled.stage.doubt, ownDoubt);
  assert.equal(read({ machine: "OTHER" }).unsettled.stage.doubt, null);
});

// INV-ONE-CREATE-PER-KEY
test("what the ledger holds is known, whatever its tenant waits for", () => {
  const { partition, read } = given({ standing: "paused" });
  remember(partition.ledger, keyOf({}), "made");
  assert.deepEqual(read({}).event, { kind: "known" });
});

// INV-SINGLE-OWNER
test("what stands in another partition than its tenant's is that one's, from the retry topic too", () => {
  const home = homePartition(contoso, 2);
  const { read } = given({ partitionCount: 2, number: 1 - home });
  for (const topic of ["enrolled", "retry"] as const)
    assert.deepEqual(read({}, topic).event, { kind: "astray", home, tenantId: contoso });
  assert.deepEqual(given({ partitionCount: 2, number: home }).read({}).event, work);
});

// INV-ORDER
test("a new record follows what its tenant has parked, but not one that is taken up", () => {
  const { partition, read } = given();
  note(partition.parking, contoso, 0);
  assert.deepEqual(read({}).event, park);
  assert.deepEqual(read({ tenant: fabrikam }).event, work);
  assert.deepEqual(read({}, "retry").event, work);
});

// INV-ORDER
test("nor where an earlier one of its machine is still in work", () => {
  const { partition, read } = given();
  const first = read({}).unsettled as Work;
  enterLane(first);
  note(partition.parking, contoso, 0);
  assert.deepEqual(read({ connector: "second" }).event, work);
  assert.deepEqual(read({ machine: "OTHER" }).event, park);
});

// INV-SERVED
test("a paused tenant's records wait in the retry topic, unless they are in doubt or come from there", () => {
  const { partition, read } = given({ standing: "paused" });
  assert.deepEqual(read({}).event, park);
  assert.deepEqual(read({}, "retry").event, work);
  partition.doubts.set(keyOf({}), ownDoubt);
  assert.deepEqual(read({}).event, work);
});

// INV-SERVED
test("a valid record of a tenant that is not served goes the way of all; of an invalid one nothing else is said", () => {
  const { read } = given({ standing: "unlisted" });
  assert.deepEqual(read({}).event, work);
  const { event } = read({ machine: "" });
  assert.equal(event.kind === "refused" && event.refusal.code, "tenant-not-allowed");
  const served = given().read({ machine: "" }).event;
  assert.notEqual(served.kind === "refused" && served.refusal.code, "tenant-not-allowed");
});

test("what is no event is refused, and is in no lane", () => {
  const { read } = given();
  const { event, unsettled } = read({ topic: "enrolled", partition: 0, key: null, value: null, headers: [] });
  assert.equal(event.kind === "refused" && event.refusal.code, "value-empty");
  assert.equal(unsettled.lane, null);
});
