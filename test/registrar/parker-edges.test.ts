/** Parking at its edges: a parked record in work, records in doubt, a partition that is lost on the way. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { encodeMetadata } from "../../src/registrar/commit-metadata.ts";
import { contoso, fabrikam, headerNames, objectOf, parkedBefore, registeredBefore } from "./enrollments.ts";
import { createWorld, many } from "./harness.ts";
import { answers } from "./scripted-graph.ts";

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

describe("of parked records are taken up", () => {
  /** 60 of each tenant, and a Graph that answers one request a second, with one record in it. */
  function given(t: TestContext, ...tenants: string[]) {
    const world = createWorld(t);
    for (const tenant of tenants)
      for (const one of many(60, tenant)) world.log.store(parkedBefore({ ...one, tenant }));
    world.graph.latencyMs = 1_000;
    const worker = world.start({ windowRecords: 40, maxInFlight: 1, batchMax: 1 });
    return { world, parked: () => worker.registrar.status().parked };
  }

  test("as many as half a window holds, shared among the tenants", async (t) => {
    const { world, parked } = given(t, contoso, fabrikam);
    await world.time.pass(500);
    assert.equal(parked(), 120 - 20);
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
