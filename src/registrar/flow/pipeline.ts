/**
 * The way of one record: accept -> lane -> advance -> create -> judge -> outcome -> settle -> next of the lane.
 * What follows a create is in judge.ts.
 *
 * 1. A record is settled only after its outcome is durable: a registered record, a dead letter, or its copy in the
 *    topic or partition where it goes on; a parked one when that copy was read. A duplicate is settled by the
 *    registered record that is there already.
 * 2. No create for a key that the ledger holds, or that an earlier record of the lane is still working on.
 * 3. No create at or after the promised watermark; none for a suspect or doubtful record before it was read back.
 * 4. Only what fails while others of its tenant succeed is dead-lettered; outages and throttling wait.
 */
import assert from "node:assert/strict";
import { decode } from "../../domain/decode.ts";
import { identify } from "../../domain/identity.ts";
import { homePartition } from "../../domain/murmur2.ts";
import { originOf } from "../../domain/origin.ts";
import type { BreakerState } from "../../policy/breaker.ts";
import type { Clock, EventLog, Graph, LogRecord, Observer, Random, SnapshotStore } from "../../ports.ts";
import { type Fault, parkedCopyLost } from "../fault.ts";
import { type Awaited, isParked, lostCopies, note, parkedTenantOf } from "../intake/parking.ts";
import { enter, type Slot } from "../intake/window.ts";
import { isRegistered } from "../ledger/ledger.ts";
import { type Item, isLive, type OwnedPartition, trackOf, type Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import { createShownForm } from "./adoption.ts";
import { createAppender } from "./appender.ts";
import { createDispatcher } from "./dispatcher.ts";
import { createGate } from "./gate.ts";
import { createJudge } from "./judge.ts";
import { createOutcomes, isInDoubt } from "./outcomes.ts";
import { createParker } from "./parker.ts";
import { createReadBack } from "./read-back.ts";

export interface Ports {
  readonly log: EventLog;
  readonly graph: Graph;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  /** Without one, a restart reads the whole ledger. */
  readonly snapshots?: SnapshotStore;
}

export interface PipelineEvents {
  /** There may be something to commit, and room in the window. */
  settled(partition: OwnedPartition): void;
  /** Records wait for a commit that promises them. */
  promiseNeeded(partition: OwnedPartition): void;
  /** Records wait for a commit that renews the lease. */
  leaseNeeded(): void;
  fault(fault: Fault): void;
}

export interface Pipeline {
  /** Takes in the next record of the partition's enrolled topic. */
  accept(partition: OwnedPartition, record: LogRecord): void;
  /** Takes note of the next record of the partition's retry topic; `refill` takes it up when its tenant can. */
  noteParked(partition: OwnedPartition, record: LogRecord): void;
  /** Looks for copies of parked records that the log has lost before they were read. `beyondEnd`: of these it is known. */
  checkParked(partition: OwnedPartition, beyondEnd?: readonly Awaited[]): void;
  /** Checks that too, and takes up parked records of tenants that can go on. */
  refill(partition: OwnedPartition): void;
  /** The window is full: what slow tenants hold in it is parked. */
  makeRoom(partition: OwnedPartition): void;
  /** Looks again at heads that waited for a promise or for the settle time. */
  advanceWaiting(partition: OwnedPartition): void;
  /** Looks again at what waited because the partition was not held. */
  poke(): void;
  /** No create begins any more. */
  stop(): void;
  /** Nothing is in flight to Graph or waiting to be appended. */
  isIdle(): boolean;
  /** Has Graph shown that it honours our ids? */
  takesIds(): boolean;
  status(): { inFlight: number; waiting: number; breaker: BreakerState; blockedTenants: readonly string[] };
}

const homesMax = 10_000;

export function createPipeline(ports: Ports, settings: RegistrarSettings, events: PipelineEvents): Pipeline {
  const { log, clock, observe } = ports;
  const homes = new Map<string, number>();
  const appender = createAppender(ports);
  const outcomes = createOutcomes({ clock, observe, appender }, settings, onSettled);
  const gate = createGate(ports);
  const dispatcher = createDispatcher(
    ports,
    settings,
    gate,
    (...answer) => judge.onVerdict(...answer),
    events.leaseNeeded,
  );
  const shown = createShownForm(observe);
  const judge = createJudge(ports, settings, outcomes, dispatcher, shown, advance, events.fault);
  const readBack = createReadBack(ports, settings, gate, dispatcher, judge, shown, events.fault);
  const parker = createParker(ports, settings, dispatcher, readBack, { park, take, fault: events.fault });

  return {
    accept,
    noteParked,
    checkParked,
    refill(partition) {
      checkParked(partition);
      parker.refill(partition);
    },
    makeRoom: parker.makeRoom,
    advanceWaiting,
    poke() {
      appender.poke();
      dispatcher.pump();
    },
    stop: dispatcher.stop,
    takesIds: judge.takesIds,
    isIdle: () => dispatcher.inFlight() === 0 && appender.pending() === 0,
    status: () => ({
      inFlight: dispatcher.inFlight(),
      waiting: dispatcher.waiting() + readBack.waiting(),
      breaker: gate.state(),
      blockedTenants: dispatcher.blockedTenants(),
    }),
  };

  // ── in ──

  function accept(partition: OwnedPartition, record: LogRecord): void {
    enterWith({ partition, topic: "enrolled", record, slot: enter(partition.window, record.offset) });
  }

  function take(partition: OwnedPartition, slot: Slot, record: LogRecord): void {
    enterWith({ partition, topic: "retry", record, slot });
  }

  function noteParked(partition: OwnedPartition, record: LogRecord): void {
    const { topic, partition: cameFrom, offset } = originOf(record);
    const enrolledOffset = topic === "enrolled" && cameFrom === partition.number ? offset : null;
    note(partition.parking, parkedTenantOf(record), record.offset, enrolledOffset)?.arrive(); // 1
  }

  function checkParked(partition: OwnedPartition, beyondEnd: readonly Awaited[] = []): void {
    const lost = lostCopies(partition.parking, beyondEnd);
    const [first] = lost;
    if (first === undefined) return;
    if (settings.onRetentionGap === "stop") return events.fault(parkedCopyLost(partition.number, first));
    for (const { sendAgain } of lost) sendAgain();
  }

  function enterWith(item: Item): void {
    const { partition, record, topic, slot } = item;
    const decoded = decode(record, settings.isTenantAllowed);
    if (!decoded.ok) return outcomes.deadLetter(item, decoded.refusal, 0, null);
    const { tenantId, details } = decoded.enrollment;
    const home = homeOf(tenantId);
    const isHome = home === partition.number || settings.sabotage?.has("home-partition");
    if (!isHome) return outcomes.moveHome(item, home, tenantId);
    const identity = identify(tenantId, details);
    assert(identity !== null, "decode accepted a date-time that has no instant");
    // Settled outside its lane: what is in a lane tells what must not be overtaken.
    if (isRegistered(partition.ledger, identity.idempotencyKey))
      return outcomes.duplicate(item, identity.idempotencyKey); // 2
    const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);
    const isOverlooked = settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt;
    if (isOverlooked) partition.doubts.delete(identity.idempotencyKey);
    const doubt = partition.doubts.get(identity.idempotencyKey) ?? null;
    slot.tainted = doubt !== null;
    // Member by member: copies of other objects would cost more than all that is in it.
    const work: Work = {
      partition,
      topic,
      slot,
      record,
      idempotencyKey: identity.idempotencyKey,
      lane: settings.sabotage?.has("machine-order") ? `${topic} ${record.offset}` : identity.lane,
      enrollment: decoded.enrollment,
      enteredAtMs: clock.nowMs(),
      attempts: 0,
      spent: 0,
      tenantCreatesSeen: dispatcher.createsOf(tenantId),
      createsSeen: dispatcher.createsOfAll(),
      postedAt: null,
      doubt,
      graphId: null,
      conflicted: false,
      busy: false,
      withdrawn: false,
      alone: false,
      vagueRefusals: [],
      withoutId: false,
    };
    const followsHere = partition.lanes.get(work.lane)?.at(-1)?.topic === "enrolled";
    const mustPark = topic === "enrolled" && isParked(partition.parking, tenantId) && !followsHere;
    if (!mustPark) return enterLane(work);
    outcomes.park(item, tenantId, doubt !== null); // Its earlier ones wait there: order is kept.
  }

  /** Remembered: to hash a tenant's id takes longer than to read its event's data. */
  function homeOf(tenantId: string): number {
    const known = homes.get(tenantId);
    if (known !== undefined) return known;
    if (homes.size >= homesMax) homes.clear();
    const home = homePartition(tenantId, log.partitionCount);
    homes.set(tenantId, home);
    return home;
  }

  function enterLane(work: Work): void {
    const { lanes, tenants } = work.partition;
    const { tenantId } = work.enrollment;
    const works = tenants.get(tenantId);
    if (works === undefined) tenants.set(tenantId, new Set([work]));
    else works.add(work);
    const lane = lanes.get(work.lane);
    if (lane !== undefined) {
      lane.push(work); // 2
      return;
    }
    lanes.set(work.lane, [work]);
    proceed(work);
  }

  // ── on ──

  /** Looks at a lane's head again: what was before it, or another owner, may have settled it meanwhile. */
  function advance(work: Work): void {
    if (!isLive(work)) return;
    if (isRegistered(work.partition.ledger, work.idempotencyKey))
      return outcomes.duplicate(work, work.idempotencyKey); // 2
    proceed(work);
  }

  /** Decides the next step of a lane's head that the ledger does not hold. */
  function proceed(work: Work): void {
    const { partition, topic, slot } = work;
    // An earlier record of the same enrollment may have settled the doubt that it was taken in with.
    work.doubt = partition.doubts.get(work.idempotencyKey) ?? null;
    if (work.doubt !== null && !judge.isToldByCreate(work)) {
      if (work.doubt.inherited && !partition.suspectsReleased) partition.waitingSuspects.add(work);
      else readBack.request(work); // 3
    } else if (slot.offset >= trackOf(partition, topic).promised) {
      partition.waitingForPromise.add(work); // 3
      events.promiseNeeded(partition);
    } else if (work.spent >= settings.maxAttempts) {
      const message = `Graph failed ${work.spent} times on this record while others of its tenant succeeded.`;
      outcomes.deadLetter(work, { code: "attempts-exhausted", message, pointers: [] }, work.attempts, null); // 4
    } else {
      dispatcher.enqueue(work);
    }
  }

  function advanceWaiting(partition: OwnedPartition): void {
    const waiting = [...partition.waitingForPromise, ...partition.waitingSuspects];
    partition.waitingForPromise.clear();
    partition.waitingSuspects.clear();
    for (const work of waiting) advance(work);
  }

  // ── out ──

  function park(work: Work): void {
    outcomes.park(
      { partition: work.partition, topic: work.topic, slot: work.slot, record: work.record },
      work.enrollment.tenantId,
      work.doubt !== null,
    );
  }

  function onSettled(item: Item): void {
    if ("lane" in item) leaveLane(item as Work);
    parker.refill(item.partition);
    events.settled(item.partition);
  }

  function leaveLane(work: Work): void {
    const { lanes, tenants } = work.partition;
    const { tenantId } = work.enrollment;
    const works = tenants.get(tenantId);
    works?.delete(work);
    if (works?.size === 0) tenants.delete(tenantId);
    const lane = lanes.get(work.lane);
    assert(lane?.[0] === work, "only the head of a lane is worked on");
    lane.shift();
    const next = lane[0];
    if (next === undefined) lanes.delete(work.lane);
    else advance(next);
  }
}
