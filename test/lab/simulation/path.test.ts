import assert from "node:assert/strict";
import { test } from "node:test";
import { createPath } from "../../../lab/simulation/path.ts";
import { createProcess } from "../../../lab/simulation/process.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { createScheduler } from "../../../lab/simulation/scheduler.ts";

function open(seed: string) {
  const scheduler = createScheduler(createRng(seed));
  const onThrow = (error: unknown): void => {
    throw error;
  };
  const process = createProcess("w", { scheduler, rng: createRng(seed) }, { onThrow });
  const struck: string[] = [];
  const path = createPath(
    process,
    { scheduler, rng: createRng(`${seed} path`) },
    {
      orphanMs: 5_000,
      orphanRate: 1,
      strike: (fault) => void struck.push(fault),
    },
  );
  const runTo = (ms: number) => {
    scheduler.after(ms - scheduler.nowMs(), () => {});
    return scheduler.run(() => false, ms);
  };
  const arrivals: number[] = [];
  const arrive = (): void => void arrivals.push(scheduler.nowMs());
  return {
    scheduler,
    process,
    path,
    struck,
    arrivals,
    arrive,
    runTo,
  };
}

test("what a cut holds up arrives when it ends, if its caller still waits for it", async () => {
  const { scheduler, path, struck, arrivals, arrive, runTo } = open("cut");
  path.cut("there");
  path.there(10, arrive, () => true);
  path.there(10, arrive, () => false);
  scheduler.after(1_000, () => path.repair());
  await runTo(999);
  assert.deepEqual(arrivals, []);
  await runTo(5_000);
  assert.equal(arrivals.length, 1, "the one that was given up was reset");
  assert.ok(arrivals[0]! >= 1_000 && arrivals[0]! <= 1_200);
  assert.deepEqual(struck, ["delivered after a cut"]);
});

test("a cut of answers lets requests through, and holds the answers", async () => {
  const { scheduler, path, arrivals, arrive, runTo } = open("answers");
  path.cut("back");
  path.there(10, arrive, () => true);
  path.back(20, arrive);
  scheduler.after(1_000, () => path.repair());
  await runTo(999);
  assert.deepEqual(arrivals, [10]);
  await runTo(5_000);
  assert.equal(arrivals.length, 2);
});

test("what a process had sent when it vanished is lost, or arrives within the orphan time, some of it late", async () => {
  const times: number[] = [];
  for (let seed = 0; seed < 200; seed++) {
    const { process, path, arrivals, arrive, runTo } = open(`orphan ${seed}`);
    path.there(100, arrive, () => true);
    process.crash();
    await runTo(60_000);
    times.push(...arrivals);
  }
  assert.ok(times.length > 100 && times.length < 180, `${times.length} of 200 arrived`);
  assert.ok(times.every((ms) => ms <= 5_000));
  assert.ok(times.some((ms) => ms > 4_000));
});
