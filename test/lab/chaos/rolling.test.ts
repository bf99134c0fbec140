/** The parts of rolling restarts that decide: what a pause is, who is restarted when, which options go together. Without processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChaosFlags, chaosOptions } from "../../../lab/chaos/options.ts";
import { createLoad, enrolledOf } from "../../../lab/chaos/rolling/load.ts";
import { longestMs, pausesOf } from "../../../lab/chaos/rolling/pauses.ts";
import { restartAll } from "../../../lab/chaos/rolling/restarts.ts";
import { rollingProblem, rollingSummary } from "../../../lab/chaos/rolling/summary.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";

const one = (tenantId: string, enrolledAtMs: number, registeredAtMs: number) => ({
  tenantId,
  enrolledAtMs,
  registeredAtMs,
});

test("a tenant pauses from its last registration to its next, but not while it has nothing to do", () => {
  const busy = [one("a", 0, 100), one("a", 50, 900), one("a", 60, 1_000)];
  assert.deepEqual(
    pausesOf(busy).map(({ fromMs, untilMs }) => [fromMs, untilMs]),
    [
      [900, 1_000],
      [100, 900],
      [0, 100],
    ],
  );
  assert.deepEqual(pausesOf([one("a", 0, 100), one("a", 5_000, 5_040)]), [
    { tenantId: "a", fromMs: 5_000, untilMs: 5_040 },
    { tenantId: "a", fromMs: 0, untilMs: 100 },
  ]);
});

test("what waits longest counts, also where a later one is registered first; other tenants don't end a pause", () => {
  const overtaken = [one("a", 0, 10), one("a", 20, 800), one("a", 500, 600), one("b", 300, 310)];
  assert.deepEqual(pausesOf(overtaken).filter(({ tenantId }) => tenantId === "a")[1], {
    tenantId: "a",
    fromMs: 20,
    untilMs: 600,
  });
});

test("the baseline has only what lies in it as a whole, a restart also what reaches into it", () => {
  const pauses = [
    { tenantId: "a", fromMs: 90, untilMs: 290 },
    { tenantId: "b", fromMs: 20, untilMs: 50 },
  ];
  assert.equal(longestMs(pauses, { fromMs: 0, untilMs: 100 }, true), 30);
  assert.equal(longestMs(pauses, { fromMs: 100, untilMs: 200 }, false), 200);
  assert.equal(longestMs(pauses, { fromMs: 290, untilMs: 400 }, false), 0);
});

test("every partition has tenants, and each enrollment is found again by the times of its first records", () => {
  const load = createLoad(3, 8, 2);
  const homes = load.tenantIds.map((tenantId) => homePartition(tenantId, 8));
  assert.deepEqual(homes.toSorted(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
  const { record, event } = load.next();
  const { tenantId, data } = event!;
  const stored = (value: Uint8Array | null, timestampMs: number) => ({
    ...record,
    ...{ value, timestampMs, offset: 0, leaderEpoch: -1 },
  });
  const registered = Buffer.from(JSON.stringify({ id: "k", data: { ...data, tenantId, id: "g" } }));
  const enrolled = [stored(record.value, 7), stored(record.value, 9)];
  assert.deepEqual(enrolledOf(enrolled, [stored(registered, 30), stored(registered, 40)]), [
    { tenantId, enrolledAtMs: 7, registeredAtMs: 30 },
  ]);
});

test("the next worker is restarted only once the former is at work again", async () => {
  const clock = virtualTime();
  const steps: string[] = [];
  const working = [true, true];
  const crew = {
    isWorking: (worker: number) => working[worker]!,
    async replace(worker: number) {
      assert.ok(working.every(Boolean), "one at a time");
      steps.push(`${worker} at ${clock.nowMs()}`);
      working[worker] = false;
      clock.after(700, () => {
        working[worker] = true;
      });
      return "exit code 0";
    },
  };
  const begunMs = clock.nowMs();
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const settings = { workers: 2, rounds: 2, betweenMs: 1_000, clock, say };
  const restarting = restartAll(crew, settings, new AbortController().signal);
  await clock.pass(10_000);
  const restarts = await restarting;
  assert.deepEqual(
    steps,
    [0, 1_700, 3_400, 5_100].map((atMs, index) => `${index % 2} at ${begunMs + atMs}`),
  );
  assert.deepEqual(
    restarts.map(({ worker, stopMs, startMs }) => [worker, stopMs, startMs]),
    [1, 2, 1, 2].map((worker) => [worker, 0, 700]),
  );
  assert.equal(said.length, 4);
});

const flags: ChaosFlags = {
  ...{ events: 200, brokers: "1", kills: 3, freezes: 2, brokerRestarts: 1 },
  ...{ ids: "honour", seed: 1, timeout: 10, flavor: "kafka", rate: 20, graphFaults: "all" },
};

test("rolling restarts are a run of their own; --static and --program are about them", () => {
  const code = (more: Partial<ChaosFlags>) => rollingProblem({ ...flags, rolling: true, ...more })?.code;
  assert.deepEqual(
    [code({}), code({ static: true }), code({ brokers: "3" }), code({ flavor: "event-hubs" })],
    [undefined, undefined, "one-broker", "one-broker"],
  );
  assert.deepEqual([code({ hours: 1 }), code({ tenantChanges: 2 })], ["rolling-alone", "rolling-alone"]);
  assert.equal(code({ program: import.meta.filename }), undefined);
  assert.equal(code({ program: "dist/nowhere.js" }), "no-program");
  for (const alone of [{ static: true }, { program: import.meta.filename }] as const) {
    const read = chaosOptions({ ...flags, ...alone });
    assert.equal(read.ok ? null : read.problem.fix, "Type --rolling as well.");
  }
});

test("the summary's longest pause is that of the worst restart", () => {
  const counts = {
    ...{ registered: 9, duplicateObjects: 0, duplicateRegistered: 0, lost: 0, recovered: 0 },
    ...{ refusedForTenant: 0, problems: [] },
  };
  const restart = (pauseMs: number) => ({
    ...{ worker: 1, stopMs: 1, startMs: 2, fromMs: 0, untilMs: 5, pauseMs },
  });
  const restarts = [restart(40), restart(1_900), restart(30)];
  const result = { kind: "done" as const, counts, tenants: 16, events: 9, baselinePauseMs: 12, restarts };
  const { longestPauseMs, baselinePauseMs, static: isStatic } = rollingSummary(result, flags);
  assert.deepEqual([longestPauseMs, baselinePauseMs, isStatic], [1_900, 12, false]);
});
