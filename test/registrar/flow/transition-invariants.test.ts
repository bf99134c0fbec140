/**
 * No sequence of events leads a record out of the invariants. A small world says what is true (may a create still run, what
 * has been promised and released, what the log holds), draws what happens next among what can happen, and compares.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { Standing } from "../../../src/ports.ts";
import type { Known } from "../../../src/registrar/flow/doubt.ts";
import { isToldByCreate } from "../../../src/registrar/flow/doubt.ts";
import type { Effect, LifeEvent, Turn } from "../../../src/registrar/flow/life-events.ts";
import { transition } from "../../../src/registrar/flow/transition.ts";
import { type Doubt, isTainted, type Stage } from "../../../src/registrar/intake/stage.ts";
import { type EventName, eventNames, events, inheritedDoubt, known, stageOf, turn } from "../life.ts";

/** Those after which certainly nothing was carried out by the create that they answer. */
const provesNothingRan: ReadonlySet<EventName> = new Set([
  ...(["429", "400", "not sent", "400 to the batch", "403", "no route"] as const),
]);
const answersOf = eventNames.filter((name) => events[name].kind === "answered");
const readsOf: readonly EventName[] = [
  ...(["found", "missed by id", "missed in a list", "undecided", "unread", "unlike", "unreadable"] as const),
];

/** More of what leads on, so that long lives are drawn too. */
const usual: readonly EventName[] = [
  "503",
  "503",
  "503",
  "time-out",
  "time-out",
  "400",
  "400 without a reason",
];

/** What can happen to a record at each stage, beside losing its partition. */
const possible: Readonly<Record<Stage["at"], readonly EventName[]>> = {
  entered: ["accepted", "accepted behind parked ones", "known"],
  "turned-away": ["appended"],
  queued: ["first", "room"],
  unpromised: ["promised", "room"],
  suspect: ["released", "room"],
  paused: ["reviewed", "reviewed", "room"],
  ready: ["posted", "posted", "posted", "reviewed", "room"],
  posting: [...answersOf, ...usual],
  "posting-lost": answersOf,
  "backing-off": ["rested", "rested", "room"],
  conflict: ["found", "missed by id", "unread", "unlike"],
  "reading-back": [...readsOf, ...Array.from({ length: 8 }, () => "missed in a list" as const), "room"],
  publishing: ["appended"],
  parking: ["arrived", "copy lost", ...readsOf, "rested"],
  settled: [],
  lost: [],
};

const standings: readonly Standing[] = ["served", "paused", "unlisted", "served"];

class World {
  stage: Stage;
  nowMs = 0;
  /** By enrollment: what the partition knows to be in doubt. */
  doubt: Doubt | null;
  isPromised = false;
  isReleased: boolean;
  isDurable = false;
  standing: Standing = "served";
  /** Until then a create of another owner, which vanished, may still arrive. */
  orphansUntilMs = 0;
  /** A create of it may have been carried out, and nothing has shown it yet. */
  mayExist: boolean;
  /** When no create of it can be running any more. */
  endedMs = 0;
  /** Whole lists in a row that were begun after that and did not show it; of reads by id, one is enough. */
  evidence = 0;
  readonly known: Known;

  constructor(isSuspect: boolean, honoursIds: boolean) {
    this.doubt = isSuspect ? { ...inheritedDoubt, absentAfterMs: 0 } : null;
    this.mayExist = isSuspect;
    if (isSuspect) this.orphansUntilMs = inheritedDoubt.orphansUntilMs;
    this.isReleased = !isSuspect;
    this.stage = stageOf("entered", { doubt: this.doubt });
    this.known = { ...known, shown: { route: true, ids: honoursIds, honoursIds } };
  }

  eventOf(name: EventName, draw: number): LifeEvent {
    const event = events[name];
    // A read may have begun at any time since the record was posted.
    const startedMs = this.nowMs - (draw % 3) * settings.settleMs;
    const atMs = this.nowMs;
    switch (event.kind) {
      case "reviewed":
      case "first":
      case "rested":
        return this.turn(event.kind, draw);
      case "promised":
        this.isPromised = true;
        return this.turn(event.kind, draw);
      case "released":
        this.isReleased = true;
        return this.turn(event.kind, draw);
      case "posted":
        return { kind: "posted", at: { monotonicMs: this.nowMs, wallMs: this.nowMs } };
      case "answered":
        return { ...event, atMs };
      case "missed":
        return { ...event, startedMs, atMs };
      case "undecided":
        return { ...event, startedMs };
      default:
        return event;
    }
  }

  /** Whether its tenant is served is asked at each turn. */
  turn(kind: Turn["kind"], draw: number): LifeEvent {
    if (kind === "reviewed" || draw % 4 === 0) this.standing = standings[(draw >> 2) % standings.length]!;
    const { standing, doubt, isPromised, isReleased, isDurable } = this;
    return turn(kind, { standing, doubt, isPromised, isReleased, isRegistered: isDurable });
  }

