/** A create in doubt where no create may follow, and what is remembered of doubt and of refusals. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { Effect, LifeEvent, Turn } from "../../../src/registrar/flow/life-events.ts";
import { transition } from "../../../src/registrar/flow/transition.ts";
import { isTainted, type Past, type Stage } from "../../../src/registrar/intake/stage.ts";
import {
  doubtByCreate,
  events,
  known,
  knownToHonourIds,
  ownDoubt,
  settledAtMs,
  stageOf,
  turn,
} from "../life.ts";

const kindsOf = (effects: readonly Effect[]) => effects.map(({ kind }) => kind).join(", ");

// INV-READ-BACK, INV-SERVED
describe("a create in doubt that the next create would tell", () => {
  const toldByCreate = (facts: Partial<Turn>, past: Partial<Past> = {}) => {
    const event = turn("rested", { doubt: doubtByCreate, ...facts });
    return transition(stageOf("backing-off", { past }), event, knownToHonourIds).stage.at;
  };

  for (const standing of ["paused", "unlisted"] as const)
    test(`is read back while its tenant is ${standing}, since none follows`, () => {
      assert.equal(toldByCreate({ standing }), "reading-back");
    });

  test("is not dead-lettered though it has failed too often: the next create has to tell first", () => {
    const past = { spent: settings.maxAttempts };
    assert.equal(toldByCreate({}, past), "ready");
    assert.equal(transition(stageOf("backing-off", { past }), events.rested, known).stage.at, "publishing");
  });
});

test("a doubt of its own is read back though the owner before may still be at work", () => {
  const { stage } = transition(
    stageOf("queued"),
    turn("first", { doubt: ownDoubt, isReleased: false }),
    known,
  );
  assert.equal(stage.at, "reading-back");
});

// INV-DOUBT
test("a doubt of its own is parked as it is, whatever counted as absent before", () => {
  const past = { orphansUntilMs: settledAtMs };
  const again = transition(stageOf("backing-off", { doubt: ownDoubt, past }), events.room, known);
  assert.deepEqual([again.stage.doubt, kindsOf(again.effects)], [ownDoubt, "withdraw, park"]);
  const absent = transition(stageOf("backing-off", { past }), events.room, known);
  assert.equal(absent.stage.doubt?.orphansUntilMs, settledAtMs);
  assert.equal(kindsOf(absent.effects), "remember-doubt, withdraw, park");
});

// INV-SERVED
test("a refusal for its tenant's standing is remembered once its dead letter is durable: the next owner must look for that", () => {
  const refused = transition(stageOf("queued"), turn("first", { standing: "unlisted" }), known);
  assert.equal(kindsOf(refused.effects), "dead-letter");
  const { stage } = transition(refused.stage, events.appended, known);
  assert.deepEqual([stage.at, isTainted(stage)], ["settled", true]);
  const other = transition(stageOf("publishing"), events.appended, known);
  assert.equal(isTainted(other.stage), false);
});

describe("a create that is read back", () => {
  const reading = (doubt = ownDoubt) => stageOf("reading-back", { doubt });

  test("is read again after the usual time where a list can't tell whose object it is", () => {
    const { stage } = transition(reading(), events.undecided, known);
    assert.equal(stage.doubt?.nextReadAtMs, settledAtMs + settings.rereadDelayMs);
  });

  // INV-DOUBT
  for (const [name, startedMs, handsOn] of [
    ["may still be made by an owner that vanished: its limits go on", settledAtMs - 1, true],
    ["is certainly absent: no other owner's limits go on", settledAtMs, false],
  ] as const)
    test(`and missed by its id ${name}`, () => {
      const doubt = { ...ownDoubt, absentAfterMs: 0 };
      const event: LifeEvent = { kind: "missed", by: "id", startedMs, atMs: settledAtMs };
      const { effects } = transition(reading(doubt), event, known);
      assert.deepEqual(effects[0], { kind: "forget-doubt", handsOn });
    });
});

describe("a tenant that stayed blocked", () => {
  const waitedMs = settings.tenantBlockedMaxMs + 3_600_000;
  const message = (stage: Stage) => {
    const { effects } = transition(stage, { kind: "unreadable", detail: "403", waitedMs }, known);
    const [letter] = effects.filter((effect) => effect.kind === "dead-letter");
    return letter?.refusal.message;
  };

  test("for whole hours, as its dead letter says, which names the doubt", () => {
    const blocked = "Its tenant stayed blocked for 25 h: 403";
    const mayExist = "An object of it may exist in Graph: what became of a create could not be looked up.";
    assert.equal(message(stageOf("reading-back")), `${mayExist} ${blocked}`);
  });
});
