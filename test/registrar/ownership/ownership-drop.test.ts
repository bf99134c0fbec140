/** A partition that is dropped, alone: what is said of it, and what is not done for it any more. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { note, takeUp } from "../../../src/registrar/intake/parking.ts";
import { enter } from "../../../src/registrar/intake/window.ts";
import { createLedgerReader } from "../../../src/registrar/ledger/ledger-reader.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { createOwnership } from "../../../src/registrar/ownership/ownership.ts";
import { isOwned, type OwnedPartition } from "../../../src/registrar/ownership/partition.ts";
import { createPersist } from "../../../src/registrar/persist.ts";
import { freshPartition } from "../fresh-partition.ts";

/** Owns partition 0 of two under a session that lasts; three of its records are not settled. */
function given(t: TestContext) {
  const world = createWorld(t, { partitions: 2 });
  const { log, member } = world.log.connect(world.time, () => false);
  const events: RegistrarEvent[] = [];
  const calls: string[] = [];
  const observe = (event: RegistrarEvent) => {
    events.push(event);
  };
  const ports = { log, graph: world.graph, clock: world.time, random: () => 0.5, observe };
  const persist = createPersist(ports);
  const owned = new Map<number, OwnedPartition>();
  const ownership = createOwnership(
    {
      ...{ ports, settings, owned, persist, ledgers: createLedgerReader(ports, persist) },
      honoursIds: () => false,
    },
    {
      ready: ({ number }) => calls.push(`ready ${number}`),
      released: ({ number }) => calls.push(`released ${number}`),
      lost: (partition) => calls.push(`lost ${partition.number}, owned ${isOwned(partition)}`),
      commitUnknown: () => calls.push("unknown"),
      fault: ({ code }) => calls.push(code),
    },
  );
  member.first = null;
  let lease: OwnedPartition["lease"] | null = null;
  void log.join(
    (session) => {
      lease = createLease(session);
    },
    () => {},
  );
  member.rebalance([0]);
  const own = (number: number): OwnedPartition => {
    const partition = freshPartition({ number, lease: lease! });
    for (const offset of [0, 1]) enter(partition.window, offset);
    note(partition.parking, "tenant", 0);
    takeUp(partition.parking, "tenant", 0);
    owned.set(number, partition);
    return partition;
  };
  const seen = (kind: RegistrarEvent["kind"]) => events.filter((event) => event.kind === kind);
  return { world, member, ownership, owned, own, calls, seen };
}

describe("a partition whose input is not the one that was read", () => {
  test("is dropped, and taken over again within its session", async (t) => {
    const { world, ownership, owned, own, calls, seen } = given(t);
    const before = own(0);
    void ownership.regain(before, "enrolled");
    assert.deepEqual(calls, ["lost 0, owned false"]);
    assert.deepEqual(seen("partition-lost"), [{ kind: "partition-lost", partition: 0, abandoned: 3 }]);
    assert.equal(owned.size, 0);
    await world.time.pass(1_000);
    assert.deepEqual(calls, ["lost 0, owned false", "ready 0"]);
    assert.notEqual(owned.get(0), before);
    assert.equal(owned.get(0)?.lease, before.lease);
    await world.time.pass(settings.settleMs);
    assert.deepEqual(calls.slice(2), ["released 0"]);
    assert.equal(owned.get(0)?.suspectsReleased, true);
  });

  test("is not dropped again, nor taken over, where it is lost already", async (t) => {
    const { world, ownership, own, calls, seen } = given(t);
    const partition = own(0);
    partition.lost.abort();
    void ownership.regain(partition, "enrolled");
    await world.time.pass(60_000);
    assert.deepEqual([calls, seen("partition-lost"), seen("partition-gained")], [[], [], []]);
  });

  test("stays dropped when its session ends meanwhile", async (t) => {
    const { world, member, ownership, owned, own, calls } = given(t);
    const partition = own(0);
    void ownership.regain(partition, "retry");
    member.endSession();
    await world.time.pass(60_000);
    assert.deepEqual([calls, owned.size], [["lost 0, owned false"], 0]);
  });
});

test("at the end all partitions are dropped, each once", (t) => {
  const { ownership, owned, own, calls, seen } = given(t);
  own(0);
  own(1);
  ownership.dropAll();
  ownership.dropAll();
  assert.deepEqual(calls, ["lost 0, owned false", "lost 1, owned false"]);
  assert.equal(seen("partition-lost").length, 2);
  assert.equal(owned.size, 0);
});
