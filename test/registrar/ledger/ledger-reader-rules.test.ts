/** Reading a ledger on, and saving it: what is read again, what is a fault, and when a snapshot is worth it. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { keyOf, registeredBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld } from "../../../lab/testkit/registrar-world.ts";
import type { EventLog, SnapshotStore } from "../../../src/ports.ts";
import { isProblem, type Problem } from "../../../src/problem.ts";
import { isRegistered, type Ledger, remember } from "../../../src/registrar/ledger/ledger.ts";
import { createLedgerReader } from "../../../src/registrar/ledger/ledger-reader.ts";
import { decodeSnapshot, encodeSnapshot } from "../../../src/registrar/ledger/ledger-snapshot.ts";
import { lostSince } from "../../../src/registrar/ledger/lost-since.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { OwnedPartition } from "../../../src/registrar/ownership/partition.ts";
import { createPersist } from "../../../src/registrar/persist.ts";
import { scanBy } from "../../support/scan-by.ts";
import { freshPartition } from "../fresh-partition.ts";

const machine = (n: number) => ({ machine: `HOST-${n}` });
const never = new AbortController().signal;

/** A log of five registered records, and a reader of it that keeps what it saves. */
function given(t: TestContext, wrap: (log: EventLog) => EventLog = (log) => log) {
  const world = createWorld(t);
  for (let n = 0; n < 5; n++) world.log.store(registeredBefore(machine(n)));
  const saved: Uint8Array[] = [];
  const snapshots: SnapshotStore = {
    load: () => Promise.resolve(saved.at(-1) ?? null),
    save(_, bytes) {
      saved.push(bytes);
      return Promise.resolve({ ok: true });
    },
  };
  const log = wrap(world.log.connect(world.time, () => false).log);
  const ports = { log, snapshots, observe: () => {}, clock: world.time, random: () => 0.5 };
  const reader = createLedgerReader(ports, createPersist(ports));
  const done = world.time.untilResolved;
  const opened = async (topicId: string | null = "id-g"): Promise<Ledger> => {
    const end = (world.log.records("registered").at(-1)?.offset ?? -1) + 1;
    const ledger = await done(
      reader.open({ partition: 0, topic: { id: topicId, bounds: [{ start: 0, end }] }, known: [] }, never),
    );
    assert.ok(ledger !== null && !isProblem(ledger), JSON.stringify(ledger));
    return ledger;
  };
  const from = () => world.log.scans.map((scan) => scan.from);
  return { world, saved, reader, done, opened, from };
}

function partitionOf(ledger: Ledger): OwnedPartition {
  const session = { partitions: [0], ended: never } as unknown as Parameters<typeof createLease>[0];
  return freshPartition({ lease: createLease(session), ledger });
}

describe("reading on", () => {
  // INV-LEDGER-READ
  test("goes to the log's end, also where compaction left nothing there", async (t) => {
    const { world, opened } = given(t);
    world.log.compact("registered", 0, 4);
    assert.equal((await opened()).nextOffset, 5);
  });

  test("the whole ledger is read again when its last entry is gone and nothing came after it", async (t) => {
    const { world, opened, reader, done, from } = given(t);
    const ledger = await opened();
    world.log.compact("registered", 0, 4);
    world.log.store(registeredBefore(machine(4)));
    world.log.compact("registered", 0, 5);
    world.log.scans.length = 0;
    const lost = await done(reader.catchUp(0, ledger, never));
    assert.deepEqual(from().slice(0, 2), [4, 0]);
    assert.ok(lost !== null && isProblem(lost));
  });

  test("after a failure in the middle it continues from there", async (t) => {
    let isFirst = true;
    const { opened, from } = given(t, (log) => ({
      ...log,
      scan: scanBy(async ({ topic, partition, from }, onRecords, signal) => {
        if (!isFirst) return log.scan(topic, partition, from, onRecords, signal);
        isFirst = false;
        await log.scan(topic, partition, from, (records) => onRecords(records.slice(0, 2)), signal);
        return { ok: false, reason: "the leader moved" };
      }),
    }));
    assert.equal((await opened()).size, 5);
    assert.deepEqual(from(), [0, 2]);
  });

  test("a log that ends before what was read is a fault immediately", async (t) => {
    const { world, opened, reader, done } = given(t);
    const ledger = await opened();
    world.log.cutEnd("registered", 0, 3);
    const fault = (await done(reader.catchUp(0, ledger, never))) as Problem;
    assert.match(fault.message, /ends at 3, and was read to 4/);
  });

  describe("given an entry of this worker that the log lacks", () => {
    async function lacking(t: TestContext) {
      const set = given(t);
      const ledger = await set.opened();
      remember(ledger, keyOf(machine(7)), "id-7");
      set.world.log.compact("registered", 0, 4);
      set.world.log.store(registeredBefore(machine(4)));
      set.world.log.scans.length = 0;
      return { ...set, ledger };
    }

    test("that is stored while the rest is read, all is well", async (t) => {
      const { world, reader, ledger } = await lacking(t);
      const reading = reader.catchUp(0, ledger, never);
      await world.time.until("it looks once more", () => world.log.scans.length === 3);
      world.log.store(registeredBefore(machine(7)));
      await world.time.pass(10);
      const read = await reading;
      assert.ok(read !== null && !isProblem(read));
      assert.ok(isRegistered(read, keyOf(machine(7))));
      assert.equal(read.nextOffset, 7);
    });

    test("nor any longer what was read just now, that is the fault", async (t) => {
      const { world, reader, ledger } = await lacking(t);
      const reading = reader.catchUp(0, ledger, never);
      await world.time.until("it looks once more", () => world.log.scans.length === 3);
      world.log.cutEnd("registered", 0, 2);
      await world.time.pass(10);
      assert.match(((await reading) as Problem).message, /ends at 2, and was read to 6/);
    });

    test("and a session that ends meanwhile, nothing is said of it", async (t) => {
      const { world, reader, ledger } = await lacking(t);
      const ended = new AbortController();
      const reading = reader.catchUp(0, ledger, ended.signal);
      await world.time.until("it looks once more", () => world.log.scans.length === 3);
      ended.abort();
      await world.time.pass(10);
      assert.equal(await reading, null);
    });
  });
});

