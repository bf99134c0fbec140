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
  "ledger-check": 15,
  watermark: 5,
  "watermark-acknowledgement": 12,
  "generation-check": 191,
  "heartbeat-check": 27,
  claim: 27,
  "home-partition": 1,
  "machine-order": 3,
  "settle-time": 22,
  "re-read": 92,
  "retention-gap": 25,
  "read-back": 3,
  "unknown-outcome": 12,
  "conflict-adoption": 122,
  "retry-after": 17,
  "outage-is-not-poison": 5,
  "blocked-is-not-poison": 14,
  "publish-before-commit": 1,
  "commit-lease": 22,
  "wall-clock": 15,
  "suspects-by-identity": 86,
  "parked-by-origin": 1,
  "writers-limits": 250,
  "orphan-time": 78,
  "topic-id": 130,
  "ledger-length": 90,
  unavailable: 118,
  "normal-form": 1,
  "batch-as-a-whole": 256,
  "parked-in-doubt": 178,
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
