/** What decides where the table of transition.test.ts leads: doubt, promises, what Graph has shown, what failed before. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { Effect, LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { transition } from "../../../src/registrar/flow/transition.ts";
import type { Stage } from "../../../src/registrar/intake/stage.ts";
import {
  answered,
  answeredAtMs,
  doubtByCreate,
  events,
  inheritedDoubt,
  known,
  knownToHonourIds,
  ownDoubt,
  postedAtMs,
  settledAtMs,
  stageOf,
  turn,
} from "../life.ts";

function after(stage: Stage, event: LifeEvent, given = known) {
  const { stage: next, effects } = transition(stage, event, given);
  return { stage: next, effects, at: next.at, kinds: effects.map(({ kind }) => kind).join(", ") };
}

function effectOf<K extends Effect["kind"]>(effects: readonly Effect[], kind: K) {
  const found = effects.find((effect) => effect.kind === kind);
  assert.ok(found !== undefined, `no ${kind}`);
  return found as Extract<Effect, { kind: K }>;
}

// INV-ONE-CREATE-PER-KEY, INV-WATERMARK, INV-READ-BACK
describe("the first of a lane", () => {
  const rows = [
    ["is registered by now: a duplicate", { isRegistered: true, doubt: ownDoubt }, "settled"],
    ["was dead-lettered by an earlier owner", { isDeadLettered: true, doubt: inheritedDoubt }, "settled"],
    ["is in doubt: it is read back, promised or not", { doubt: ownDoubt, isPromised: false }, "reading-back"],
    [
      "is in doubt of another owner's, whose requests may still run",
      { doubt: inheritedDoubt, isReleased: false },
      "suspect",
    ],
    ["is in doubt of another owner's, whose requests have ended", { doubt: inheritedDoubt }, "reading-back"],
    ["is promised by no commit", { isPromised: false }, "unpromised"],
  ] as const;
  for (const [name, facts, to] of rows)
    test(name, () => assert.equal(after(stageOf("queued"), turn("first", facts)).at, to));

  test("was posted here although an earlier owner had dead-lettered it: it is read back", () => {
    const stage = stageOf("backing-off", { attempts: 1 });
    assert.equal(after(stage, turn("rested", { isDeadLettered: true, doubt: ownDoubt })).at, "reading-back");
  });

  test("carries an id that Graph honours, in doubt after an outage: the next create tells", () => {
    const facts = turn("first", { doubt: doubtByCreate });
    assert.equal(after(stageOf("queued"), facts, knownToHonourIds).at, "ready");
    assert.equal(after(stageOf("queued"), facts, known).at, "reading-back");
  });

  test("has failed too often while others succeeded: it is dead-lettered", () => {
    const past = { spent: settings.maxAttempts };
    const { at, effects } = after(stageOf("backing-off", { past }), events.rested);
    assert.equal(at, "publishing");
    assert.equal(effectOf(effects, "dead-letter").refusal.code, "attempts-exhausted");
  });

  // INV-READ-BACK
  for (const [reason, final] of [
    ["has failed too often", { spent: settings.maxAttempts }],
    ["was refused three times without a reason", { vagueRefusals: ["400", "400", "400"] }],
  ] as const)
    test(`${reason}, and only lists have called it absent: it is read by its id before it is dead-lettered`, () => {
      const past = { ...final, listMisses: 1 };
      const reading = after(stageOf("backing-off", { past }), events.rested);
      assert.deepEqual([reading.at, reading.kinds], ["reading-back", "remember-doubt, read-by-id"]);
      const absent = after(reading.stage, events["missed by id"]);
      assert.equal(after(absent.stage, events.rested).at, "publishing");
      assert.equal(after(reading.stage, events.found).at, "publishing");
      assert.equal(after(reading.stage, events.found).kinds, "register");
    });
});

describe("a create in doubt", () => {
  test("may still run after a time-out: absent counts from the settle time after it began", () => {
    const { stage } = after(stageOf("posting"), events["time-out"]);
    assert.equal(stage.doubt?.absentAfterMs, postedAtMs + settings.settleMs);
  });

  test("was answered by Graph itself: absent counts immediately", () => {
    const { stage } = after(stageOf("posting"), events["400 without a reason"]);
    assert.equal(stage.doubt?.absentAfterMs, answeredAtMs);
  });

  test("after an outage, is shown by the next create only where Graph honours ids", () => {
    assert.equal(after(stageOf("posting"), events["503"], knownToHonourIds).stage.doubt?.byCreate, true);
    assert.equal(after(stageOf("posting"), events["503"], known).stage.doubt?.byCreate, false);
  });

  test("waits for as long as Graph asked", () => {
    assert.equal(effectOf(after(stageOf("posting"), events["503"]).effects, "back-off").atLeastMs, 7_000);
  });

  for (const name of ["429", "403", "400 to the batch"] as const)
    test(`stays in doubt when the next one is answered ${name}`, () => {
      const posting = stageOf("posting", { doubt: doubtByCreate });
      const { at, stage } = after(posting, events[name], knownToHonourIds);
      assert.deepEqual([at, stage.doubt], ["ready", doubtByCreate]);
      assert.equal(after(posting, events[name], known).at, "backing-off");
    });

  // INV-READ-BACK
  test("is not dead-lettered as refused: it is read back, and posted once more", () => {
    const { at, stage } = after(
      stageOf("posting", { doubt: doubtByCreate }),
      events["400"],
      knownToHonourIds,
    );
    assert.deepEqual([at, stage.doubt?.byCreate], ["backing-off", false]);
  });

  // INV-READ-BACK
  test("is absent after enough lists, none of them begun before it had ended", () => {
    let stage = stageOf("reading-back");
    const list = (startedMs: number) => {
      stage = after(stage, { kind: "missed", by: "list", startedMs, atMs: startedMs }).stage;
      return stage.at;
    };
    for (let early = 0; early < 5; early++) assert.equal(list(settledAtMs - 1), "reading-back");
    for (let n = 1; n < settings.rereadCount; n++) assert.equal(list(settledAtMs + n), "reading-back");
    assert.equal(list(settledAtMs + 10), "backing-off");
    assert.equal(stage.doubt, null);
  });

  test("is read again by its id when it has ended, if it was missed before", () => {
    const early = { kind: "missed", by: "id", startedMs: settledAtMs - 1, atMs: settledAtMs } as const;
    const { at, effects } = after(stageOf("reading-back"), early);
    assert.equal(at, "reading-back");
    assert.equal(effectOf(effects, "read-back").notBeforeMs, settledAtMs);
  });

  test("whose read by id said nothing is looked up in lists from then on", () => {
    assert.equal(after(stageOf("reading-back"), events.unread).stage.past.needsList, true);
  });

  test("of a blocked tenant is dead-lettered at last, and that says that an object may exist", () => {
    const waited = (waitedMs: number) =>
      after(stageOf("reading-back"), { kind: "unreadable", detail: "403", waitedMs });
    assert.equal(waited(settings.tenantBlockedMaxMs).at, "reading-back");
    const { effects } = waited(settings.tenantBlockedMaxMs + 1);
    assert.match(effectOf(effects, "dead-letter").refusal.message, /^An object of it may exist/);
  });

  test("is parked with its doubt", () => {
    for (const at of ["reading-back", "suspect", "backing-off"] as const) {
      const stage = stageOf(at, { doubt: inheritedDoubt });
      assert.equal(after(stage, events.room).stage.doubt, inheritedDoubt);
    }
  });
});

describe("a refusal", () => {
  test("of a record without id, or after ids were accepted, is final", () => {
    const accepted = { rules: settings, shown: { route: true, ids: true, honoursIds: false } };
    assert.equal(after(stageOf("posting"), events["400"], accepted).at, "publishing");
    const withoutId = stageOf("posting", { past: { withoutId: true } });
    assert.equal(after(withoutId, events["400"]).at, "publishing");
  });

  test("that is none without the id stops the worker, once the object is registered", () => {
    const withoutId = stageOf("posting", { past: { withoutId: true } });
    assert.equal(after(withoutId, events["201"]).kinds, "register, fault");
  });

  test("without a reason is final at the third time, when nothing was found", () => {
    const refused = (times: number) =>
      stageOf("reading-back", { past: { vagueRefusals: Array.from({ length: times }, () => "400") } });
    assert.equal(after(refused(2), events["missed by id"]).at, "backing-off");
    const absent = after(refused(3), events["missed by id"]);
    assert.equal(effectOf(absent.effects, "back-off").backoff, "none");
    const last = after(absent.stage, events.rested);
    assert.equal(last.at, "publishing");
    assert.equal(effectOf(last.effects, "dead-letter").refusal.code, "graph-400");
  });

  test("by an earlier owner is remembered", () => {
    const { stage } = after(
      stageOf("queued"),
      turn("first", { isDeadLettered: true, doubt: inheritedDoubt }),
    );
    assert.equal(stage.past.isRefusedHere, true);
  });

  test("of our id is remembered: once it was sent without one, it stays so", () => {
    const without = stageOf("reading-back", { past: { withoutId: true } });
    assert.equal(after(without, events["missed by id"]).stage.past.withoutId, true);
    assert.equal(after(stageOf("reading-back"), events["missed by id"]).stage.past.withoutId, false);
  });

  test("of the route itself stops the worker, unless it has answered before", () => {
    const first = { rules: settings, shown: { route: false, ids: false, honoursIds: false } };
    assert.equal(after(stageOf("posting"), events["no route"], first).kinds, "report, fault");
  });

  // INV-ATTEMPTS
  test("of its tenant is final only when the tenant was blocked for too long", () => {
    const blocked = (blockedForMs: number) =>
      after(
        stageOf("posting"),
        answered({ kind: "tenant-blocked", detail: "403" }, { tenant: { blockedForMs } }),
      );
    assert.equal(blocked(settings.tenantBlockedMaxMs).at, "ready");
    assert.equal(blocked(settings.tenantBlockedMaxMs + 1).at, "publishing");
  });
});

describe("a 409", () => {
  test("with nothing under the id is final at the second time, and not while a create is in doubt", () => {
    const again = { past: { wasConflict: true } };
    assert.equal(after(stageOf("conflict", again), events["missed by id"]).at, "publishing");
    assert.equal(after(stageOf("conflict", again), events.unlike).at, "publishing");
    assert.equal(
      after(stageOf("conflict", { ...again, doubt: doubtByCreate }), events.unlike).at,
      "backing-off",
    );
  });

  test("whose read has no result does not count as a second read", () => {
    assert.equal(after(stageOf("conflict"), events.unread).stage.past.wasConflict, false);
    assert.equal(
      after(stageOf("conflict", { past: { wasConflict: true } }), events.unread).at,
      "backing-off",
    );
  });
});

// INV-ATTEMPTS
describe("an attempt is spent", () => {
  const failure = { kind: "unknown", cause: "failure", afterMs: null, detail: "500" } as const;
  const outage = { ...failure, cause: "outage" } as const;
  const day = settings.tenantBlockedMaxMs;
  const rows = [
    ["when others of its tenant were created meanwhile", failure, { creates: 1, allCreates: 1 }, 1],
    ["never by an outage", outage, { creates: 1, allCreates: 1 }, 0],
    ["not while no tenant is served", failure, { failingForMs: 9 * day }, 0],
    [
      "not immediately while only other tenants are served",
      failure,
      { allCreates: 1, failingForMs: 299_999 },
      0,
    ],
    ["after five minutes of that, if it fails alone", failure, { allCreates: 1, failingForMs: 300_000 }, 1],
    [
      "not after five minutes, if others of its tenant fail",
      failure,
      { allCreates: 1, failingForMs: 300_000, isAlone: false },
      0,
    ],
    [
      "after as long as a blocked tenant is waited for",
      failure,
      { allCreates: 1, failingForMs: day, isAlone: false },
      1,
    ],
  ] as const;
  for (const [name, verdict, tenant, spent] of rows)
    test(name, () => {
      const { stage } = after(stageOf("posting"), answered(verdict, { tenant }));
      assert.equal(stage.past.spent, spent);
    });
});
