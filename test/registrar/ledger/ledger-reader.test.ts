/** Snapshots of the ledger: believed only if they belong to the log at hand; the rest is read from there. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { contoso, keyOf, registeredBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import type { NewRecord, SnapshotStore } from "../../../src/ports.ts";
import { isProblem, type Problem } from "../../../src/problem.ts";
import { absorb, createLedger, type Ledger, remember } from "../../../src/registrar/ledger/ledger.ts";
import { createLedgerReader } from "../../../src/registrar/ledger/ledger-reader.ts";
import { encodeSnapshot } from "../../../src/registrar/ledger/ledger-snapshot.ts";
import type { KnownLog } from "../../../src/registrar/ownership/commit-metadata.ts";
import { createPersist } from "../../../src/registrar/persist.ts";

const machine = (n: number) => ({ machine: `HOST-${n}` });
const never = new AbortController().signal;

function memorySnapshots(): SnapshotStore & { kept: Uint8Array | null; saves: number } {
  const store = {
    kept: null as Uint8Array | null,
    saves: 0,
    load: () => Promise.resolve(store.kept),
    save(_: number, bytes: Uint8Array) {
      store.kept = bytes;
      store.saves++;
      return Promise.resolve({ ok: true } as const);
    },
  };
  return store;
}

function readerOf(world: World, snapshots?: SnapshotStore) {
  const { log } = world.log.connect(world.time, () => false);
  const ports = { log, observe: () => {}, clock: world.time, random: () => 0.5 };
  return createLedgerReader({ ...ports, ...(snapshots && { snapshots }) }, createPersist(ports));
}

async function open(world: World, snapshots?: SnapshotStore): Promise<Ledger> {
  const opened = await tryOpen(world, snapshots);
  assert.ok(!isProblem(opened), JSON.stringify(opened));
  return opened;
}

async function tryOpen(
  world: World,
  snapshots?: SnapshotStore,
  known: readonly KnownLog[] = [],
): Promise<Ledger | Problem> {
  let ledger: Ledger | Problem | null = null;
  const bounds = [{ start: 0, end: world.log.records("registered").at(-1)?.offset ?? -1 }].map(
    ({ start, end }) => ({ start, end: end + 1 }),
  );
  const topic = { id: world.log.topicIds.registered, bounds };
  const opening = readerOf(world, snapshots).open({ partition: 0, topic, known }, never);
  void opening.then((opened) => {
    ledger = opened;
  });
  await world.time.until("the ledger is read", () => ledger !== null);
  return ledger!;
}

/** A log of five registered records, and a snapshot of the first three. */
async function givenSnapshot(t: TestContext) {
  const world = createWorld(t);
  for (let n = 0; n < 3; n++) world.log.store(registeredBefore(machine(n)));
  const snapshots = memorySnapshots();
  snapshots.kept = encodeSnapshot(await open(world), 1);
  for (let n = 3; n < 5; n++) world.log.store(registeredBefore(machine(n)));
  world.log.scans.length = 0;
  return { world, snapshots };
}

test("given a snapshot of this log, only what came after it is read", async (t) => {
  const { world, snapshots } = await givenSnapshot(t);
  const ledger = await open(world, snapshots);
  assert.deepEqual(
    world.log.scans.map(({ from }) => from),
    [2],
  );
  assert.equal(ledger.size, 5);
  assert.equal(ledger.nextOffset, 5);
});

describe("a snapshot is thrown away, and the whole ledger read,", () => {
  test("when compaction took its last entry, which stands again further on", async (t) => {
    const { world, snapshots } = await givenSnapshot(t);
    world.log.store(registeredBefore(machine(2)));
    world.log.compact("registered", 0, 2);
    const ledger = await open(world, snapshots);
    assert.equal(ledger.size, 5);
    assert.equal(world.log.scans.at(-1)?.from, 0);
  });

  test("when its bytes are not a snapshot", async (t) => {
    const { world, snapshots } = await givenSnapshot(t);
    snapshots.kept = new TextEncoder().encode("another version");
    assert.equal((await open(world, snapshots)).size, 5);
  });
});

