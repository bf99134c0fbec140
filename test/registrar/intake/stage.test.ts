/** What is asked of a record's stage, at each of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  claimedId,
  type Doubt,
  enteredStage,
  isBusy,
  isTainted,
  mayHaveMade,
  type Stage,
} from "../../../src/registrar/intake/stage.ts";

const doubt = { inherited: true } as Doubt;
const stageAt = (at: Stage["at"], members: object = {}) =>
  ({ ...enteredStage(null, 0, 0), at, ...members }) as Stage;
const publishing = (attempts: number, graphId: string | null) =>
  stageAt("publishing", { attempts, graphId, outcome: "registered" });
const plain = ["entered", "turned-away", "queued", "unpromised", "ready", "backing-off", "paused"] as const;

test("a record enters with nothing behind it but the doubt that it came with", () => {
  for (const given of [doubt, null]) {
    const stage = enteredStage(given, 3, 5);
    assert.deepEqual(stage, {
      ...{ at: "entered", doubt: given, attempts: 0, postedAt: null },
      past: {
        ...{ tenantCreates: 3, allCreates: 5, spent: 0, vagueRefusals: [], wasConflict: false },
        ...{ goesAlone: false, withoutId: false, needsList: false, orphansUntilMs: 0, listMisses: 0 },
        isRefusedHere: false,
      },
    });
  }
});

// INV-DOUBT
describe("something of a record may be there that the next owner has to look for", () => {
  test("while it is in a request, in conflict, or its outcome is on its way", () => {
    for (const at of ["posting", "posting-lost", "conflict", "publishing"] as const)
      assert.equal(isTainted(stageAt(at)), true, at);
  });

  test("wherever it waits only while it is in doubt, or counts as absent by lists alone", () => {
    const { past } = enteredStage(null, 0, 0);
    for (const at of [...plain, "parking"] as const) {
      assert.equal(isTainted(stageAt(at)), false, at);
      assert.equal(isTainted(stageAt(at, { doubt })), true, at);
      assert.equal(isTainted(stageAt(at, { past: { ...past, orphansUntilMs: 1 } })), true, at);
    }
    for (const at of ["suspect", "reading-back"] as const)
      assert.equal(isTainted(stageAt(at, { doubt })), true);
  });

  test("not when it is another worker's affair; when it is settled only if it was refused for reasons of this one", () => {
    const { past } = enteredStage(null, 0, 0);
    assert.equal(isTainted(stageAt("lost", { doubt })), false);
    assert.equal(isTainted(stageAt("settled", { doubt })), false);
    assert.equal(isTainted(stageAt("settled", { past: { ...past, isRefusedHere: true } })), true);
  });
});

test("a record in a request, in conflict, or on its way to an outcome is not parked any more", () => {
  const busy = ["posting", "conflict", "publishing"] as const;
  for (const at of busy) assert.equal(isBusy(stageAt(at)), true, at);
  for (const at of [...plain, "parking", "suspect", "reading-back", "settled", "lost"] as const)
    assert.equal(isBusy(stageAt(at)), false, at);
});

describe("an object that no answer has shown may have been made", () => {
  test("by a create that is under way or was answered 409, not before or after", () => {
    for (const at of ["posting", "conflict"] as const) assert.equal(mayHaveMade(stageAt(at)), true, at);
    for (const at of [...plain, "posting-lost", "settled", "lost", "suspect"] as const)
      assert.equal(mayHaveMade(stageAt(at, { attempts: 1 })), false, at);
  });

  test("for an outcome on its way, if it was posted and the outcome names no object", () => {
    const table = [
      [0, null, false],
      [1, null, true],
      [1, "object", false],
      [0, "object", false],
    ] as const;
    for (const [attempts, graphId, expected] of table)
      assert.equal(mayHaveMade(publishing(attempts, graphId)), expected, `${attempts} ${graphId}`);
  });
});

test("only an outcome on its way claims an object", () => {
  assert.deepEqual([claimedId(publishing(1, "object")), claimedId(publishing(1, null))], ["object", null]);
  assert.equal(claimedId(stageAt("posting", { graphId: "object" })), null);
});
