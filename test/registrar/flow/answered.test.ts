/** What an answer to a create, or none, makes of a record: what the tables of transition-rules.test.ts leave open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onAnswered } from "../../../src/registrar/flow/answered.ts";
import type { Known } from "../../../src/registrar/flow/doubt.ts";
import type { Answered } from "../../../src/registrar/flow/life-events.ts";
import type { Plain } from "../../../src/registrar/intake/stage.ts";
import { events, type Given, knownToHonourIds, stageOf } from "../life.ts";

function answeredBy(event: Answered, given: Given = {}, known: Known = knownToHonourIds) {
  return onAnswered(stageOf("posting", given) as Plain, event, known);
}

// INV-READ-BACK
test("after an outage the next create tells of one posted under its id, and of no other", () => {
  assert.equal(answeredBy(events["503"]).stage.doubt?.byCreate, true);
  const withoutId = { past: { withoutId: true } };
  assert.equal(answeredBy(events["503"], withoutId).stage.doubt?.byCreate, false);
});
