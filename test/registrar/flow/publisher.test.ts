/** An outcome counts once it is durable and its partition still ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { NewRecord, Session } from "../../../src/ports.ts";
import { createPublisher } from "../../../src/registrar/flow/publisher.ts";
import type { Entry } from "../../../src/registrar/flow/troubled-places.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { UnsettledRecord } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";

const record: NewRecord = { topic: "registered", partition: 0, key: null, value: null, headers: [] };

function given() {
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const entries: Entry[] = [];
  const seen: string[] = [];
  const clock = virtualClock();
  const publisher = createPublisher(
    { clock, settings: { requestTimeoutMs: 30_000 }, raise: (_, { kind }) => void seen.push(kind) },
    { append: (entry) => void entries.push(entry) },
  );
  const unsettled = { partition } as UnsettledRecord;
  const postedAt = { monotonicMs: clock.nowMs(), wallMs: clock.wallMs() };
  const noted = (offset: number | null) => void seen.push(`durable at ${offset}`);
  publisher.publish(unsettled, { record, postedAt }, noted);
  publisher.append(unsettled, { record, postedAt: null }, noted);
  const [published, appended] = entries;
  return { partition, clock, seen, published: published!, appended: appended! };
}

// INV-DURABLE-OUTCOME
test("what is durable is noted before the record continues; what is only appended does not continue by that", () => {
  const { published, appended, seen } = given();
  published.done(true, 7);
  appended.done(true, null);
  assert.deepEqual(seen, ["durable at 7", "appended", "durable at null"]);
});

test("what was dropped is not noted, whether or not its partition is ours", () => {
  const { published, appended, seen, partition } = given();
  published.done(false, null);
  partition.lost.abort();
  appended.done(false, null);
  assert.deepEqual(seen, []);
});

test("what became durable after its partition was lost is the next owner's affair", () => {
  const { published, seen, partition } = given();
  partition.lost.abort();
  published.done(true, 7);
  assert.deepEqual(seen, []);
});

// INV-SETTLE-TIME
test("without a lease only the outcome of a create that was just posted may be published", () => {
  const { published, appended, clock, partition } = given();
  assert.deepEqual([published.mayPublish(), appended.mayPublish()], ["yes", "wait"]);
  clock.advance(30_001);
  assert.equal(published.mayPublish(), "wait");
  partition.lost.abort();
  assert.deepEqual([published.mayPublish(), appended.mayPublish()], ["no", "no"]);
});