  happen(name: EventName, draw: number): void {
    this.nowMs += draw;
    const before = this.stage;
    const event = this.eventOf(name, draw);
    this.witness(name, event, before);
    const { stage, effects } = transition(before, event, this.known);
    this.stage = stage;
    for (const effect of effects) this.carryOut(effect, before);
    this.check(before, event, effects);
  }

  /** What the event says about the world, whatever the record makes of it. */
  witness(name: EventName, event: LifeEvent, before: Stage): void {
    if (event.kind === "posted") {
      this.mayExist = true;
      this.evidence = 0;
      this.endedMs = Number.POSITIVE_INFINITY;
    } else if (event.kind === "answered") {
      // What an earlier create may have done is not settled by the failure of this one.
      if (provesNothingRan.has(name) && before.doubt === null) this.mayExist = false;
      const mayRun = name === "time-out" || name === "503";
      this.endedMs = mayRun ? (before.postedAt?.monotonicMs ?? 0) + settings.settleMs : this.nowMs;
    } else if (event.kind === "missed" && before.at === "reading-back" && event.startedMs >= this.endedMs) {
      if (event.startedMs >= this.orphansUntilMs) this.orphansUntilMs = 0;
      this.evidence += event.by === "id" ? settings.rereadCount : 1;
    }
  }

  carryOut(effect: Effect, before: Stage): void {
    if (effect.kind === "remember-doubt") this.doubt = this.stage.doubt;
    if (effect.kind === "forget-doubt") {
      assert.ok(this.evidence >= settings.rereadCount, "absent without the evidence for it");
      this.doubt = null;
      this.mayExist = false;
    }
    if (effect.kind === "dead-letter" && this.mayExist && before.at !== "conflict")
      assert.match(effect.refusal.message, /An object of it may exist|shows no object/);
    // INV-SERVED
    if (effect.kind === "dead-letter" && effect.refusal.code === "tenant-not-allowed") {
      assert.equal(this.standing, "unlisted");
      assert.ok(this.isPromised, "the next owner would not look for it");
      assert.equal(this.orphansUntilMs, 0, "a create of an owner that vanished may still arrive");
      assert.equal(this.mayExist, false, "an object of it may exist");
    }
    if (effect.kind === "settle") assert.ok(this.isDurable, "settled before its outcome was durable");
    if (effect.kind === "park") {
      const isUntold = this.mayExist || this.orphansUntilMs > 0;
      assert.ok(this.stage.doubt !== null || !isUntold, "parked without its doubt");
      assert.ok(
        this.stage.doubt === null || isUntold || before.past.orphansUntilMs > 0,
        "in doubt for nothing",
      );
    }
  }

  check(before: Stage, event: LifeEvent, effects: readonly Effect[]): void {
    const { stage } = this;
    if (stage.at === "ready" || stage.at === "posting") {
      assert.ok(this.isPromised, "posted, and no commit promised it");
      if (before.at !== "posting" && stage.at === "ready")
        assert.equal(this.standing, "served", "to be posted for who is not served");
      assert.ok(stage.doubt === null || isToldByCreate(stage, this.known), "posted while it is in doubt");
      if (stage.doubt?.inherited)
        assert.ok(this.isReleased, "posted before the previous owner's requests ended");
    }
    const isOut = stage.at === "settled" || stage.at === "lost";
    if (this.mayExist && !isOut && stage.at !== "turned-away" && before.at !== "conflict")
      assert.ok(
        isTainted(stage) || effects.some(({ kind }) => kind === "dead-letter"),
        `forgotten at ${stage.at}`,
      );
    if (before.at === "parking" && event.kind !== "arrived") assert.equal(stage, before, "too late");
  }
}

const steps = fc.noBias(
  fc.array(fc.tuple(fc.nat(), fc.nat({ max: 15_000 })), { minLength: 5, maxLength: 120 }),
);

test("whatever happens, in whatever order", () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), steps, (isSuspect, honoursIds, draws) => {
      const world = new World(isSuspect, honoursIds);
      for (const [pick, draw] of draws) {
        const { at } = world.stage;
        reached.add(at);
        const names = at !== "entered" && pick % 40 === 39 && canBeLost(at) ? lostOnly : possible[at];
        if (names.length === 0) break;
        const name = names[pick % names.length]!;
        if (name === "appended" || name === "arrived") world.isDurable = true;
        if (name === "known") world.isDurable = true;
        world.happen(name, draw);
      }
    }),
    { numRuns: 4_000, seed: 11 },
  );
  const missing = Object.keys(possible).filter((at) => !reached.has(at));
  assert.deepEqual(missing, ["turned-away"], "every stage of an enrollment was reached");
});

const lostOnly: readonly EventName[] = ["lost"];

function canBeLost(at: Stage["at"]): boolean {
  return at !== "parking" && at !== "posting-lost" && at !== "turned-away";
}
