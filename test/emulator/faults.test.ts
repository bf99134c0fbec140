import assert from "node:assert/strict";
import { test } from "node:test";
import {
  drawBatchFault,
  drawForms,
  drawItemFault,
  drawLatencyMs,
  drawRequestFault,
  type FaultKind,
  faultProfile,
  faultProfileNames,
  probabilitySum,
} from "../../emulator/faults.ts";
import { planRequest } from "../../emulator/plan.ts";
import { randomUuid, seededRandom } from "../../emulator/random.ts";

const none = faultProfile("none");

test("the profile none never draws a fault", () => {
  const random = seededRandom(7);
  for (let draw = 0; draw < 1_000; draw += 1) {
    assert.equal(drawRequestFault(none, random), null);
    assert.equal(drawBatchFault(none, random), null);
    assert.equal(drawItemFault(none, random), null);
  }
});

for (const name of faultProfileNames) {
  test(`the probabilities of ${name} that are drawn together sum to at most 1`, () => {
    assert.ok(probabilitySum(faultProfile(name)) <= 1);
  });
}

test("a 429 that was carried out is for items of a batch alone", () => {
  const random = seededRandom(9);
  const faults = { ...none, throttledItemAfter: 1 };
  assert.equal(drawRequestFault(faults, random), null);
  assert.equal(drawBatchFault(faults, random), null);
  assert.equal(drawItemFault(faults, random), "throttledItemAfter");
  assert.equal(probabilitySum({ ...faults, errorAfter: 0.5 }), 1.5);
});

test("outer forms are drawn each on its own, and cost no draw where there are none", () => {
  const draws: number[] = [];
  const random = () => draws.push(0) / 10;
  assert.deepEqual(drawForms(none, random), []);
  assert.equal(draws.length, 0);
  assert.deepEqual(drawForms({ ...none, bom: 0.15, gzip: 0.15, wrongType: 1 }, random), ["bom", "wrongType"]);
});

test("each fault comes about as often as its probability says", () => {
  const faults = faultProfile("flaky");
  const random = seededRandom(3);
  const counts = new Map<FaultKind | null, number>();
  const draws = 200_000;
  for (let draw = 0; draw < draws; draw += 1) {
    const kind = drawRequestFault(faults, random);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  for (const kind of ["throttled", "errorAfter", "resetAfter", "truncated"] as const) {
    const share = (counts.get(kind) ?? 0) / draws;
    assert.ok(Math.abs(share - faults[kind]) < 0.002, `${kind}: ${share}`);
  }
  assert.equal(counts.has("batchMalformed"), false);
});

test("one seed, one sequence", () => {
  const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  assert.deepEqual(draw(5), draw(5));
  assert.notDeepEqual(draw(5), draw(6));
  assert.notDeepEqual(draw(1), draw(1 + 2 ** 32));
});

test("ids are version 4 UUIDs and differ", () => {
  const random = seededRandom(1);
  const ids = new Set(Array.from({ length: 1_000 }, () => randomUuid(random)));
  assert.equal(ids.size, 1_000);
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("latencies follow their distribution", () => {
  const random = seededRandom(2);
  assert.equal(drawLatencyMs({ kind: "fixed", ms: 12 }, random), 12);
  const uniform = Array.from({ length: 2_000 }, () =>
    drawLatencyMs({ kind: "uniform", minMs: 10, maxMs: 20 }, random),
  );
  assert.ok(Math.min(...uniform) >= 10 && Math.max(...uniform) < 20);
  const skewed = Array.from({ length: 2_001 }, () =>
    drawLatencyMs({ kind: "lognormal", medianMs: 20, sigma: 1 }, random),
  ).sort((one, other) => one - other);
  assert.ok(Math.abs(skewed[1_000]! - 20) < 2, String(skewed[1_000]));
  assert.ok(skewed[1_980]! > 100, String(skewed[1_980]));
});

test("latency comes before the effect or after it, both", () => {
  const random = seededRandom(4);
  const faults = { ...none, latency: { kind: "fixed", ms: 50 } as const };
  const plans = Array.from({ length: 100 }, () => planRequest(faults, false, random));
  assert.ok(plans.every((plan) => plan.beforeMs + plan.afterMs === 50));
  assert.ok(plans.some((plan) => plan.beforeMs === 50));
  assert.ok(plans.some((plan) => plan.afterMs === 50));
});
