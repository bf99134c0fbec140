/** Snapshots of the ledger: believed only if they belong to the log at hand; the rest is read from there. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { SnapshotStore } from "../../src/ports.ts";
import { graphIdOf, type Ledger } from "../../src/registrar/ledger.ts";
import { createLedgerReader } from "../../src/registrar/ledger-reader.ts";
import { encodeSnapshot } from "../../src/registrar/ledger-snapshot.ts";
import { createPersist } from "../../src/registrar/persist.ts";
import { contoso, keyOf, registeredBefore } from "./enrollments.ts";
import { createWorld, many, type World } from "./harness.ts";

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
  let ledger: Ledger | null = null;
  const opening = readerOf(world, snapshots).open(0, never);
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
  snapshots.kept = encodeSnapshot(await open(world));
  for (let n = 3; n < 5; n++) world.log.store(registeredBefore(machine(n)));
  world.log.scans.length = 0;
  return { world, snapshots };
}
const holds = (ledger: Ledger, n: number) => graphIdOf(ledger, keyOf(machine(n))) !== null;

test("given a snapshot of this log, only what came after it is read", async (t) => {
  const { world, snapshots } = await givenSnapshot(t);
  const ledger = await open(world, snapshots);
  assert.deepEqual(
    world.log.scans.map(({ from }) => from),
    [2, 3],
  );
  assert.equal(ledger.size, 5);
  assert.equal(ledger.nextOffset, 5);
});

describe("a snapshot is thrown away, and the whole ledger read,", () => {
  test("when its last entry is another record in this log: the topic was made anew", async (t) => {
    const { snapshots } = await givenSnapshot(t);
    const world = createWorld(t);
    for (let n = 10; n < 15; n++) world.log.store(registeredBefore(machine(n)));
    const ledger = await open(world, snapshots);
    assert.equal(world.log.scans.at(-1)?.from, 0);
    assert.equal(ledger.size, 5);
    assert.ok(!holds(ledger, 0) && holds(ledger, 10));
  });

  test("when the log ends before its last entry", async (t) => {
    const { snapshots } = await givenSnapshot(t);
    const world = createWorld(t);
    world.log.store(registeredBefore(machine(10)));
    const ledger = await open(world, snapshots);
    assert.equal(ledger.size, 1);
  });

  test("when compaction took its last entry", async (t) => {
    const { world, snapshots } = await givenSnapshot(t);
    world.log.compact("registered", 0, 2);
    const ledger = await open(world, snapshots);
    assert.equal(ledger.size, 4);
    assert.ok(!holds(ledger, 2));
    assert.equal(world.log.scans.at(-1)?.from, 0);
  });

  test("when its bytes are no snapshot", async (t) => {
    const { world, snapshots } = await givenSnapshot(t);
    snapshots.kept = new TextEncoder().encode("another version");
    assert.equal((await open(world, snapshots)).size, 5);
  });
});

test("a scan that fails in the middle is tried again from where it stood, and nothing is passed over", async (t) => {
  const { world, snapshots } = await givenSnapshot(t);
  world.log.scanScript.push({ ok: false, reason: "leader not available" }, { ok: false, reason: "again" });
  assert.equal((await open(world, snapshots)).size, 5);
});

test("when the session ends first, there is no ledger", async (t) => {
  const { world } = await givenSnapshot(t);
  const ended = new AbortController();
  ended.abort();
  assert.equal(await readerOf(world).open(0, ended.signal), null);
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
        .slice(0, 2),
      [1_199, 1_200],
    );
    await world.time.until("the duplicate is known", () => next.seen("record-duplicate").length === 1);
    assert.equal(world.createdMachines().length, 1_201);
  });

  test("that can't save goes on, and says so", async (t) => {
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
