/** `repartition` on a real broker: what it leaves, what it refuses, and that it may be cut off anywhere. */
import assert from "node:assert/strict";
import { eventWith } from "../../../lab/testkit/samples.ts";
import { createHomes, createPlacement, place } from "../../../src/domain/ledger-home.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import type { KafkaSettings } from "../../../src/log/kafka/kafka-log.ts";
import { isInDoubt } from "../../../src/registrar/intake/in-doubt.ts";
import { type Ended, type Parts, repartition } from "../../../src/repartition/run.ts";
import { kafkaTest, openLog, settingsFor } from "./harness.ts";
import {
  anyLog,
  clusterOf,
  commitPosition,
  type Enrollment,
  enrollments,
  ledgerOf,
  partsFor,
  recordsOf,
  registerAll,
  registered,
  run,
  startProblem,
} from "./repartition-harness.ts";
import { eventually } from "./waiting.ts";

/** Every enrollment stands in its home with its Graph id, and a worker would find nothing misplaced. */
async function assertInPlace(settings: KafkaSettings, all: readonly Enrollment[], partitions: number) {
  const ledger = await ledgerOf(settings, partitions);
  for (const { tenantId, idempotencyKey, graphId } of all) {
    const home = ledger[homePartition(tenantId, partitions)]!;
    const found = home.filter((entry) => entry.idempotencyKey === idempotencyKey);
    assert.deepEqual([...new Set(found.map((entry) => entry.graphId))], [graphId]);
  }
  const homes = createHomes(partitions);
  for (const [partition, entries] of ledger.entries()) {
    const placement = createPlacement(partition, partitions, homes);
    entries.forEach((entry, offset) => void place(placement, entry, offset));
    assert.equal(placement.misplaced, 0, `partition ${partition}`);
  }
  assert.equal(await startProblem(settings), null);
}

function problemOf(ended: Ended) {
  assert.ok(!ended.ok);
  return ended.problem;
}

kafkaTest(
  "all that is registered stands in its new home, nothing is removed, and once more is nothing to do",
  async () => {
    const settings = settingsFor();
    const all = enrollments(60);
    await registerAll(settings, all, 3);
    const before = await ledgerOf(settings, 3);

    const dry = await run(settings, 5, true);
    assert.deepEqual(await ledgerOf(settings, 3), before);
    const { ended, steps } = await run(settings, 5);
    assert.ok(ended.ok && dry.ended.ok);
    const moving = all.filter(({ tenantId }) => homePartition(tenantId, 3) !== homePartition(tenantId, 5));
    assert.deepEqual([ended.enrollments, ended.copied, ended.twoIds], [60, moving.length, []]);
    assert.deepEqual([dry.ended.enrollments, dry.ended.copied], [60, moving.length]);
    assert.deepEqual(
      steps.map((step) => step.replace(/:.*/, "")),
      ["registered", "registered", "retry", "enrolled", "dlq"],
    );
    await assertInPlace(settings, all, 5);
    const after = await ledgerOf(settings, 5);
    for (const [partition, entries] of before.entries())
      assert.deepEqual(after[partition]!.slice(0, entries.length), entries);

    const again = await run(settings, 5);
    assert.ok(again.ended.ok);
    assert.deepEqual([again.ended.copied, again.steps], [0, []]);
    assert.deepEqual(await ledgerOf(settings, 5), after);
    // And on from there: the markers of the first time say nothing about the second.
    const further = await run(settings, 7);
    assert.ok(further.ended.ok);
    await assertInPlace(settings, all, 7);
  },
);

class Killed extends Error {}

/** Dies with its first change: that took effect, and the answer was lost. */
function dyingAtOnce(parts: Parts): Parts {
  const change = async <T>(effect: Promise<T>): Promise<T> => {
    await effect;
    throw new Killed();
  };
  const { cluster, log } = parts;
  return {
    ...parts,
    cluster: {
      ...cluster,
      raise: (topic, count) => change(cluster.raise(topic, count)),
      commit: (commits) => change(cluster.commit(commits)),
    },
    log: { scan: log.scan, survey: log.survey, append: (records) => change(log.append(records)) },
  };
}

