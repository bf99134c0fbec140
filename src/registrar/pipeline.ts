/**
 * The way of one record: accept -> lane -> advance -> create -> judge -> outcome -> settle -> next of the lane.
 *
 * 1. A record is settled only after its outcome is durable: a registered record, a dead letter, or its copy in the
 *    partition where it belongs. A duplicate is settled by the registered record that is there already.
 * 2. No create for a key that the ledger holds, or that an earlier record of the lane is still working on.
 * 3. No create at or after the promised watermark; none for a suspect or doubtful record before it was read back.
 * 4. Only what fails while others of its tenant succeed is dead-lettered; outages, throttling and blocked tenants wait.
 */
import assert from "node:assert/strict";
import { decode } from "../domain/decode.ts";
import { identify } from "../domain/identity.ts";
import { homePartition } from "../domain/murmur2.ts";
import { backoffMs } from "../policy/backoff.ts";
import type { BreakerState } from "../policy/breaker.ts";
import type { Verdict } from "../policy/classify.ts";
import type {
  Clock,
  EventLog,
  Graph,
  GraphObject,
  GraphReply,
  InputTopic,
  LogRecord,
  Observer,
  Random,
} from "../ports.ts";
import { createAppender } from "./appender.ts";
import { createDispatcher } from "./dispatcher.ts";
import { type Fault, idsRefused, routeMissing } from "./fault.ts";
import { isRegistered } from "./ledger.ts";
import { createOutcomes } from "./outcomes.ts";
import { type Item, isOwned, type OwnedPartition, type Work } from "./partition.ts";
import { createReadBack } from "./read-back.ts";
import type { RegistrarSettings } from "./settings.ts";
import { enter } from "./window.ts";

export interface Ports {
  readonly log: EventLog;
  readonly graph: Graph;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
}

export interface PipelineEvents {
  /** There may be something to commit, and room in the window. */
  settled(partition: OwnedPartition): void;
  /** Records wait for a commit that promises them. */
  promiseNeeded(partition: OwnedPartition): void;
  fault(fault: Fault): void;
}

export interface Pipeline {
  /** Takes in the next record of an input partition. */
  accept(partition: OwnedPartition, topic: InputTopic, record: LogRecord): void;
  /** Looks again at heads that waited for a promise or for the settle time. */
  advanceWaiting(partition: OwnedPartition): void;
  /** Looks again at what waited because the partition was not held. */
  poke(): void;
  /** No create begins any more. */
  stop(): void;
  /** Nothing is in flight to Graph or waiting to be appended. */
  isIdle(): boolean;
  status(): { inFlight: number; waiting: number; breaker: BreakerState; blockedTenants: readonly string[] };
}

type Failure = Verdict & { readonly detail: string };

const retryBackoff = { baseMs: 250, capMs: 30_000 };

