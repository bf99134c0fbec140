/** The parts of a soak that decide: what strikes when, what grew, what was lost or made twice. Without processes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createSamples, emitDue } from "../../../../lab/chaos/emission.ts";
import { findLibfaketime, openWallClocks } from "../../../../lab/chaos/soak/clock-steps.ts";
import { metricsOf, ticksOf } from "../../../../lab/chaos/soak/figures.ts";
import { nextSample, sampleEveryMs } from "../../../../lab/chaos/soak/minutes.ts";
import { planSoak, type SoakFault } from "../../../../lab/chaos/soak/soak-plan.ts";
import { percentileOf, trendOf } from "../../../../lab/chaos/soak/trend.ts";
import { type Minute, trendProblems, trendsOf, trendTable } from "../../../../lab/chaos/soak/verdict.ts";
import { temporaryDirectory } from "../../../cli/run-cli.ts";

const hour = {
  ...{ durationMs: 3_600_000, seed: 1, workers: 3, clockSteps: true },
  ...{ sessionTimeoutMs: 10_000, settleMs: 16_000 },
};
const countOf = (faults: readonly SoakFault[], kind: SoakFault["kind"]) =>
  faults.filter((fault) => fault.kind === kind).length;

test("an hour has each kind of fault, in order, not at its ends, and a run of three minutes has each once", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const faults = planSoak({ ...hour, seed });
    const times = faults.map(({ atMs }) => atMs);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok(times[0]! >= 0.04 * hour.durationMs - 1 && times.at(-1)! <= 0.96 * hour.durationMs);
    assert.equal(faults.length, 77);
    assert.deepEqual(
      [countOf(faults, "kill"), countOf(faults, "rolling-update"), countOf(faults, "clock-step")],
      [12, 3, 12],
    );
    const short = planSoak({ ...hour, seed, durationMs: 180_000 });
    assert.equal(new Set(short.map(({ kind }) => kind)).size, 7);
    assert.equal(countOf(planSoak({ ...hour, seed, clockSteps: false }), "clock-step"), 0);
  }
  assert.deepEqual(planSoak(hour), planSoak(hour));
});

test("the last worker is never killed, so that what grows can be seen in it; freezes outlast the session", () => {
  for (let seed = 1; seed <= 20; seed++) {
    for (const fault of planSoak({ ...hour, seed })) {
      if (fault.kind === "kill") assert.ok(fault.worker < 2);
      if (fault.kind === "freeze") assert.ok(fault.forMs > hour.sessionTimeoutMs && fault.worker < 3);
    }
  }
});

const rule = { share: 0.1, amount: 5 };

test("a figure that rises by more than its limit grows; one that swings as much as before does not", () => {
  const rising = Array.from({ length: 60 }, (_, minute) => 100 + minute);
  assert.deepEqual(trendOf("x", rising, rule), {
    ...{ name: "x", start: 122, end: 152, limit: 134.2, verdict: "grows" },
  });
  const swinging = Array.from({ length: 60 }, (_, minute) => 100 + (minute % 2) * 50);
  assert.equal(trendOf("x", swinging, rule).verdict, "flat");
  const warm = Array.from({ length: 60 }, (_, minute) => (minute < 15 ? minute * 10 : 150));
  assert.equal(trendOf("x", warm, rule).verdict, "flat", "the first quarter warms up");
  const spike = Array.from({ length: 60 }, (_, minute) => (minute === 50 ? 10_000 : 100));
  assert.equal(trendOf("x", spike, rule).verdict, "flat", "one minute is not a trend");
  assert.equal(
    trendOf("x", [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 6, 6, 6, 6], rule).verdict,
    "flat",
    "amount",
  );
  assert.equal(trendOf("x", [1, 2, 3, 4, 5, 6, 7, 8], rule).verdict, "unknown");
  const gaps = rising.map((value, minute) => (minute % 3 === 0 ? null : value));
  assert.equal(trendOf("x", gaps, rule).verdict, "grows", "minutes without a value are left out");
});

test("of a figure that rises until it is collected, what is left after a collection counts", () => {
  const collected = (left: (minute: number) => number, span: (minute: number) => number) =>
    Array.from({ length: 60 }, (_, minute) => left(minute) + (minute % 5) * span(minute));
  const higher = collected(
    () => 40,
    (minute) => (minute < 40 ? 3 : 11),
  );
  assert.equal(trendOf("heap", higher, rule).verdict, "grows", "its median does");
  assert.equal(trendOf("heap", higher, { ...rule, by: "least" }).verdict, "flat");
  const leaking = collected(
    (minute) => 40 + minute,
    () => 3,
  );
  assert.equal(trendOf("heap", leaking, { ...rule, by: "least" }).verdict, "grows");
});

test("percentiles: the value that this share does not exceed", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual([percentileOf(hundred, 0.5), percentileOf(hundred, 0.99)], [50, 99]);
  assert.deepEqual([percentileOf([7], 0.99), percentileOf([], 0.5)], [7, null]);
});

function minute(atS: number, rssMb: number, lag: number | null = 10): Minute {
  const figures = { rssMb, fds: 40, heapMb: 50, handles: 9, cpuPercent: 5 };
  return {
    ...{
      atS,
      emitted: atS * 20,
      registered: atS * 20,
      latencyP50Ms: 100,
      latencyP99Ms: 900,
      lag,
      kept: 4_000,
    },
    processes: { "worker-3": figures, emulator: { ...figures, heapMb: null, handles: null } },
  };
}

test("the verdict names what grew, of which process; figures that a process does not tell are left out", () => {
  const flat = Array.from({ length: 60 }, (_, index) => minute((index + 1) * 60, 150));
  assert.deepEqual(trendProblems(trendsOf(flat)), []);
  assert.equal(trendsOf(flat).length, 4 + 5 + 3);
  const leaking = Array.from({ length: 60 }, (_, index) => minute((index + 1) * 60, 150 + index));
  assert.deepEqual(trendProblems(trendsOf(leaking)), [
    "workers: RSS, MB grew from 172 to 202, more than 198",
    "emulator: RSS, MB grew from 172 to 202, more than 198",
  ]);
  const table = trendTable(trendsOf(leaking));
  assert.match(table.find((line) => line.startsWith("workers: RSS"))!, /172 +202 +198 +grows$/);
  const stuck = Array.from({ length: 60 }, (_, index) => minute((index + 1) * 60, 150, index * 100));
  assert.match(trendProblems(trendsOf(stuck)).join(), /^lag, records grew/);
});

test("workers are judged together: what one of them takes over from another is no growth; a minute with one down does not count", () => {
  const figures = { rssMb: 150, fds: 40, heapMb: 50, handles: 9, cpuPercent: 5 };
  const of = (index: number, [first, second]: readonly [number, number | null]): Minute => ({
    ...minute((index + 1) * 60, 0),
    processes: { "worker-1": { ...figures, fds: first }, "worker-2": { ...figures, fds: second } },
  });
  const moving = Array.from({ length: 60 }, (_, index) => of(index, index < 30 ? [20, 60] : [60, 20]));
  assert.deepEqual(trendProblems(trendsOf(moving)), []);
  const leaking = Array.from({ length: 60 }, (_, index) => of(index, [20 + index, index % 2 ? 60 : null]));
  assert.match(trendProblems(trendsOf(leaking)).join(), /^workers: file descriptors grew from 102 to 132/);
});

test("a run of less than twenty minutes shows figures, and judges none", () => {
  const short = Array.from({ length: 20 }, (_, index) => minute((index + 1) * 9, 150 + index * 10));
  assert.ok(trendsOf(short).every(({ verdict }) => verdict === "unknown"));
  assert.deepEqual(trendProblems(trendsOf(short)), []);
  assert.equal(trendsOf(short).find(({ name }) => name === "workers: RSS, MB")?.end, 320);
  assert.deepEqual([sampleEveryMs(180_000), sampleEveryMs(3_600_000)], [9_000, 60_000]);
});

test("samples that were missed while one took long are left out, and never is one taken twice", () => {
  assert.equal(nextSample(1, 60_900, 60_000), 2);
  assert.equal(nextSample(4, 877_000, 60_000), 15);
  assert.equal(nextSample(4, 239_999, 60_000), 5);
});

test("what Linux says of a process is read past its name, what it says itself without labels", () => {
  const stat = `12 (a) b c) R ${Array.from({ length: 40 }, (_, index) => index + 4).join(" ")}`;
  assert.equal(ticksOf(stat), 14 + 15);
  const text = '# TYPE a gauge\nnodejs_heap_size_used_bytes 1048576\nlabelled{x="1"} 4\n';
  assert.deepEqual([...metricsOf(text)], [["nodejs_heap_size_used_bytes", 1_048_576]]);
});

test("records come at the rate, again until the log has them, and no more than a batch at a time", async () => {
  const samples = createSamples(1, 8);
  let drawn = 0;
  const next = () => {
    drawn++;
    return samples.next();
  };
  let refusals = 1;
  const appended: number[] = [];
  const log = {
    append: async (records: readonly unknown[]) => {
      if (refusals-- > 0) return { ok: false as const, reason: "away", retryable: true };
      appended.push(records.length);
      return { ok: true as const };
    },
  };
  const emit = (elapsedMs: number, emitted: number) =>
    emitDue({ next }, log as never, { ratePerS: 20, elapsedMs: () => elapsedMs, emitted: () => emitted });
  assert.deepEqual(await emit(1_000, 0), { count: 20, failed: "away" });
  assert.deepEqual(await emit(1_000, 20), { count: 0, failed: null });
  assert.equal((await emit(60_000, 20)).count, 200);
  assert.deepEqual([appended, drawn], [[20, 200], 220]);
});

test("samples: one in ten is a duplicate, one in fifty is bad, all decided by the seed", () => {
  const some = createSamples(3, 8);
  const drawn = Array.from({ length: 1_000 }, () => some.next());
  const bad = drawn.filter(({ isBad }) => isBad).length;
  const duplicates = drawn.filter(({ isBad, event }) => !isBad && event === null).length;
  assert.ok(
    bad > 8 && bad < 35 && duplicates > 70 && duplicates < 135,
    `${bad} bad, ${duplicates} duplicates`,
  );
  const again = createSamples(3, 8);
  assert.deepEqual(again.next(), drawn[0]);
});

test("a wall clock is set by a file that libfaketime reads; without the library there are no steps", (t) => {
  const directory = temporaryDirectory(t);
  assert.equal(findLibfaketime([directory]), null);
  const library = join(directory, "libfaketimeMT.so.1");
  writeFileSync(library, "");
  assert.equal(findLibfaketime([directory]), library);
  const clocks = openWallClocks(library, directory, 1);
  clocks.set(0, -20);
  const { LD_PRELOAD, FAKETIME_DONT_FAKE_MONOTONIC } = clocks.environmentOf(0);
  assert.deepEqual([LD_PRELOAD, FAKETIME_DONT_FAKE_MONOTONIC], [library, "1"]);
});
