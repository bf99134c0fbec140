/** What is read: what each record is taken for, and which of the retry topic count as those that were sent there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, type Enrolling, eventRecord, parkedBefore } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { LogRecord, NewRecord, Session } from "../../../src/ports.ts";
import { createIntake } from "../../../src/registrar/flow/intake.ts";
import { acknowledge, sendToPark } from "../../../src/registrar/intake/parking.ts";
import { lookFrom } from "../../../src/registrar/ownership/dead-letters.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { freshPartition } from "../fresh-partition.ts";

const neverCalled = () => assert.fail("nothing is taken in");

function given() {
  const lease = createLease({ ended: new AbortController().signal } as Session);
  const partition = freshPartition({ lease });
  const intake = createIntake(
    { ports: { clock: virtualTime() } as never, settings, raise: neverCalled },
    { createsOf: neverCalled, createsOfAll: neverCalled },
  );
  return { partition, intake };
}

const storedAt = (offset: number, record: NewRecord): LogRecord => {
  return { ...record, offset, timestampMs: 0, leaderEpoch: -1 };
};
const parkedFrom = (cameFrom: string, enrolling: Enrolling = {}): NewRecord => {
  const headers = [["origin", new TextEncoder().encode(cameFrom)]] as const;
  return { ...eventRecord(enrolling, 0), topic: "retry", headers };
};

// INV-DURABLE-OUTCOME
test("a copy of another partition's record at the same offset, or of none, is not the one that was sent", () => {
  const { partition, intake } = given();
  let arrivals = 0;
  sendToPark(partition.parking, contoso, 5);
  acknowledge(partition.parking, contoso, {
    ...{ enrolledOffset: 5, retryOffset: null },
    ...{ arrive: () => arrivals++, sendAgain: neverCalled },
  });
  for (const [offset, cameFrom, arrived] of [
    [0, "enrolled/1/5", 0],
    [1, "enrolled/0/4", 0],
    [2, "retry/0/5", 0],
    [5, "nowhere", 0],
    [6, "enrolled/0/5", 1],
  ] as const) {
    intake.noteParked(partition, storedAt(offset, parkedFrom(cameFrom)));
    assert.equal(arrivals, arrived, cameFrom);
  }
});

// INV-DOUBT
test("only for a parked record in doubt does the next owner look through the earlier dead letters", () => {
  const { partition, intake } = given();
  partition.deadLetters.end = 9;
  intake.noteParked(partition, storedAt(0, parkedBefore({})));
  assert.equal(lookFrom(partition.deadLetters, "retry", 0), 9);
  intake.noteParked(partition, storedAt(1, parkedBefore({}, { inDoubt: true })));
  assert.equal(lookFrom(partition.deadLetters, "retry", 0), partition.deadLetters.inheritedFrom);
  assert.equal(lookFrom(partition.deadLetters, "retry", 2), 9);
});
