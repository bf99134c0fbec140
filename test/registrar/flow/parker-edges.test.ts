/** Parking at its edges: a parked record in work, records in doubt, a partition that is lost on the way. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  contoso,
  fabrikam,
  headerNames,
  objectOf,
  parkedBefore,
  registeredBefore,
} from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, type World } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import type { InputTopic, Session } from "../../../src/ports.ts";
import { encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";
import { type OnRecords, scanBy } from "../../support/scan-by.ts";

const windowRecords = 10;

test("given a machine's parked record in work, the later ones of that machine step aside behind it", async (t) => {
  const world = createWorld(t);
  world.log.store(parkedBefore({ machine: "A", connector: "0" }));
  world.graph.script(contoso, { reply: "by itself", delayMs: 25_000 });
  const worker = world.start({ windowRecords, writesPer20s: 1 });
  await world.time.until("its POST is under way", () => world.creates().length === 1);
  for (let n = 1; n <= windowRecords; n++) world.emit({ machine: "A", connector: `${n}` });
  world.emit({ tenant: fabrikam });
  await world.time.until(
    "another tenant's record is through",
    () => world.graph.objects.get(fabrikam)?.length === 1,
    5_000,
  );
  assert.equal(worker.seen("record-parked").length, windowRecords);
  await world.untilRegistered(windowRecords + 2);
  const order = world.graph.objects.get(contoso)!.map(({ connectorName }) => Number(connectorName));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
});

// INV-DOUBT
test("given a suspect whose tenant has records parked, it joins them in doubt, and the next worker reads it back", async (t) => {
  const world = createWorld(t);
  world.log.store(parkedBefore({ machine: "A" }));
  world.emit({ machine: "DOUBT" });
  world.graph.objects.set(contoso, [objectOf({ machine: "DOUBT" })]);
  world.graph.always(contoso, answers(403));
  for (let n = 0; n < 100; n++) world.graph.listScript.push(answers(403).reply);
  const theirs = { claim: "theirs", limits: null, known: null };
  const [metadata, none] = [1, 0].map((attemptedThrough) => encodeMetadata({ ...theirs, attemptedThrough }));
  world.log.commitBefore({ topic: "enrolled", partition: 0, offset: 0, metadata: metadata! });
  world.log.commitBefore({ topic: "retry", partition: 0, offset: 0, metadata: none! });
  const worker = world.start();
  await world.time.until("it is parked", () => worker.seen("record-parked").length === 1);
  assert.deepEqual(headerNames(world.log.records("retry")[1]!), ["origin", "in-doubt"]);
  await worker.stop();
  world.graph.listScript.length = 0;
  world.graph.always(contoso, null);
  world.start();
  await world.untilRegistered(2);
  assert.deepEqual(
    world.createdMachines().filter((machine) => machine === "DOUBT"),
    [],
  );
});

test("given a producer's in-doubt header on a record that is parked, it does not go with it", async (t) => {
  const world = createWorld(t);
  world.log.store(parkedBefore({ machine: "A" }));
  world.log.store({ ...parkedBefore({ machine: "B" }, { inDoubt: true }), topic: "enrolled" });
  world.graph.always(contoso, answers(403));
  const worker = world.start();
  await world.time.until("it is parked", () => worker.seen("record-parked").length === 1);
  assert.deepEqual(headerNames(world.log.records("retry")[1]!), ["origin"]);
});

test("a partition that is lost while its parked records are looked for is not a failure of the log", async (t) => {
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
    const scan = scanBy(({ topic, partition, from }, onRecords, signal) => {
      const losing: OnRecords = (records) => {
        // The first one only finds out what is parked.
        if (topic === "retry" && ++scans === 2) member.rebalance([]);
        onRecords(records);
      };
      return log.scan(topic, partition, from, losing, signal);
    });
    return { member, log: { ...log, scan } };
  };
  const worker = world.start();
  await world.time.until("it is lost", () => worker.seen("partition-lost").length === 1);
  await world.time.pass(60_000);
  const asked = world.log.scans.filter(({ topic }) => topic === "retry");
  assert.deepEqual([scans, asked.length], [2, 2], "of a partition that is lost nothing more is looked for");
  assert.deepEqual(worker.seen("record-duplicate"), []);
});

describe("of parked records are taken up", () => {
  /** 60 of each tenant, and a Graph that answers one request a second, with one record in it. */
  function given(t: TestContext, ...tenants: string[]) {
    const world = createWorld(t);
    for (const tenant of tenants)
      for (const one of many(60, tenant)) world.log.store(parkedBefore({ ...one, tenant }));
    world.graph.latencyMs = 1_000;
    const worker = world.start({ windowRecords: 41, maxInFlight: 1, batchMax: 1 });
    return { world, parked: () => worker.registrar.status().parked };
  }

  test("as many as half a window holds, shared among the tenants", async (t) => {
    const { world, parked } = given(t, contoso, fabrikam);
    await world.time.pass(500);
    assert.equal(parked(), 120 - 20);
    // Once to find out what is parked, and once to take it up for all.
    assert.equal(world.log.scans.filter(({ topic }) => topic === "retry").length, 2);
  });

  test("more once half of a tenant's share is done, and not sooner", async (t) => {
    const { world, parked } = given(t, contoso);
    await world.untilRegistered(9);
    await world.time.rest();
    assert.equal(parked(), 60 - 20);
    await world.untilRegistered(10);
    await world.time.pass(100);
    assert.equal(parked(), 60 - 30);
  });
});

