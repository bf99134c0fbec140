/** A create in doubt: when a read that misses its object counts, what else may tell, and until when one may come late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { answers, silence } from "../../../lab/testkit/scripted-graph.ts";
import {
  afterMissingList,
  doubtAgain,
  doubtOfLists,
  isToldByCreate,
  isToldById,
  orphansAfter,
  raiseDoubt,
} from "../../../src/registrar/flow/doubt.ts";
import type { Doubt } from "../../../src/registrar/intake/stage.ts";
import {
  answeredAtMs,
  doubtByCreate,
  type Given,
  inheritedDoubt,
  known,
  knownToHonourIds,
  ownDoubt,
  postedAtMs,
  settledAtMs,
  stageOf,
} from "../life.ts";

const life = (given: Given = {}) => stageOf("posting", given);

// INV-READ-BACK
test("what is raised says from when absent counts, and from when to read", () => {
  const given = { atMs: answeredAtMs, askedMs: 500, byCreate: false };
  const doubt = raiseDoubt(life(), known, { ...given, reply: silence("timeout", true) });
  const settled = { absentAfterMs: settledAtMs, orphansUntilMs: settledAtMs };
  assert.deepEqual(doubt, { ...ownDoubt, ...settled, nextReadAtMs: answeredAtMs + 500 });
  const answered = raiseDoubt(life(), known, { ...given, reply: answers(500).reply });
  assert.equal(answered.absentAfterMs, answeredAtMs);
  const withoutId = life({ past: { withoutId: true } });
  assert.equal(raiseDoubt(withoutId, known, { ...given, reply: answers(500).reply }).isHonoured, false);
  const unsent = { ...known, rules: { ...settings, sendId: false } };
  assert.equal(raiseDoubt(life(), unsent, { ...given, reply: answers(500).reply }).isHonoured, false);
  const unposted = { ...life(), postedAt: null };
  assert.equal(
    raiseDoubt(unposted, known, { ...given, reply: silence("timeout", true) }).absentAfterMs,
    answeredAtMs + (settledAtMs - postedAtMs),
  );
});

// INV-READ-BACK
test("the next create tells where it is said to, and Graph honours ids", () => {
  const tells = (doubt: Doubt | null, what = knownToHonourIds) => isToldByCreate(life({ doubt }), what);
  assert.deepEqual(
    [tells(doubtByCreate), tells(doubtByCreate, known), tells(ownDoubt), tells(null)],
    [true, false, false, false],
  );
});

// INV-READ-BACK
test("a read by id tells where the create carried our id, and Graph honours it or another owner saw that", () => {
  const tells = (given: Given, what = knownToHonourIds) => isToldById(life(given), what);
  assert.equal(tells({ doubt: ownDoubt }), true);
  assert.equal(tells({ doubt: ownDoubt }, known), false);
  assert.equal(tells({ doubt: inheritedDoubt }, known), true);
  assert.equal(tells({ doubt: { ...inheritedDoubt, isHonoured: false } }), false);
  assert.equal(tells({ doubt: ownDoubt, past: { needsList: true } }), false);
  assert.equal(tells({ doubt: null }), false);
});

// INV-READ-BACK
test("lists that began when absent counts are counted, spaced, and the last of them tells", () => {
  const after = (misses: number, startedMs: number) =>
    afterMissingList({ ...ownDoubt, misses }, startedMs, settings);
  const early = after(0, settledAtMs - 1);
  assert.deepEqual([early?.misses, early?.nextReadAtMs], [0, settledAtMs + settings.rereadDelayMs - 1]);
  assert.equal(after(0, 0)?.nextReadAtMs, settledAtMs);
  const first = after(0, settledAtMs);
  assert.deepEqual([first?.misses, first?.nextReadAtMs], [1, settledAtMs + settings.rereadDelayMs]);
  assert.equal(after(settings.rereadCount - 2, settledAtMs)?.misses, settings.rereadCount - 1);
  assert.equal(after(settings.rereadCount - 1, settledAtMs), null);
});

test("a late create is to be thought of until the later of both times, and not by a read that begins then", () => {
  const orphansUntilMs = settledAtMs + 5;
  for (const [given, untilMs] of [
    [{ doubt: ownDoubt }, settledAtMs],
    [{ doubt: ownDoubt, past: { orphansUntilMs } }, orphansUntilMs],
    [
      { doubt: { ...ownDoubt, orphansUntilMs: orphansUntilMs + 1 }, past: { orphansUntilMs } },
      orphansUntilMs + 1,
    ],
    [{ doubt: null, past: { orphansUntilMs } }, orphansUntilMs],
  ] as const) {
    assert.equal(orphansAfter(life(given), untilMs - 1), untilMs);
    assert.equal(orphansAfter(life(given), untilMs), 0);
  }
});

// INV-READ-BACK
test("what counted as absent because a create was to follow is read by its id, when it can't come any more", () => {
  assert.equal(doubtAgain(life()), null);
  const times = { absentAfterMs: 7, orphansUntilMs: 7, nextReadAtMs: 7 };
  assert.deepEqual(doubtAgain(life({ past: { orphansUntilMs: 7 } })), { ...inheritedDoubt, ...times });
});

// INV-READ-BACK
test("what only lists have called absent is read by its id, five times if need be", () => {
  const of = (listMisses: number) => doubtOfLists(life({ past: { listMisses } }), settings);
  const times = { absentAfterMs: 0, orphansUntilMs: 0, nextReadAtMs: 0 };
  assert.deepEqual(of(1), { ...inheritedDoubt, ...times });
  assert.deepEqual([of(0), of(6)], [null, null]);
  assert.notEqual(of(5), null);
});