describe("a snapshot", () => {
  test("is saved when the ledger grew by so much since the last one, loaded or saved, and not before", async (t) => {
    const { world, saved, reader, done, opened } = given(t);
    const save = async (ledger: Ledger, entriesMin: number) => {
      assert.equal(await done(reader.save([partitionOf(ledger)], entriesMin, never)), null);
      return saved.length;
    };
    const ledger = await opened();
    assert.equal(await save(ledger, 6), 0);
    assert.equal(await save(ledger, 5), 1);
    assert.equal(await save(ledger, 1), 1);
    world.log.store(registeredBefore(machine(5)));
    const next = await opened();
    assert.equal(next.size, 6);
    assert.equal(await save(next, 2), 1);
    assert.equal(await save(next, 1), 2);
    assert.equal(decodeSnapshot(saved[1]!, 1)?.size, 6);
  });

  test("of a partition that is lost is not saved", async (t) => {
    const { saved, reader, done, opened } = given(t);
    const partition = partitionOf(await opened());
    partition.lost.abort();
    await done(reader.save([partition], 0, never));
    assert.equal(saved.length, 0);
  });

  test("is not made where there is no store: then nothing is read for one", async (t) => {
    const { world, opened, done } = given(t);
    const ledger = await opened();
    const { log } = world.log.connect(world.time, () => false);
    const ports = { log, observe: () => {}, clock: world.time, random: () => 0.5 };
    const reader = createLedgerReader(ports, createPersist(ports));
    world.log.scans.length = 0;
    assert.equal(await done(reader.save([partitionOf(ledger)], 0, never)), null);
    assert.deepEqual(world.log.scans, []);
  });

  test("that knew no topic id takes the one that the topic has", async (t) => {
    const { saved, opened } = given(t);
    saved.push(encodeSnapshot(await opened(null), 1));
    assert.equal((await opened("id-g")).topicId, "id-g");
  });
});

test("a ledger is another one when its id differs or it ends sooner, as far as either is known", () => {
  const survey = (id: string | null, end: number) => ({ id, bounds: [{ start: 0, end }] });
  const table = [
    [survey("a", 5), "a", 5, null],
    [survey("a", 6), "a", 5, null],
    [survey(null, 5), "a", 5, null],
    [survey("a", 5), null, 5, null],
    [survey("a", 5), "b", 5, /created again/],
    [survey("a", 4), "a", 5, /ends at 4, and was read to 5/],
    [{ id: "a", bounds: [] }, "a", 1, /ends at 0/],
  ] as const;
  for (const [topic, knownId, knownEnd, message] of table) {
    const fault = lostSince(0, topic, { ledgerId: knownId, ledgerEnd: knownEnd });
    if (message === null) assert.equal(fault, null);
    else assert.match(fault?.message ?? "", message);
  }
});
