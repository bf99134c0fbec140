/** Which parked records are taken up, how many at a time, and what happens when the log does not give them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventRecord } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { EventLog, LogRecord, ScanResult, Session } from "../../../src/ports.ts";
import type { Problem } from "../../../src/problem.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import type { Flow } from "../../../src/registrar/flow/flow.ts";
import { createParker } from "../../../src/registrar/flow/parker.ts";
import { acknowledge, note, sendToPark } from "../../../src/registrar/intake/parking.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { OwnedPartition, Work } from "../../../src/registrar/ownership/partition.ts";
import type { RegistrarSettings } from "../../../src/registrar/settings.ts";
import { freshPartition } from "../fresh-partition.ts";

const [a, b] = ["a", "b"].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`) as [
  string,
  string,
];
const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Scan {
  readonly from: number;
  readonly onRecords: (records: readonly LogRecord[]) => void;
  readonly signal: AbortSignal;
  readonly end: (result: ScanResult) => void;
}

/** `parked`: tenants of the records in the retry topic, from offset 0 on. Chance is 0.5. */
function given(parked: readonly string[], changes: Partial<RegistrarSettings> = {}) {
  const clock = virtualClock();
  const scans: Scan[] = [];
  const events: RegistrarEvent[] = [];
  const faults: Problem[] = [];
  const taken: number[] = [];
  const now = { paused: new Set<string>(), blocked: new Set<string>() };
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  for (const [offset, tenantId] of parked.entries()) note(partition.parking, tenantId, offset);
  const standingOf = (tenantId: string) => (now.paused.has(tenantId) ? "paused" : "served");
  const log: Pick<EventLog, "scan"> = {
    scan: (...[topic, number, from, onRecords, signal]) => {
      assert.deepEqual([topic, number], ["retry", 0]);
      return new Promise((end) => void scans.push({ from, onRecords, signal, end }));
    },
  };
  const core = {
    ports: { log, clock, random: () => 0.5, observe: (event: RegistrarEvent) => void events.push(event) },
    settings: { ...settings, windowRecords: 8, ...changes, tenants: { ...settings.tenants, standingOf } },
    outside: { fault: (fault: Problem) => void faults.push(fault) },
  };
  const flow = {
    tenants: { isBlocked: (tenantId: string) => now.blocked.has(tenantId) },
    readBack: { isStalled: () => false },
  };
  const onTaken = { call: () => {} };
  const parker = createParker(core as unknown as Core, flow as unknown as Flow, {
    takeUp({ tenants }: OwnedPartition, _, record) {
      taken.push(record.offset);
      const tenantId = parked[record.offset]!;
      tenants.set(tenantId, (tenants.get(tenantId) ?? new Set()).add({ record } as unknown as Work));
      onTaken.call();
    },
  });
  const recordAt = (offset: number): LogRecord => ({
    ...eventRecord({ tenant: parked[offset]! }, 0),
    ...{ topic: "retry", offset, timestampMs: 0, leaderEpoch: -1 },
  });
  return {
    ...{ clock, scans, events, faults, now, partition, parker, onTaken },
    /** The log hands over all from where the scan began, and the scan ends. */
    async scan({ upTo = parked.length, result = { ok: true, nextOffset: upTo } as ScanResult } = {}) {
      const { from, onRecords, end } = scans.at(-1)!;
      onRecords(Array.from({ length: Math.max(0, upTo - from) }, (_, n) => recordAt(from + n)));
      end(result);
      await rest();
    },
    seen: () => taken.splice(0),
    /** So many of what was taken up are settled. */
    settle(tenantId: string, count: number) {
      const works = partition.tenants.get(tenantId)!;
      for (const work of [...works].slice(0, count)) works.delete(work);
    },
  };
}
const times = (count: number, ...tenants: readonly string[]) =>
  Array.from({ length: count }, () => tenants).flat();

describe("of a tenant's parked records", () => {
  test("as many are taken up as half a window holds, in order, and reading stops then", async () => {
    const { parker, partition, scan, scans, seen } = given(times(10, a));
    parker.refill(partition);
    await scan();
    assert.deepEqual([seen(), scans.length], [[0, 1, 2, 3], 1]);
    assert.ok(scans[0]!.signal.aborted);
    assert.equal(partition.refilling, false);
  });

  test("more are taken up once half of them are settled, from where the first of them stands", async () => {
    const { parker, partition, scan, scans, seen, settle } = given(times(10, a));
    parker.refill(partition);
    await scan();
    seen();
    settle(a, 1);
    parker.refill(partition);
    assert.equal(scans.length, 1);
    settle(a, 1);
    parker.refill(partition);
    assert.equal(scans[1]?.from, 4);
    await scan();
    assert.deepEqual(seen(), [4, 5]);
  });

  for (const [windowRecords, parked, expected] of [
    [7, 10, 3],
    [1, 10, 1],
    [10_000, 300, 200],
  ] as const)
    test(`${expected} are taken up with a window of ${windowRecords}`, async () => {
      const { parker, partition, scan, seen } = given(times(parked, a), { windowRecords });
      parker.refill(partition);
      await scan();
      assert.equal(seen().length, expected);
    });

  test("one is taken up of a blocked tenant, none of a paused one, none of one whose copies were not read yet", async () => {
    const { parker, partition, scan, scans, seen, now, settle } = given(times(5, b, a));
    now.blocked.add(a);
    now.paused.add(b);
    sendToPark(partition.parking, "on-the-way", 7);
    parker.refill(partition);
    assert.equal(scans[0]?.from, 1);
    await scan();
    assert.deepEqual(seen(), [1]);
    parker.refill(partition);
    assert.equal(scans.length, 1, "it probes");
    settle(a, 1);
    parker.refill(partition);
    await scan();
    assert.deepEqual(seen(), [3]);
  });

  test("each tenant has its share, by one reading for all", async () => {
    const { parker, partition, scan, scans, seen } = given([...times(4, a), ...times(4, b)]);
    parker.refill(partition);
    await scan();
    assert.deepEqual([seen(), scans.length, scans[0]?.from], [[0, 1, 4, 5], 1, 0]);
  });

  test("none is looked for while that is under way, or where none is parked", () => {
    const { parker, partition, scans } = given(times(10, a));
    parker.refill(partition);
    parker.refill(partition);
    assert.equal(scans.length, 1);
    const none = given([]);
    none.parker.refill(none.partition);
    assert.deepEqual([none.scans.length, none.partition.refilling], [0, false]);
  });
});

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
