/**
 * Each defence, turned off, is caught: the simulation has the fault that it defends against, and the checker sees what
 * comes of it. Seeds that are known to catch it are tried first; the search is for when the simulation has changed. It takes
 * minutes of a processor: the test says then which seed to write here.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../../../lab/simulation/run-seed.ts";
import { runSeeds } from "../../../lab/simulation/run-seeds.ts";
import { type SabotageName, sabotages } from "../../../lab/simulation/sabotage.ts";

const searched = 5_000;
const knownSeeds: Readonly<Record<SabotageName, number | readonly number[]>> = {
  "ledger-check": 19,
  watermark: 5,
  "watermark-acknowledgement": 2,
  "generation-check": 319,
  "heartbeat-check": 24,
  claim: 133,
  "home-partition": 9,
  "machine-order": 1,
  "settle-time": 19,
  "re-read": 469,
  "retention-gap": 130,
  "read-back": 11,
  "unknown-outcome": 18,
  "conflict-adoption": 558,
  "retry-after": 37,
  "outage-is-not-poison": 48,
  "blocked-is-not-poison": 3,
  "publish-before-commit": 1,
  "commit-lease": 1660,
  "wall-clock": 117,
  "suspects-by-identity": 52,
  "writers-limits": 151,
  "orphan-time": 140,
  "static-overlap": 131,
  "topic-id": 890,
  "ledger-length": 683,
  unavailable: 175,
  "normal-form": 18,
  "claimed-objects": 18,
  "form-of-others": 18,
  "dead-letters-unread": 52005808,
  "late-dead-letters": 52005040,
  "ids-of-others": 169262,
  "end-in-take-over": 31009025,
  "batch-as-a-whole": 10,
  "parked-unseen": 145,
  "append-offsets": 1827,
  "read-through": 5681,
  "parked-in-doubt": 645,
  "tenants-change": 3,
  "unlisted-unread": 42,
  "lists-alone": 31014780,
};

for (const name of Object.keys(sabotages) as SabotageName[]) {
  test(`without ${name}, something goes wrong within ${searched} seeds`, { timeout: 600_000 }, async (t) => {
    const known = [knownSeeds[name]].flat();
    for (const seed of known) {
      if ((await runSeed(seed, { sabotage: name })).problems.length === 0) continue;
      assert.deepEqual((await runSeed(seed)).problems, [], "it is the sabotage that fails the seed");
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
    t.diagnostic(`seed ${known.join(", ")} no longer catches ${name}; ${found} does`);
  });
}
