/**
 * Each defence, turned off, is caught: the simulation has the fault that it defends against, and the checker sees what
 * comes of it. A seed that is known to catch it is tried first; the search is for when the simulation has changed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../../src/simulation/run-seed.ts";
import { runSeeds } from "../../src/simulation/run-seeds.ts";
import { type SabotageName, sabotages } from "../../src/simulation/sabotage.ts";

const searched = 2_000;
const knownSeeds: Readonly<Record<SabotageName, number>> = {
  "ledger-check": 5,
  watermark: 7,
  "watermark-acknowledgement": 1,
  "generation-check": 154,
  "heartbeat-check": 24,
  claim: 22,
  "home-partition": 1,
  "machine-order": 1,
  "settle-time": 7,
  "re-read": 21,
  "retention-gap": 71,
  "read-back": 1,
  "unknown-outcome": 1,
  "conflict-adoption": 923,
  "retry-after": 12,
  "outage-is-not-poison": 1,
  "blocked-is-not-poison": 3,
  "publish-before-commit": 1,
  "commit-lease": 22,
  "wall-clock": 240,
  "suspects-by-identity": 569,
  "parked-by-origin": 1,
  "writers-limits": 857,
  "orphan-time": 78,
  "topic-id": 890,
  "ledger-length": 50,
  unavailable: 175,
  "normal-form": 7,
  "claimed-objects": 2,
  "batch-as-a-whole": 10,
  "parked-in-doubt": 52,
};

for (const name of Object.keys(sabotages) as SabotageName[]) {
  test(`without ${name}, something goes wrong within ${searched} seeds`, { timeout: 600_000 }, async (t) => {
    const known = knownSeeds[name];
    if ((await runSeed(known, { sabotage: name })).problems.length > 0) {
      assert.deepEqual((await runSeed(known)).problems, [], "it is the sabotage that fails the seed");
      return;
    }
    let found: number | null = null;
    const onSeed = ({ seed, problems }: { seed: number; problems: readonly string[] }): boolean => {
      if (problems.length > 0) found ??= seed;
      return found === null;
    };
    await runSeeds({ from: 1, seeds: searched, workers: 2, sabotage: name, onSeed });
    assert.notEqual(found, null, "not caught: the simulation lacks a fault, or the defence is not needed");
    assert.deepEqual((await runSeed(found!)).problems, [], "it is the sabotage that fails the seed");
    t.diagnostic(`seed ${known} no longer catches ${name}; ${found} does`);
  });
}
