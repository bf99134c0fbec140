import assert from "node:assert/strict";
import { test } from "node:test";
import { createProcess } from "../../../lab/simulation/process.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { createScheduler } from "../../../lab/simulation/scheduler.ts";

function open(seed = "process", rate = 1) {
  const scheduler = createScheduler(createRng(seed));
  const onThrow = (error: unknown): void => {
    throw error;
  };
  const process = createProcess("w", { scheduler, rng: createRng(seed) }, { onThrow, rate });
  const seen: string[] = [];
  const see = (what: string) => () => void seen.push(`${what} at ${scheduler.nowMs()}`);
  const runTo = (limitMs: number) => {
    scheduler.after(limitMs - scheduler.nowMs(), () => {});
    return scheduler.run(() => false, limitMs);
  };
  return { scheduler, process, seen, see, runTo };
}

test("a timer fires in virtual time, unless it was cancelled", async () => {
  const { process, seen, see, runTo } = open();
  process.clock.after(100, see("late"));
  process.clock.after(50, see("early"));
  process.clock.after(60, see("never"))();
  await runTo(1_000);
  assert.deepEqual(seen, ["early at 50", "late at 100"]);
});

test("a frozen process sends and receives nothing until it resumes; then all of it", async () => {
  const { scheduler, process, seen, see, runTo } = open();
  process.clock.after(10, see("timer"));
  const nowMs = process.clock.nowMs();
  process.pause("freeze");
  process.send("create", see("create"));
  scheduler.after(20, () => process.deliver(see("reply")));
  scheduler.after(500, () => process.resume());
  await runTo(499);
  assert.deepEqual(seen, []);
  await runTo(1_000);
  assert.equal(seen[0], "create at 500", "what was decided before goes out first");
  assert.deepEqual([...seen].sort(), ["create at 500", "reply at 500", "timer at 500"]);
  assert.equal(process.clock.nowMs() - nowMs, 1_000, "monotonic time went on");
});

test("a suspended machine's monotonic clock stops, its timers wait that much longer, its wall clock runs on", async () => {
  const { scheduler, process, seen, see, runTo } = open();
  const [monotonicMs, wallMs] = [process.clock.nowMs(), process.clock.wallMs()];
  process.clock.after(100, see("timer"));
  scheduler.after(40, () => process.pause("suspend"));
  scheduler.after(540, () => process.resume());
  await runTo(300);
  assert.equal(process.clock.nowMs() - monotonicMs, 40);
  await runTo(1_000);
  assert.deepEqual(seen, ["timer at 600"]);
  assert.equal(process.clock.nowMs() - monotonicMs, 500);
  assert.equal(process.clock.wallMs() - wallMs, 1_000);
});

test("a clock that runs slow makes timers late, and none fires early by it", async () => {
  const { scheduler, process, runTo } = open("slow", 0.5);
  const startMs = process.clock.nowMs();
  let firedMs = 0;
  process.clock.after(100, () => {
    firedMs = scheduler.nowMs();
    assert.ok(process.clock.nowMs() - startMs >= 100);
  });
  await runTo(1_000);
  assert.equal(Math.round(firedMs), 200);
});

test("a request settles once: with the answer, or when its time is over", async () => {
  const { scheduler, process, runTo } = open();
  const ask = (answerAfterMs: number) =>
    process.request<string>(
      { kind: "other", timeoutMs: 100, onTimeout: () => "timed out" },
      (answer) => void scheduler.after(answerAfterMs, () => answer("answered")),
    );
  const results = Promise.all([ask(99), ask(101)]);
  await runTo(1_000);
  assert.deepEqual(await results, ["answered", "timed out"]);
});

test("a crash at a chosen send loses it, or not, and everything after it", async () => {
  for (const before of [true, false]) {
    const { process, seen, see, runTo } = open();
    process.trip({ sends: 2, kind: "append", before }, () => process.crash());
    process.clock.after(5, see("timer"));
    process.send("append", see("first"));
    process.send("create", see("create"));
    process.send("append", see("second"));
    process.send("append", see("third"));
    await runTo(100);
    const expected = ["first at 0", "create at 0", ...(before ? [] : ["second at 0"])];
    assert.deepEqual(seen, expected);
    assert.ok(process.isDead());
  }
});

test("events of one moment run in an order that the seed decides", async () => {
  const orderOf = async (seed: string) => {
    const { scheduler, seen, see, runTo } = open(seed);
    for (const name of ["a", "b", "c", "d", "e", "f"]) scheduler.after(7, see(name));
    await runTo(10);
    return seen.join();
  };
  assert.equal(await orderOf("x"), await orderOf("x"));
  assert.notEqual(await orderOf("x"), await orderOf("y"));
});

test("the next event waits until worker code has come to rest", async () => {
  const { scheduler, process, seen, see, runTo } = open();
  scheduler.after(1, () =>
    process.deliver(() => {
      void (async () => {
        for (let i = 0; i < 50; i++) await Promise.resolve();
        see("rested")();
      })();
    }),
  );
  scheduler.after(1.5, see("next"));
  await runTo(10);
  assert.deepEqual(seen, ["rested at 1", "next at 1.5"]);
});