test("a record that comes while earlier ones of its machine are on their way to the retry topic does not overtake them", async (t) => {
  const world = createWorld(t);
  slowRetryReads(world, 5_000);
  world.graph.script(contoso, answers(429, { retryAfter: "2" }));
  world.emit(...[1, 2, 3, 4].map((n) => ({ machine: "A", connector: `${n}`, event: `event-${n}` })));
  const worker = world.start({ windowRecords: 3 });
  await world.untilRegistered(4);
  assert.deepEqual(
    world.graph.objects.get(contoso)?.map(({ connectorName }) => connectorName),
    ["1", "2", "3", "4"],
  );
  assert.deepEqual(worker.seen("log-failed"), [], "what was not seen there yet is not looked for");
});

/** What is stored in the retry topic is seen only after this time. */
function slowRetryReads(world: World, delayMs: number): void {
  const { connect } = world.log;
  world.log.connect = (...to) => {
    const { log, member } = connect(...to);
    const slow = (session: Session): Session =>
      Object.create(session, {
        read: {
          value: async (topic: InputTopic, partition: number) => {
            const result = await session.read(topic, partition);
            if (topic === "retry") await new Promise<void>((resolve) => world.time.after(delayMs, resolve));
            return result;
          },
        },
      });
    const join: typeof log.join = (onSession, onFailure) =>
      log.join((session) => onSession(slow(session)), onFailure);
    return { member, log: { ...log, join } };
  };
}

describe("taking parked records up", () => {
  test("stops reading once all that is wanted was found", async (t) => {
    const world = createWorld(t);
    for (const one of many(60, contoso)) world.log.store(parkedBefore(one));
    world.graph.latencyMs = 600_000;
    let handedOver = 0;
    let scans = 0;
    const { connect } = world.log;
    world.log.connect = (...to) => {
      const { log, member } = connect(...to);
      const scan = scanBy(({ topic, partition, from }, onRecords, signal) => {
        const isTakingUp = topic === "retry" && ++scans > 1;
        const oneByOne: OnRecords = (records) => {
          for (const record of records) {
            if (signal.aborted) return;
            if (isTakingUp) handedOver++;
            onRecords([record]);
          }
        };
        return log.scan(topic, partition, from, oneByOne, signal);
      });
      return { member, log: { ...log, scan } };
    };
    world.start({ windowRecords: 41 });
    await world.time.pass(5_000);
    assert.deepEqual([handedOver, scans], [20, 2]);
  });

  test("passes over what was taken up before, wherever another tenant's begin", async (t) => {
    const world = createWorld(t);
    for (const [n, one] of many(12, contoso).entries())
      world.log.store(parkedBefore({ ...one, tenant: n % 2 === 0 ? contoso : fabrikam }));
    world.graph.always(contoso, { reply: "by itself", delayMs: 20_000 });
    world.start({ windowRecords: 4 });
    await world.untilRegistered(12);
    assert.equal(world.creates().flatMap(({ items }) => items).length, 12);
  });

  test("is tried again with back-off when the log fails, and each failure is said", async (t) => {
    const world = createWorld(t);
    world.log.store(parkedBefore({}));
    const release = world.log.hold("scan");
    const worker = world.start();
    await world.time.pass(1_000);
    release();
    await world.time.until("it is gained", () => worker.seen("partition-gained").length === 1);
    const from = world.log.scans.length;
    for (let n = 0; n < 8; n++) world.log.scanScript.push({ ok: false, reason: "the leader moved" });
    const beganMs = world.time.nowMs();
    await world.untilRegistered(1, 60_000);
    const failed = worker.seen("log-failed");
    assert.deepEqual(new Set(failed.map(({ reason }) => reason)), new Set(["the leader moved"]));
    assert.deepEqual([failed.length, world.log.scans.length - from > 7], [8, true]);
    const waitedMs = failed.reduce((sum, { retryInMs }) => sum + retryInMs, 0);
    assert.ok(world.time.nowMs() - beganMs >= waitedMs && waitedMs > 4_000, `${waitedMs} ms`);
    assert.equal(worker.fault(), undefined);
  });

  test("stops the worker when the log says what no repetition changes", async (t) => {
    const world = createWorld(t);
    world.log.store(parkedBefore({}));
    const worker = world.start();
    await world.time.until("it is gained", () => worker.seen("partition-gained").length === 1);
    const problem = { code: "topic-missing", message: "The topic is gone.", fix: "Create it." };
    const failure = { ok: false, reason: "gone", problem } as const;
    world.log.scanScript.push(failure);
    await world.time.until("it stops", () => worker.fault() !== undefined, 60_000);
    assert.equal(worker.fault()?.code, "topic-missing");
  });
});