kafkaTest("killed after each of its changes: no worker starts until it was run to its end", async () => {
  const settings = settingsFor();
  const all = enrollments(40);
  await registerAll(settings, all, 2);
  const log = await anyLog(settings);
  const startProblems: (string | null)[] = [];
  try {
    for (let ended: Ended | null = null; ended === null; ) {
      ended = await repartition(dyingAtOnce(partsFor(settings, log)), 3, false).catch((error: unknown) => {
        assert.ok(error instanceof Killed, String(error));
        return null;
      });
      assert.ok(ended === null || ended.ok);
      startProblems.push(await startProblem(settings));
    }
  } finally {
    await log.close();
  }
  // registered raised, each old partition's records copied, markers, retry, enrolled: shut out; the dead letters: done.
  const shut = "topic-partitions";
  assert.deepEqual(startProblems, [shut, shut, shut, shut, shut, shut, null, null]);
  await assertInPlace(settings, all, 3);
  const unmarked = (await ledgerOf(settings, 3)).flat().filter(({ movedFor }) => movedFor === null);
  const moving = all.filter(({ tenantId }) => homePartition(tenantId, 2) !== homePartition(tenantId, 3));
  assert.equal(unmarked.length, 40 + moving.length, "nothing was copied twice");
});

kafkaTest(
  "the advice that once ended in second objects: enrolled raised by hand, then retry, then registered",
  async () => {
    const settings = settingsFor();
    const all = enrollments(40);
    await registerAll(settings, all, 2);
    const cluster = clusterOf(settings);
    await cluster.raise("enrolled", 3);
    const opened = await startProblem(settings);
    assert.equal(opened, "topic-partitions");
    const { ended } = await run(settings, 3);
    assert.ok(ended.ok, JSON.stringify(ended));
    await assertInPlace(settings, all, 3);

    for (const topic of ["retry", "enrolled", "registered"] as const) await cluster.raise(topic, 4);
    await cluster.raise("dlq", 4);
    // Counts are equal, and what is registered was not moved: the same number can't be guarded any more.
    const refused = problemOf((await run(settings, 4)).ended);
    assert.equal(refused.code, "partitions-unguarded");
    assert.match(refused.fix, /--partitions 5 /);
    const moved = await run(settings, 5);
    assert.ok(moved.ended.ok);
    await assertInPlace(settings, all, 5);
  },
);

kafkaTest("a worker in the group: nothing is done", async () => {
  const settings = settingsFor();
  await registerAll(settings, enrollments(5), 2);
  const worker = await openLog(settings);
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const membership = await worker.join(
    () => begin(),
    () => {},
  );
  await begun;
  assert.equal(problemOf((await run(settings, 3)).ended).code, "workers-run");
  const commit = [{ topic: "enrolled", partition: 0, offset: 0, metadata: "" }] as const;
  assert.ok(!(await clusterOf(settings).commit(commit)).ok);
  await membership.leave();
  await worker.close();
  await eventually(async () => {
    const members = await clusterOf(settings).members();
    return members.ok && members.value === 0 ? members : null;
  });
  assert.ok((await run(settings, 3)).ended.ok);
});

kafkaTest("a worker that joins while the ledger is read: nothing is written after that", async () => {
  const settings = settingsFor();
  const all = enrollments(20);
  await registerAll(settings, all, 2);
  const log = await anyLog(settings);
  const parts = partsFor(settings, log);
  let raised = false;
  const ended = await repartition(
    {
      ...parts,
      cluster: {
        ...parts.cluster,
        raise: (topic, count) => {
          raised = true;
          return parts.cluster.raise(topic, count);
        },
        members: async () => (raised ? { ok: true, value: 1 } : parts.cluster.members()),
      },
    },
    3,
    false,
  );
  await log.close();
  assert.match(problemOf(ended).message, /1 worker is a member of the group/);
  assert.equal((await ledgerOf(settings, 3)).flat().length, 20);
  assert.equal(await startProblem(settings), "topic-partitions");
});

