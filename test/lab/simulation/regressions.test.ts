/**
 * Failures that the simulation found in the registrar, each with the seed that showed it then. A change of the simulation,
 * or of what the worker draws, gives the seeds another course: the lessons stay, and the sabotages show what is caught.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../../../lab/simulation/run-seed.ts";

const lessons: readonly { readonly seed: number; readonly lesson: string }[] = [
  {
    seed: 22,
    lesson:
      "a create of unknown outcome may take effect after its time-out: absent counts only after the settle time",
  },
  {
    seed: 92,
    lesson: "a commit of unknown outcome may land over a later one, and take back what that one promised",
  },
  { seed: 318, lesson: "a lane is parked as a whole: a crash brings back what stayed, behind what had left" },
  {
    seed: 936,
    lesson: "a registered duplicate in a lane does not allow what follows to overtake parked records",
  },
  { seed: 88, lesson: "a clean stop keeps inherited suspects that it never read as suspects" },
  {
    seed: 470,
    lesson: "a record's age is not how long its tenant was blocked: an old backlog is not dead-lettered",
  },
  {
    seed: 4957,
    lesson:
      "after a 409, a read that fails says nothing about the object: an outage there dead-letters nothing",
  },
];

for (const { seed, lesson } of lessons) {
  test(`seed ${seed}: ${lesson}`, async () => {
    assert.deepEqual((await runSeed(seed)).problems, []);
  });
}