describe("a ledger with records of tenants that live in another partition only is a fault", () => {
  const stray = (tenantId: string, movedFor?: number): NewRecord => {
    const record = registeredBefore(machine(9));
    const value = JSON.stringify({
      ...JSON.parse(new TextDecoder().decode(record.value!)),
      tenantid: tenantId,
    });
    const headers =
      movedFor === undefined ? [] : ([["moved-for-partitions", Buffer.from(`${movedFor}`)]] as const);
    return { ...record, value: Buffer.from(value), headers };
  };
  const elsewhere = () => {
    const ids = Array.from(
      { length: 50 },
      (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    );
    return ids.find((id) => homePartition(id, 2) === 1)!;
  };

  test("found at the start, with what to type", async (t) => {
    const world = createWorld(t, { partitions: 2 });
    world.log.store(registeredBefore(machine(0)));
    world.log.store(stray(elsewhere()));
    const fault = await tryOpen(world);
    assert.ok(isProblem(fault));
    assert.equal(fault.code, "ledger-misplaced");
    assert.match(fault.message, /partition 0: 1 record belongs .*\(the first, at offset 1, into 1\)/);
    assert.match(fault.fix, /repartition --partitions 3$/);
  });

  test("not where a marker says that they stand at home too", async (t) => {
    const world = createWorld(t, { partitions: 2 });
    world.log.store(stray(elsewhere()));
    world.log.store(stray(elsewhere(), 2));
    assert.equal((await open(world)).size, 1);
    world.log.store(stray(elsewhere()));
    assert.ok(isProblem(await tryOpen(world)));
  });

  test("a snapshot made under another number of partitions hides none", async (t) => {
    const world = createWorld(t, { partitions: 2 });
    world.log.store(stray(elsewhere()));
    const snapshots = memorySnapshots();
    const ledger = createLedger();
    absorb(ledger, world.log.records("registered"));
    snapshots.kept = encodeSnapshot(ledger, 1);
    assert.ok(isProblem(await tryOpen(world, snapshots)));
  });
});

// INV-KNOWN-LOG
describe("a ledger that is not the one we knew is a fault:", () => {
  async function assertLost(opened: Promise<Ledger | Problem>, what: RegExp): Promise<void> {
    const fault = await opened;
    assert.ok(isProblem(fault), "it was taken for the ledger");
    assert.equal(fault.code, "ledger-lost");
    assert.match(fault.message, what);
  }
  const ofInput = { topicId: null, leaderEpoch: -1, readThrough: 0, readThroughEpoch: -1 };
  const known = (changes: Partial<KnownLog>): KnownLog => ({
    ...ofInput,
    deadLettersFrom: null,
    ledgerId: null,
    ledgerEnd: 0,
    ledgerSize: 0,
    ...changes,
  });

  test("its topic has another id than the snapshot's", async (t) => {
    const { world, snapshots } = await givenSnapshot(t);
    world.log.topicIds.registered = "another";
    await assertLost(tryOpen(world, snapshots), /deleted and created again/);
  });

  test("its topic has another id than the stored commits know", async (t) => {
    const { world } = await givenSnapshot(t);
    await assertLost(
      tryOpen(world, undefined, [known({ ledgerId: "another" })]),
      /deleted and created again/,
    );
  });

  test("it ends before the snapshot does", async (t) => {
    const { snapshots } = await givenSnapshot(t);
    const world = createWorld(t);
    world.log.store(registeredBefore(machine(0)));
    await assertLost(tryOpen(world, snapshots), /ends at 1, and was read to 3/);
  });

  test("it ends before the stored commits know", async (t) => {
    const { world } = await givenSnapshot(t);
    await assertLost(tryOpen(world, undefined, [known({ ledgerEnd: 6 })]), /ends at 5, and was read to 6/);
    assert.ok(!isProblem(await tryOpen(world, undefined, [known({ ledgerEnd: 5 })])));
  });

  test("it holds fewer enrollments than the stored commits know", async (t) => {
    const { world } = await givenSnapshot(t);
    await assertLost(
      tryOpen(world, undefined, [known({ ledgerSize: 6 })]),
      /holds 5 enrollments, and held 6/,
    );
    assert.ok(!isProblem(await tryOpen(world, undefined, [known({ ledgerSize: 5 })])));
  });

  test("an entry of the snapshot is gone, though it is as long", async (t) => {
    const { snapshots } = await givenSnapshot(t);
    const world = createWorld(t);
    for (let n = 10; n < 15; n++) world.log.store(registeredBefore(machine(n)));
    await assertLost(tryOpen(world, snapshots), /it lacks/);
  });

  test("an entry that the worker wrote itself is gone when it reads on", async (t) => {
    const { world } = await givenSnapshot(t);
    const reader = readerOf(world);
    const ledger = await open(world);
    remember(ledger, keyOf(machine(7)), "id-7");
    world.log.compact("registered", 0, 4);
    world.log.store(registeredBefore(machine(4)));
    let read: Ledger | Problem | null | undefined;
    void reader.catchUp(0, ledger, never).then((result) => {
      read = result;
    });
    await world.time.until("it was read on", () => read !== undefined);
    assert.ok(read !== null && read !== undefined && isProblem(read));
    assert.match(read.message, new RegExp(keyOf(machine(7))));
  });
});

test("a scan that fails in the middle is tried again from where it stood, and nothing is skipped", async (t) => {
  const { world, snapshots } = await givenSnapshot(t);
  world.log.scanScript.push({ ok: false, reason: "leader not available" }, { ok: false, reason: "again" });
  assert.equal((await open(world, snapshots)).size, 5);
});

test("when the session ends first, there is no ledger", async (t) => {
  const { world } = await givenSnapshot(t);
  const ended = new AbortController();
  ended.abort();
  assert.equal(
    await readerOf(world).open({ partition: 0, topic: { id: null, bounds: [] }, known: [] }, ended.signal),
    null,
  );
});

describe("a worker", () => {
  test("saves its ledger at a clean stop, and the next one reads on from there", async (t) => {
    const world = createWorld(t);
    const snapshots = memorySnapshots();
    world.emit(...many(1_200, contoso));
    const worker = world.start({ windowRecords: 500 }, { snapshots });
    await world.untilRegistered(1_200);
    await worker.stop();
    assert.equal(snapshots.saves, 1);
    world.log.scans.length = 0;
    world.emit(...many(1, contoso, 5_000), { ...many(1, contoso)[0], event: "again" });
    const next = world.start({}, { snapshots });
    await world.untilRegistered(1_201);
    assert.deepEqual(
      world.log.scans
        .filter(({ topic }) => topic === "registered")
        .map(({ from }) => from)
        .slice(0, 1),
      [1_199],
    );
    await world.time.until("the duplicate is known", () => next.seen("record-duplicate").length === 1);
    assert.equal(world.createdMachines().length, 1_201);
  });

  test("saves its ledger now and then, when it grew by so much", async (t) => {
    const world = createWorld(t);
    const snapshots = memorySnapshots();
    world.start({ snapshotIntervalMs: 60_000, snapshotEntriesMin: 5 }, { snapshots });
    const saves: number[] = [];
    await world.time.pass(1_000);
    for (const count of [5, 4, 1, 5]) {
      world.emit(...many(count, contoso, world.log.records("enrolled").length));
      await world.time.pass(60_000);
      saves.push(snapshots.saves);
    }
    assert.deepEqual(saves, [1, 1, 2, 3]);
  });

  test("that can't save continues, and reports it", async (t) => {
    const world = createWorld(t);
    const save = () => Promise.resolve({ ok: false, reason: "disk full" } as const);
    world.emit(...many(1_001, contoso));
    const worker = world.start(
      { windowRecords: 500 },
      { snapshots: { load: () => Promise.resolve(null), save } },
    );
    await world.untilRegistered(1_001);
    await worker.stop();
    assert.deepEqual(
      worker.seen("log-failed").map(({ reason }) => reason),
      ["disk full"],
    );
    assert.equal(worker.fault(), null);
  });
});
