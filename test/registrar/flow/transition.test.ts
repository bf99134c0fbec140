/**
 * A record's life, as a table: at this stage, when this happens, it goes to that stage, and this is done. What is not in the
 * table can't happen. It is to be held against "What happens when" and "What an answer proves" of docs/SEMANTICS.md.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { transition } from "../../../src/registrar/flow/transition.ts";
import { isBusy, isTainted, type Stage } from "../../../src/registrar/intake/stage.ts";
import { type EventName, eventNames, events, known, stageOf } from "../life.ts";

type At = Stage["at"];
type Row = readonly [when: EventName, to: At, effects: string];

const waits: readonly Row[] = [
  ["room", "parking", "withdraw, park"],
  ["lost", "lost", ""],
];
const goesOn = "ready";
const late: readonly EventName[] = [
  ...([
    "promised",
    "released",
    "rested",
    "reviewed",
    "lost",
    "found",
    "missed by id",
    "missed in a list",
  ] as const),
  ...(["undecided", "unread", "unlike", "unreadable"] as const),
];
const stays = (at: At): readonly Row[] => late.map((when) => [when, at, ""]);

const table: Readonly<Record<At, readonly Row[]>> = {
  entered: [
    ["refused", "turned-away", "dead-letter"],
    ["astray", "turned-away", "move-home"],
    ["known", "settled", "say-duplicate, settle"],
    ["accepted", "queued", "enter-lane"],
    ["accepted behind parked ones", "parking", "park"],
  ],
  "turned-away": [["appended", "settled", "settle"]],
  queued: [["first", goesOn, "enqueue"], ...waits],
  unpromised: [["promised", goesOn, "enqueue"], ...waits],
  suspect: [["released", goesOn, "enqueue"], ...waits],
  "backing-off": [["rested", goesOn, "enqueue"], ...waits],
  paused: [["reviewed", goesOn, "enqueue"], ...waits],
  ready: [["posted", "posting", ""], ["reviewed", goesOn, "enqueue"], ...waits],
  posting: [
    ["201", "publishing", "register"],
    ["409", "conflict", "read-by-id"],
    ["429", "ready", "report, enqueue"],
    ["400", "ready", "report, enqueue"], // Once without id, since no id was accepted yet.
    ["400 without a reason", "backing-off", "remember-doubt, back-off"],
    ["time-out", "backing-off", "remember-doubt, back-off"],
    ["503", "backing-off", "remember-doubt, back-off"],
    ["not sent", "backing-off", "back-off"],
    ["400 to the batch", "ready", "report, enqueue"],
    ["403", "ready", "report, enqueue"],
    ["no route", "ready", "report, block-tenant, enqueue"],
    ["lost", "posting-lost", ""],
  ],
  // The record is the next owner's. What was created is registered if that is soon enough.
  "posting-lost": [
    ["201", "lost", "register"],
    ["409", "lost", ""],
    ["429", "lost", "report"],
    ["400", "lost", "report"],
    ["400 without a reason", "lost", "report"],
    ["time-out", "lost", "report"],
    ["503", "lost", "report"],
    ["not sent", "lost", "report"],
    ["400 to the batch", "lost", "report"],
    ["403", "lost", "report"],
    ["no route", "lost", "report, block-tenant"],
  ],
  conflict: [
    ["found", "publishing", "register"],
    ["missed by id", "backing-off", "remember-doubt, back-off"],
    ["missed in a list", "backing-off", "remember-doubt, back-off"],
    ["unlike", "backing-off", "remember-doubt, back-off"],
    ["unread", "backing-off", "remember-doubt, back-off"],
    ["lost", "lost", ""],
  ],
  "reading-back": [
    ["found", "publishing", "register"],
    ["missed by id", "backing-off", "forget-doubt, back-off"],
    ["missed in a list", "reading-back", "remember-doubt"],
    ["undecided", "reading-back", "remember-doubt"],
    ["unread", "reading-back", "read-back"],
    ["unlike", "reading-back", "read-back"],
    ["unreadable", "publishing", "dead-letter"],
    ...waits,
  ],
  publishing: [
    ["appended", "settled", "settle"],
    ["lost", "lost", ""],
  ],
  // Durable is not enough: the log may lose the copy before it is read.
  parking: [["arrived", "settled", "settle"], ["copy lost", "parking", "park"], ...stays("parking")],
  settled: stays("settled"),
  lost: stays("lost"),
};

for (const [at, rows] of Object.entries(table) as [At, readonly Row[]][]) {
  describe(`a record that is ${at}`, () => {
    for (const [when, to, effects] of rows) {
      test(`${when}: ${to}${effects === "" ? "" : `, ${effects}`}`, () => {
        const step = transition(stageOf(at), events[when], known);
        assert.deepEqual([step.stage.at, step.effects.map(({ kind }) => kind).join(", ")], [to, effects]);
      });
    }

    test("nothing else can happen to it", () => {
      const listed = new Set(rows.map(([when]) => when));
      for (const when of eventNames.filter((name) => !listed.has(name)))
        assert.throws(() => transition(stageOf(at), events[when], known), assert.AssertionError, when);
    });
  });
}

test("an object of it may exist from its create on, until its outcome is durable or the create was read back", () => {
  const tainted = (Object.keys(table) as At[]).filter((at) => isTainted(stageOf(at)));
  assert.deepEqual(tainted, ["suspect", "posting", "posting-lost", "conflict", "reading-back", "publishing"]);
});

test("it is not parked while a create of it is answered, or its outcome is on its way to the log", () => {
  const busy = (Object.keys(table) as At[]).filter((at) => isBusy(stageOf(at)));
  assert.deepEqual(busy, ["posting", "conflict", "publishing"]);
  for (const at of busy) assert.ok(!table[at].some(([when]) => when === "room"));
});

test("each create that begins is counted, and its time is kept", () => {
  const { stage } = transition(stageOf("ready", { attempts: 2 }), events.posted, known);
  assert.deepEqual([stage.at, stage.attempts, stage.postedAt], ["posting", 3, events.posted.at]);
});

// INV-ORDER
test("what is settled leaves its lane if it was in one", () => {
  const settle = (stage: Stage, when: EventName) => transition(stage, events[when], known).effects.at(-1);
  for (const [at, when, leavesLane] of [
    ["publishing", "appended", true],
    ["turned-away", "appended", false],
    ["parking", "arrived", false],
    ["entered", "known", false],
  ] as const)
    assert.deepEqual(settle(stageOf(at), when), { kind: "settle", leavesLane }, at);
});
