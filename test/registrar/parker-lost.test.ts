/** Parked records of a partition that is lost while they are looked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parkedBefore, registeredBefore } from "./enrollments.ts";
import { createWorld } from "./harness.ts";

test("a partition that is lost while its parked records are looked for is no failure of the log", async (t) => {
  const world = createWorld(t);
  world.log.store(parkedBefore({}));
  const worker = world.start();
  await world.time.until("it has it", () => worker.seen("partition-gained").length === 1);
  worker.member.rebalance([]);
  await world.time.pass(60_000);
  assert.deepEqual(worker.seen("log-failed"), []);
  assert.deepEqual(world.creates(), []);
});

test("what the log hands over when the partition is lost already is not taken up", async (t) => {
  const world = createWorld(t);
  world.log.store(registeredBefore({}));
  world.log.store(parkedBefore({}));
  let scans = 0;
  const { connect } = world.log;
  world.log.connect = (...to) => {
    const { log, member } = connect(...to);
    const scan: typeof log.scan = (topic, partition, from, onRecords, signal) =>
      log.scan(
        topic,
        partition,
        from,
        (records) => {
          // The first one only finds out what is parked.
          if (topic === "retry" && ++scans === 2) member.rebalance([]);
          onRecords(records);
        },
        signal,
      );
    return { member, log: { ...log, scan } };
  };
  const worker = world.start();
  await world.time.until("it is lost", () => worker.seen("partition-lost").length === 1);
  await world.time.pass(60_000);
  assert.equal(scans, 2);
  assert.deepEqual(worker.seen("record-duplicate"), []);
});
