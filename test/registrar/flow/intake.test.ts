/** What is read of the retry topic: only this partition's own records count as those that were sent there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, eventRecord } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { LogRecord, Session } from "../../../src/ports.ts";
import { createIntake } from "../../../src/registrar/flow/intake.ts";
import { acknowledge, sendToPark } from "../../../src/registrar/intake/parking.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { freshPartition } from "../fresh-partition.ts";

const neverCalled = () => assert.fail("nothing is taken in");

// INV-DURABLE-OUTCOME
test("a copy of another partition's record at the same offset is not the one that was sent", () => {
  const lease = createLease({ ended: new AbortController().signal } as Session);
  const partition = freshPartition({ lease });
  const intake = createIntake(
    { ports: { clock: virtualTime() } as never, settings, raise: neverCalled },
    { createsOf: neverCalled, createsOfAll: neverCalled },
  );
  let arrivals = 0;
  sendToPark(partition.parking, contoso, 5);
  acknowledge(partition.parking, contoso, {
    ...{ enrolledOffset: 5, retryOffset: null },
    ...{ arrive: () => arrivals++, sendAgain: neverCalled },
  });
  for (const [offset, [cameFrom, arrived]] of [
    ["enrolled/1/5", 0],
    ["enrolled/0/4", 0],
    ["enrolled/0/5", 1],
  ].entries() as IterableIterator<[number, [string, number]]>) {
    const headers = [["origin", new TextEncoder().encode(cameFrom)]] as const;
    const stored = { ...eventRecord({}, 0), topic: "retry", headers, offset } as const;
    intake.noteParked(partition, { ...stored, timestampMs: 0, leaderEpoch: -1 } satisfies LogRecord);
    assert.equal(arrivals, arrived, cameFrom);
  }
});