kafkaTest("what is unsettled keeps it from beginning, and fewer partitions are refused", async () => {
  const settings = settingsFor();
  await registerAll(settings, [], 2);
  const log = await anyLog(settings);
  const value = eventWith({});
  await log.append([{ topic: "enrolled", partition: 1, key: null, value, headers: [] }]);
  await log.close();
  assert.equal(problemOf((await run(settings, 3)).ended).code, "not-drained");
  assert.equal(await startProblem(settings), null);
  assert.equal(problemOf((await run(settings, 1)).ended).code, "partitions-fewer");
});

kafkaTest("registered twice under two ids: the one in its home counts, and both are named", async () => {
  const settings = settingsFor();
  const [one] = enrollments(1) as [Enrollment];
  await registerAll(settings, [one], 2);
  const log = await anyLog(settings);
  await clusterOf(settings).raise("registered", 3);
  const kept = "11111111-1111-4111-8111-111111111111";
  // A tenant that moves from 2 to 3 partitions.
  const homes = [homePartition(one.tenantId, 2), homePartition(one.tenantId, 3)];
  if (homes[0] !== homes[1]) await log.append([registered({ ...one, graphId: kept }, homes[1]!)]);
  await log.close();
  const { ended } = await run(settings, 3);
  assert.ok(ended.ok);
  const { tenantId, idempotencyKey, graphId: other } = one;
  assert.deepEqual(ended.twoIds, homes[0] === homes[1] ? [] : [{ idempotencyKey, tenantId, kept, other }]);
});

kafkaTest(
  "workers can't start and something is in doubt: it is parked in its new home, in doubt, and skipped",
  async () => {
    const settings = settingsFor();
    await registerAll(settings, enrollments(10), 2);
    const [{ tenantId }] = enrollments(1) as [Enrollment];
    const home = homePartition(tenantId, 2);
    const newHome = homePartition(tenantId, 4);
    const log = await anyLog(settings);
    const event = (machineName: string) =>
      eventWith({
        tenantid: tenantId,
        data: {
          connectorName: "c",
          machineName,
          enrollmentDateTime: "2026-01-01T00:00:00Z",
          lastCheckinDateTime: "2026-01-01T00:00:00Z",
          connectorVersion: "1",
        },
      });
    const records = ["settled", "doubtful", "unreadable", "fresh"].map((name) => ({
      topic: "enrolled" as const,
      partition: home,
      key: null,
      value: name === "unreadable" ? Buffer.from("{") : event(name),
      headers: [],
    }));
    await log.append(records);
    await log.append([{ ...records[0]!, topic: "retry", value: event("parked") }]);
    await log.close();
    await commitPosition(settings, { topic: "enrolled", partition: home }, { settled: 1, attempted: 3 });
    await clusterOf(settings).raise("registered", 4);

    const { ended } = await run(settings, 4);
    assert.ok(ended.ok, JSON.stringify(ended));
    assert.equal(ended.carried, 3);
    const after = await anyLog(settings);
    const machineOf = (value: Uint8Array | null) => /"machineName":"(\w+)"/.exec(String(value))?.[1] ?? null;
    const parked = await recordsOf(after, "retry", newHome);
    const byMachine = new Map(parked.map((record) => [machineOf(record.value), isInDoubt(record)]));
    assert.equal(byMachine.get("doubtful"), true);
    // Never committed, with a ledger that holds something: its commit may have expired.
    assert.equal(byMachine.has("parked"), true);
    const inHome = await recordsOf(after, "enrolled", home);
    assert.deepEqual(
      inHome.map(({ value }) => machineOf(value)),
      ["settled", "doubtful", null, "fresh", null],
    );
    const positions = await clusterOf(settings).positions();
    assert.ok(positions.ok);
    const at = (topic: string, partition: number) =>
      positions.value.find((one) => one.topic === topic && one.partition === partition)?.committed?.offset;
    assert.deepEqual([at("enrolled", home), at("retry", home)], [3, 1]);
    await after.close();
    assert.equal(await startProblem(settings), null);
  },
);
