import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../../../lab/simulation/run-seed.ts";
import { runSeeds, type SeedSummary } from "../../../lab/simulation/run-seeds.ts";
import { traceLines } from "../../../lab/simulation/trace.ts";

test("a seed decides everything: the same history twice", async () => {
  const [first, second] = [await runSeed(7), await runSeed(7)];
  assert.ok(first.entries.length > 100);
  assert.deepEqual(traceLines(first), traceLines(second));
  const other = await runSeed(8);
  assert.notDeepEqual(traceLines(first), traceLines(other));
});

test("80 seeds pass, and all that can happen happens", { timeout: 300_000 }, async () => {
  const summaries: SeedSummary[] = [];
  await runSeeds({
    from: 1,
    seeds: 80,
    workers: 2,
    sabotage: null,
    onSeed: (one) => summaries.push(one) > 0,
  });
  assert.deepEqual(
    summaries.filter(({ problems }) => problems.length > 0).map(({ seed, problems }) => ({ seed, problems })),
    [],
  );
  assert.deepEqual(
    summaries.map(({ seed }) => seed).sort((a, b) => a - b),
    Array.from({ length: 80 }, (_, i) => i + 1),
  );
  const happened = new Set(summaries.flatMap(({ counts }) => Object.keys(counts)));
  for (const what of [
    "dead letters",
    "duplicates ignored",
    "members removed",
    "moved home",
    "objects created",
    "parked",
    "pauses",
    "registered, created",
    "registered, recovered",
    "take-overs",
    "workers crashed",
    "workers fault",
    "workers stopped",
  ]) {
    assert.ok(happened.has(what), `never seen: ${what}`);
  }
});

test("a worker that does nothing is stuck, and the report says on what", async () => {
  const { problems } = await runSeed(7, {
    startWorker: () => ({
      done: new Promise(() => {}),
      stop: () => Promise.resolve(),
      status: () => ({
        ready: false,
        notReady: ["it does nothing"],
        partitions: [],
        inFlight: 0,
        waiting: 0,
        parked: 0,
        ledgerEntries: 0,
        breaker: "closed",
        blockedTenants: [],
        lagRecords: 0,
      }),
    }),
  });
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^stuck: not settled/);
  assert.match(problems[0]!, /enrolled\/0: committed nothing/);
  assert.match(problems[0]!, /first: enrolled\/0@\d+, of which no worker ever said anything/);
  assert.match(problems[0]!, /it does nothing/);
});
