/** Parked records that the log does not give, or has lost. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventRecord } from "../../../lab/testkit/enrollments.ts";
import { acknowledge, sendToPark } from "../../../src/registrar/intake/parking.ts";
import type { RegistrarSettings } from "../../../src/registrar/settings.ts";
import { a, b, given, rest, times } from "./parker-refill-given.ts";

describe("when the log fails", () => {
  const failure = { ok: false, reason: "the leader moved" } as const;

  test("what it gave is kept, and it is asked for the rest at once", async () => {
    const { parker, partition, scan, scans, seen, events } = given(times(10, a));
    parker.refill(partition);
    await scan({ upTo: 1, result: failure });
    assert.deepEqual([seen(), scans.map(({ from }) => from), events], [[0], [0, 1], []]);
    await scan();
    assert.deepEqual(seen(), [1, 2, 3]);
  });

  test("without giving anything it is asked again, after longer and longer, and each failure is said", async () => {
    const { parker, partition, scan, scans, clock, events, seen } = given(times(10, a));
    parker.refill(partition);
    for (const waitMs of [200, 400, 800]) {
      const count = scans.length;
      await scan({ upTo: 0, result: failure });
      clock.advance(waitMs - 1);
      await rest();
      assert.equal(scans.length, count);
      clock.advance(1);
      await rest();
      assert.equal(scans.length, count + 1);
    }
    assert.deepEqual(
      events.map((event) => event.kind === "log-failed" && [event.operation, event.reason, event.retryInMs]),
      [200, 400, 800].map((retryInMs) => ["take up parked records", "the leader moved", retryInMs]),
    );
    await scan();
    assert.deepEqual(seen(), [0, 1, 2, 3]);
  });

  test("for a reason that no repetition changes, or has lost what was parked, the worker stops", async () => {
    const problem = { code: "topic-missing", message: "It is gone.", fix: "Make it." };
    for (const [result, code] of [
      [{ ...failure, problem }, "topic-missing"],
      [{ ok: true, nextOffset: 10 }, "parked-records-gone"],
    ] as const) {
      const { parker, partition, scan, scans, faults, events } = given(times(10, a));
      parker.refill(partition);
      await scan({ upTo: 0, result });
      assert.deepEqual([faults.map((fault) => fault.code), scans.length, events], [[code], 1, []]);
    }
  });

  test("and shows only what others wait for, what was parked is lost: the worker stops", async () => {
    const { parker, partition, scans, faults } = given([a, b]);
    parker.refill(partition);
    const { onRecords, end } = scans[0]!;
    const other = { ...eventRecord({ tenant: a.replaceAll("a", "c") }, 0), topic: "retry" } as const;
    onRecords([{ ...other, offset: 5, timestampMs: 0, leaderEpoch: -1 }]);
    end({ ok: true, nextOffset: 6 });
    await rest();
    assert.deepEqual([faults.map(({ code }) => code), scans.length], [["parked-records-gone"], 1]);
  });

  test("since the partition was lost, nothing more is taken up, and nothing is said", async () => {
    const { parker, partition, scan, scans, seen, faults, events, onTaken, clock } = given(times(10, a));
    parker.refill(partition);
    onTaken.call = () => partition.lost.abort();
    await scan({ result: failure });
    assert.deepEqual([seen(), scans.length, faults, events, clock.pendingTimers], [[0], 1, [], [], 0]);
    const before = given(times(10, a));
    before.parker.refill(before.partition);
    before.partition.lost.abort();
    await before.scan({ upTo: 0, result: failure });
    assert.deepEqual([before.events, before.faults, before.scans.length], [[], [], 1]);
  });
});

// INV-KNOWN-LOG
describe("a copy that the log has lost", () => {
  const lost = (onRetentionGap: RegistrarSettings["onRetentionGap"]) => {
    const at = given([a], { onRetentionGap });
    const again: number[] = [];
    for (const enrolledOffset of [7, 8]) {
      sendToPark(at.partition.parking, a, enrolledOffset);
      const sendAgain = () => void again.push(enrolledOffset);
      acknowledge(at.partition.parking, a, {
        enrolledOffset,
        retryOffset: enrolledOffset,
        arrive: () => {},
        sendAgain,
      });
    }
    const [, awaited] = at.partition.parking.awaited;
    return { ...at, again, awaited: awaited! };
  };

  test("stops the worker, and is named", () => {
    const { parker, partition, faults, again, awaited } = lost("stop");
    parker.checkParked(partition);
    assert.equal(faults.length, 0);
    parker.checkParked(partition, [awaited]);
    assert.deepEqual([faults.map(({ code }) => code), again], [["parked-copy-lost"], []]);
    assert.match(faults[0]!.message, /enrolled\/0@8 /);
  });

  test("is sent again where the worker may continue", () => {
    const { parker, partition, faults, again } = lost("continue");
    partition.parking.nextOffset = 9;
    parker.checkParked(partition);
    assert.deepEqual([faults, again], [[], [7, 8]]);
  });
});
