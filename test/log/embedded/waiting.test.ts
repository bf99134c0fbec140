/** What waits, and for how long: writers for other writers, readers for records. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { Wake, type Watched } from "../../../src/log/embedded/wake.ts";
import { aRecord, at, scan, watch } from "../../contracts/event-log/harness.ts";
import { workspaceOf } from "./harness.ts";
import { ManualClock } from "./manual-clock.ts";

const timeout = 20_000;

async function besideAnotherWriter(t: Parameters<typeof workspaceOf>[0]) {
  const { dataDir } = workspaceOf(t);
  const clock = new ManualClock();
  const opening = await openEmbeddedLog({ dataDir, partitionCount: 1 }, clock);
  assert.ok(opening.ok);
  const other = new DatabaseSync(join(dataDir, "log.db"));
  t.after(() => opening.log.close());
  t.after(() => other.isOpen && other.close());
  return { log: opening.log, clock, other };
}

/** Until the log has met the lock and waits for the clock. */
async function untilWaiting(clock: ManualClock): Promise<void> {
  while (clock.pending === 0) await nextTurn();
}

test("an append waits for another process's transaction", { timeout }, async (t) => {
  const { log, clock, other } = await besideAnotherWriter(t);
  other.exec("BEGIN IMMEDIATE");
  const appended = Promise.all([log.append([aRecord("dlq", 0, "a")]), log.append([aRecord("dlq", 0, "b")])]);
  const state = watch(appended);
  await untilWaiting(clock);
  assert.equal(state.settled, false);
  other.exec("ROLLBACK");
  clock.advance(20);
  assert.deepEqual(await appended, [{ ok: true }, { ok: true }]);
  assert.equal((await scan(log, at("dlq", 0))).records.length, 2);
});

test("an append gives up at its deadline, and is not carried out later", { timeout }, async (t) => {
  const { log, clock, other } = await besideAnotherWriter(t);
  other.exec("BEGIN IMMEDIATE");
  const early = log.append([aRecord("dlq", 0, "early")]);
  await untilWaiting(clock);
  clock.advance(10_000);
  const result = await early;
  assert.ok(!result.ok && /locked by another process/.test(result.reason));
  other.exec("ROLLBACK");
  assert.deepEqual(await log.append([aRecord("dlq", 0, "late")]), { ok: true });
  assert.equal((await scan(log, at("dlq", 0))).records.length, 1);
});

test("leaving waits for what was asked to be written before", { timeout }, async (t) => {
  const { log, clock, other } = await besideAnotherWriter(t);
  const membership = await log.join(
    () => {},
    (reason) => assert.fail(reason),
  );
  other.exec("BEGIN IMMEDIATE");
  const appended = watch(log.append([aRecord("registered", 0, "a")]));
  await untilWaiting(clock);
  const left = membership.leave();
  const state = watch(left);
  await nextTurn();
  assert.equal(state.settled, false);
  other.exec("ROLLBACK");
  clock.advance(20);
  await left;
  assert.equal(appended.settled, true);
});

test("closing carries out what waits", { timeout }, async (t) => {
  const { log } = await besideAnotherWriter(t);
  const appended = log.append([aRecord("dlq", 0, "a")]);
  await log.close();
  assert.deepEqual(await appended, { ok: true });
  const later = await log.append([aRecord("dlq", 0, "b")]);
  assert.ok(!later.ok && /closed/.test(later.reason));
});

test("closing ends reads, tails and scans", { timeout }, async (t) => {
  const { log } = await besideAnotherWriter(t);
  const tail = log.tail("dlq", "start", () => {}, new AbortController().signal);
  const membership = log.join(
    (session) => {
      session.seek("enrolled", 0, 0, -1);
      reading = session.read("enrolled", 0);
    },
    (reason) => assert.fail(reason),
  );
  let reading: Promise<unknown> | null = null;
  await membership;
  await log.close();
  assert.deepEqual(await reading, { kind: "ended" });
  assert.equal((await tail).ok, false);
  assert.equal((await log.scan("dlq", 0, 0, () => {}, new AbortController().signal)).ok, false);
});

/** A log where every change is a record more in enrolled/0. */
function logOf(dataVersion: () => number | null): Watched {
  return {
    dataVersion,
    ends: () => [{ topic: "enrolled", partition: 0, nextOffset: dataVersion() ?? 0 }],
  };
}

test("without file events the poll notices", { timeout }, async (t) => {
  const { dataDir } = workspaceOf(t);
  const clock = new ManualClock();
  let version = 1;
  const wake = new Wake(
    join(dataDir, "no such file"),
    clock,
    logOf(() => version),
  );
  t.after(() => wake.close());
  const waiting = wake.wait("enrolled", 0);
  const state = watch(waiting);
  clock.advance(250);
  await nextTurn();
  assert.equal(state.settled, false);
  version = 2;
  clock.advance(250);
  await waiting;
  clock.advance(250);
  assert.equal(clock.pending, 0, "nothing runs while no read waits");
});

test("a commit of another process between the last look and the wait is not slept over", {
  timeout,
}, async (t) => {
  const { dataDir } = workspaceOf(t);
  let version = 1;
  const wake = new Wake(
    join(dataDir, "no such file"),
    new ManualClock(),
    logOf(() => version),
  );
  t.after(() => wake.close());
  version = 2;
  await wake.wait("enrolled", 0);
});

test("a commit of another process wakes those whose records came; all, when it is not known whose", async (t) => {
  const { dataDir } = workspaceOf(t);
  const clock = new ManualClock();
  const log = { version: 1 as number | null, ends: [4, 7] as number[] | null };
  const wake = new Wake(join(dataDir, "no such file"), clock, {
    dataVersion: () => log.version,
    ends: () =>
      log.ends?.map((nextOffset, partition) => ({ topic: "enrolled", partition, nextOffset })) ?? null,
  });
  t.after(() => wake.close());
  const changeTo = async (ends: number[] | null) => {
    log.version = (log.version ?? 0) + 1;
    log.ends = ends;
    clock.advance(250);
    await nextTurn();
  };
  // The first change after the opening: where the partitions ended before is not known.
  const first = [watch(wake.wait("enrolled", 0)), watch(wake.wait("enrolled", 1))];
  await changeTo([4, 8]);
  assert.deepEqual(
    first.map(({ settled }) => settled),
    [true, true],
  );
  const [idle, busy, topic] = [
    watch(wake.wait("enrolled", 0)),
    watch(wake.wait("enrolled", 1)),
    watch(wake.wait("enrolled", null)),
  ];
  await changeTo([4, 9]);
  assert.deepEqual([idle.settled, busy.settled, topic.settled], [false, true, true]);
  await changeTo([4, 9]);
  assert.equal(idle.settled, false, "a commit of offsets wakes no read");
  await changeTo(null);
  assert.equal(idle.settled, true);
});

test("an append wakes those who wait for its partition, and no others", async (t) => {
  const { dataDir } = workspaceOf(t);
  const wake = new Wake(
    join(dataDir, "no such file"),
    new ManualClock(),
    logOf(() => 1),
  );
  const [same, all, other, topic] = [
    wake.wait("enrolled", 1),
    wake.wait("enrolled", null),
    watch(wake.wait("enrolled", 2)),
    watch(wake.wait("retry", 1)),
  ];
  wake.wake("enrolled", 1);
  await Promise.all([same, all]);
  await nextTurn();
  assert.deepEqual([other.settled, topic.settled], [false, false]);
  wake.close();
  await nextTurn();
  assert.deepEqual([other.settled, topic.settled], [true, true]);
});