export function createPipeline(ports: Ports, settings: RegistrarSettings, events: PipelineEvents): Pipeline {
  const { log, graph, clock, random, observe } = ports;
  const appender = createAppender(ports);
  const outcomes = createOutcomes({ clock, observe, appender }, settings, onSettled);
  const dispatcher = createDispatcher(ports, settings, judge);
  const readBack = createReadBack(ports, settings, onFound, onAbsent);
  /** What Graph has shown so far: that the operation exists, and that it takes our ids. */
  const proven = { route: false, ids: false };

  return {
    accept,
    advanceWaiting,
    poke() {
      appender.poke();
      dispatcher.pump();
    },
    stop: dispatcher.stop,
    isIdle: () => dispatcher.inFlight() === 0 && appender.pending() === 0,
    status: () => ({
      inFlight: dispatcher.inFlight(),
      waiting: dispatcher.waiting() + readBack.waiting(),
      breaker: dispatcher.breaker(),
      blockedTenants: dispatcher.blockedTenants(),
    }),
  };

  // ── before a create ──

  function accept(partition: OwnedPartition, topic: InputTopic, record: LogRecord): void {
    const item: Item = { partition, topic, record, slot: enter(partition.windows[topic], record.offset) };
    const decoded = decode(record, settings.isTenantAllowed);
    if (!decoded.ok) return outcomes.deadLetter(item, decoded.refusal, 0, null);
    const { enrollment } = decoded;
    const home = homePartition(enrollment.tenantId, log.partitionCount);
    if (home !== partition.number) return outcomes.moveHome(item, home, enrollment.tenantId);
    const identity = identify(enrollment.tenantId, enrollment.details);
    assert(identity !== null, "decode accepted a date-time that has no instant");
    const absentAfterMs = partition.takenOverAtMs + settings.settleMs;
    const suspect = record.offset < partition.suspectsBelow[topic];
    item.slot.tainted = suspect;
    enterLane({
      ...item,
      ...identity,
      enrollment,
      attempts: 0,
      spent: 0,
      tenantCreatesSeen: dispatcher.createsOf(enrollment.tenantId),
      postedAtMs: Number.NEGATIVE_INFINITY,
      doubt: suspect ? { absentAfterMs, misses: 0, nextReadAtMs: absentAfterMs } : null,
      conflicted: false,
      withoutId: false,
    });
  }

  function enterLane(work: Work): void {
    const { lanes } = work.partition;
    const lane = lanes.get(work.lane);
    if (lane !== undefined) {
      lane.push(work); // 2
      return;
    }
    lanes.set(work.lane, [work]);
    advance(work);
  }

  function leaveLane(work: Work): void {
    const { lanes } = work.partition;
    const lane = lanes.get(work.lane);
    assert(lane?.[0] === work, "only the head of a lane is worked on");
    lane.shift();
    const next = lane[0];
    if (next === undefined) lanes.delete(work.lane);
    else advance(next);
  }

  /** Decides the next step of a lane's head. */
  function advance(work: Work): void {
    const { partition, topic, slot } = work;
    if (!isOwned(partition)) return;
    if (isRegistered(partition.ledger, work.idempotencyKey)) return outcomes.duplicate(work); // 2
    if (work.doubt !== null) {
      const isSuspect = slot.offset < partition.suspectsBelow[topic];
      if (isSuspect && !partition.suspectsReleased) partition.waitingSuspects.add(work);
      else readBack.request(work); // 3
    } else if (slot.offset >= partition.windows[topic].promised) {
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

  function onSettled(item: Item): void {
    if ("lane" in item) leaveLane(item as Work);
    events.settled(item.partition);
  }

  // ── after a create ──

  function judge(work: Work, verdict: Verdict, reply: GraphReply): void {
    work.slot.tainted = false;
    if (verdict.kind === "created") return onCreated(work, verdict.object, reply);
    if (verdict.kind === "conflict") {
      void onConflict(work, verdict, reply);
      return;
    }
    if (verdict.kind === "refused") return onRefused(work, verdict, reply);
    if (verdict.kind === "unknown") return onUnknown(work, verdict, reply);
    if (verdict.kind === "no-route") return onNoRoute(work, verdict, reply);
    if (verdict.kind === "unavailable") return retryLater(work, verdict, reply);
    report(work, verdict, reply, 0);
    dispatcher.requeue(work); // Throttled or blocked: its tenant's line is closed for as long as it has to be. 4
  }

  function onCreated(work: Work, object: GraphObject, reply: GraphReply): void {
    const refusesIds = settings.sendId && work.withoutId && !proven.ids;
    proven.route = true;
    if (settings.sendId && !work.withoutId) proven.ids = true;
    outcomes.register(work, object, "created", reply);
    if (refusesIds) events.fault(idsRefused);
  }

  /** 409: read what is there under our id; a list would find it too, but may lag. */
  async function onConflict(work: Work, verdict: Failure, reply: GraphReply): Promise<void> {
    work.slot.tainted = true;
    const { tenantId } = work.enrollment;
    const got = await graph.get(tenantId, work.idempotencyKey);
    if (!isOwned(work.partition)) return;
    const object = got.kind === "answer" ? got.object : null;
    if (object !== null && identify(tenantId, object)?.idempotencyKey === work.idempotencyKey) {
      proven.route = proven.ids = true;
      return outcomes.register(work, object, "recovered", got);
    }
    if (!work.conflicted) {
      work.conflicted = true;
      return onUnknown(work, verdict, reply);
    }
    const message = `Graph says that it exists, but shows no object of this identity: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: "graph-409", message, pointers: [] }, work.attempts, reply);
  }

  function onRefused(work: Work, verdict: Failure & { kind: "refused" }, reply: GraphReply): void {
    if (settings.sendId && !proven.ids && !work.withoutId) {
      // The record, or the id in it? Nothing was created, so once more without id is an ordinary retry, and it tells.
      work.withoutId = true;
      report(work, verdict, reply, 0);
      return dispatcher.requeue(work);
    }
    const message = `Graph refused it: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: verdict.code, message, pointers: [] }, work.attempts, reply);
  }

  function onUnknown(work: Work, verdict: Failure, reply: GraphReply): void {
    const nowMs = clock.nowMs();
    const creates = dispatcher.createsOf(work.enrollment.tenantId);
    if (creates > work.tenantCreatesSeen) work.spent++; // 4
    work.tenantCreatesSeen = creates;
    work.slot.tainted = true;
    const absentAfterMs = mayStillRun(reply) ? work.postedAtMs + settings.requestTimeoutMs : nowMs;
    work.doubt = { absentAfterMs, misses: 0, nextReadAtMs: nowMs };
    report(work, verdict, reply, 0);
    advance(work);
  }

  function onFound(work: Work, object: GraphObject): void {
    work.doubt = null;
    outcomes.register(work, object, "recovered", null);
  }

  function onAbsent(work: Work): void {
    work.doubt = null;
    work.slot.tainted = false;
    // Without a pause, a server that fails everything would be asked again at once.
    clock.after(backoffMs(work.attempts, random, retryBackoff), () => advance(work));
  }

  function onNoRoute(work: Work, verdict: Failure, reply: GraphReply): void {
    report(work, verdict, reply, 0);
    if (!proven.route) return events.fault(routeMissing(verdict.detail));
    // It answered others, so it is this tenant that lacks the service.
    dispatcher.block(work.enrollment.tenantId, verdict.detail);
    dispatcher.requeue(work);
  }

  function retryLater(work: Work, verdict: Failure, reply: GraphReply): void {
    const retryInMs = backoffMs(work.attempts, random, retryBackoff);
    report(work, verdict, reply, retryInMs);
    clock.after(retryInMs, () => advance(work));
  }

  function report(work: Work, { kind, detail }: Failure, reply: GraphReply, retryInMs: number): void {
    const { topic, partition, offset } = work.record;
    const requestId = reply.kind === "answer" ? reply.requestId : null;
    const { tenantId } = work.enrollment;
    observe({
      kind: "attempt-failed",
      at: { topic, partition, offset },
      tenantId,
      verdict: kind,
      detail,
      retryInMs,
      requestId,
    });
  }
}

/** Can the server still carry the request out? Not after it answered for itself; a gateway answers for another. */
function mayStillRun(reply: GraphReply): boolean {
  return reply.kind === "silence" || reply.status === 408 || reply.status === 502 || reply.status === 504;
}
