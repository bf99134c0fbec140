/**
 * Sends creates to Graph. One queue per tenant; a free request permit goes to the next queue in turn and takes all that
 * waits there, up to a batch: nothing lingers for a batch to fill, and no tenant waits behind another's backlog.
 *
 * 1. No request begins unless the partition is held (INV-LEASE), the tenant's pacing is open and the gate lets it
 *    (INV-ISOLATION).
 * 2. At most maxInFlight requests are in flight.
 * 3. What an answer says about the tenant or about Graph is taken in here; what it says about the record is in answered.ts.
 */
import assert from "node:assert/strict";
import type { CreateRequest, GraphReply } from "../../graph-port.ts";
import { momentOf } from "../../moment.ts";
import { classify, healthOf, type Verdict } from "../../policy/classify.ts";
import { available, availableWithin, countAsOf, opensAtMs, type Taken, take } from "../../policy/pacing.ts";
import { countedUuids } from "../claim.ts";
import { isHeld, type OwnedPartition, type Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { carriesId } from "./doubt.ts";
import { isAlone } from "./lanes.ts";
import type { TenantNow } from "./life-events.ts";
import {
  blockedForMs,
  blockTenant,
  createTenantQueue,
  firstReady,
  isBlocked,
  isInTrouble,
  isReady,
  type TenantQueue,
  takeIn,
  takeReady,
  unblockTenant,
} from "./tenant-queue.ts";

export interface Dispatcher {
  enqueue(work: Work): void;
  /** A work that failed for a reason of its tenant's goes back to the front of its queue. */
  requeue(work: Work): void;
  /** Looks again, after something outside changed (a session was confirmed). */
  pump(): void;
  /** This tenant's creates, or its reads, were refused as no other tenant's are. */
  block(tenantId: string, refused: "creates" | "reads", detail: string): void;
  /** A read of this tenant's was answered well. */
  unblockReads(tenantId: string): void;
  isBlocked(tenantId: string): boolean;
  /** Since its first refusal, as far as this worker saw it; 0: not blocked. */
  blockedForMs(tenantId: string): number;
  /** No request of this tenant begins before: Graph asked for it, or the tenant is blocked. */
  closedUntilMs(tenantId: string): number;
  /** How many records of this tenant could be sent within the next `ms`. */
  capacityWithin(tenantId: string, ms: number): number;
  /** Creates of this tenant that succeeded here, ever. */
  createsOf(tenantId: string): number;
  /** Creates of all tenants that succeeded here, ever. */
  createsOfAll(): number;
  stop(): void;
  inFlight(): number;
  waiting(): number;
  blockedTenants(): readonly string[];
}

/** How soon a queue whose partition isn't held is looked at again, if no session wakes it. */
const notHeldWaitMs = 250;

export function createDispatcher({ ports, settings, gate, outside, raise }: Core): Dispatcher {
  const { graph, clock, random, observe } = ports;
  const queues = new Map<string, TenantQueue>();
  const turns: TenantQueue[] = [];
  /** Those that the gate did not let through. */
  const held = new Set<TenantQueue>();
  const nextRequestId = countedUuids(random);
  let inFlight = 0;
  let creates = 0;
  let stopped = false;
  let pumpPlanned = false;
  gate.setCreatesWait(() => inFlight > 0 || [...queues.values()].some(({ ready }) => ready.length > 0));
  gate.onOpening(() => {
    const waiting = [...held];
    held.clear();
    for (const queue of waiting) giveTurn(queue);
    // At once: while Graph is being probed the next request may be a read as well, and who is called first has it.
    pump();
  });

  return {
    enqueue(work) {
      const queue = queueOf(work.enrollment.tenantId);
      queue.ready.push(work);
      giveTurn(queue);
    },
    requeue(work) {
      const queue = queueOf(work.enrollment.tenantId);
      queue.ready.unshift(work);
      giveTurn(queue);
    },
    pump: planPump,
    block: (tenantId, refused, detail) => blockTenant(queueOf(tenantId), refused, detail, ports),
    unblockReads: (tenantId) => unblockTenant(queueOf(tenantId), "reads", ports),
    isBlocked: (tenantId) => isBlocked(queueOf(tenantId)),
    blockedForMs: (tenantId) => blockedForMs(queueOf(tenantId), clock.nowMs()),
    closedUntilMs: (tenantId) => queueOf(tenantId).pacing.closedUntilMs,
    capacityWithin: (tenantId, ms) => availableWithin(queueOf(tenantId).pacing, ms, clock.nowMs()),
    createsOf: (tenantId) => queues.get(tenantId)?.creates ?? 0,
    createsOfAll: () => creates,
    stop: () => {
      stopped = true;
    },
    inFlight: () => inFlight,
    waiting: () => [...queues.values()].reduce((sum, queue) => sum + queue.ready.filter(isReady).length, 0),
    blockedTenants: () => [...queues.values()].filter(isBlocked).map((queue) => queue.tenantId),
  };

  function queueOf(tenantId: string): TenantQueue {
    let queue = queues.get(tenantId);
    if (queue === undefined) {
      queue = createTenantQueue(tenantId, settings.writesPer20s);
      queues.set(tenantId, queue);
    }
    return queue;
  }

  function giveTurn(queue: TenantQueue): void {
    if (queue.state !== "idle") return;
    queue.state = "turn";
    turns.push(queue);
    planPump();
  }

  function giveTurnAt(queue: TenantQueue, atMs: number): void {
    queue.state = "timed";
    clock.after(Math.max(0, atMs - clock.nowMs()), () => {
      queue.state = "idle";
      giveTurn(queue);
    });
  }

  /** A turn later, so that all that becomes ready in this turn can share requests. */
  function planPump(): void {
    if (pumpPlanned) return;
    pumpPlanned = true;
    void Promise.resolve().then(() => {
      pumpPlanned = false;
      pump();
    });
  }

  function pump(): void {
    while (!stopped && turns.length > 0 && inFlight < settings.maxInFlight) {
      const nowMs = clock.nowMs();
      const queue = nextTurn();
      queue.state = "idle";
      const first = firstReady(queue);
      // A queue in trouble gets its next turn with the answer.
      if (first === undefined || (isInTrouble(queue) && queue.inFlight > 0)) continue;
      const free = available(queue.pacing, nowMs);
      const opensMs = gate.opensAtMs(queue.tenantId);
      if (free <= 0)
        giveTurnAt(queue, opensAtMs(queue.pacing, nowMs)); // 1
      else if (opensMs > nowMs)
        held.add(queue); // INV-ISOLATION
      else if (!isHeld(first.partition, clock)) {
        // INV-LEASE
        outside.commitNow();
        giveTurnAt(queue, nowMs + notHeldWaitMs);
      } else send(queue, first.partition, Math.min(free, batchSize(queue)), nowMs);
    }
  }

  /** While Graph is probed, those who did not just fail go first. */
  function nextTurn(): TenantQueue {
    const first = turns[0]!;
    const at = gate.isProbed(first.tenantId)
      ? turns.findIndex(({ tenantId }) => !gate.isSuspected(tenantId))
      : 0;
    return turns.splice(Math.max(0, at), 1)[0]!;
  }

  function batchSize(queue: TenantQueue): number {
    return isInTrouble(queue) || gate.isProbed(queue.tenantId) ? 1 : settings.batchMax;
  }

  function send(queue: TenantQueue, partition: OwnedPartition, count: number, nowMs: number): void {
    const works = takeReady(queue, count);
    // A tenant has one home partition, so its queue never mixes owners.
    assert(works.every((work) => work.partition === partition));
    if (queue.ready.length > 0) giveTurn(queue);
    gate.begin(queue.tenantId);
    inFlight++;
    queue.inFlight++;
    void exchange(queue, works, nowMs, take(queue.pacing, works.length, nowMs));
  }

  async function exchange(
    queue: TenantQueue,
    works: readonly Work[],
    startedMs: number,
    taken: Taken,
  ): Promise<void> {
    const posted = { kind: "posted", at: momentOf(clock) } as const;
    for (const work of works) raise(work, posted);
    const replies = await graph.create(
      queue.tenantId,
      works.map((work) => toRequest(work)),
    );
    inFlight--;
    queue.inFlight--;
    countAsOf(taken, clock.nowMs());
    const results = replies.map((reply) => (reply.kind === "answer" ? reply.status : reply.reason));
    const operation = works.length === 1 ? "create" : "batch";
    const durationMs = clock.nowMs() - startedMs;
    observe({
      kind: "graph-request",
      operation,
      tenantId: queue.tenantId,
      items: works.length,
      durationMs,
      results,
    });
    const answered = works.map((work, i) => ({ work, reply: ownReply(replies[i], works.length) }));
    const judged = answered.map((each) => ({ ...each, verdict: classify(each.reply, clock.wallMs()) }));
    const verdicts = judged.map(({ verdict }) => verdict);
    takeIn(queue, verdicts, taken, creates, ports); // 3
    creates += verdicts.filter(({ kind }) => kind === "created").length;
    for (const { work, verdict, reply } of judged) {
      const atMs = clock.nowMs();
      const tenant = verdict.kind === "created" ? null : tenantNow(queue, work);
      raise(work, { kind: "answered", verdict, reply, atMs, tenant });
    }
    gate.end(queue.tenantId, healthOfAll(judged), detailOf(verdicts)); // 3
    if (queue.ready.length > 0) giveTurn(queue);
  }

  function tenantNow(queue: TenantQueue, work: Work): TenantNow {
    return {
      creates: queue.creates,
      allCreates: creates,
      failingForMs: queue.failing?.forMs ?? 0,
      blockedForMs: blockedForMs(queue, clock.nowMs()),
      isAlone: isAlone(work),
    };
  }

  function toRequest(work: Work): CreateRequest {
    const id = carriesId(work.stage, settings) ? work.idempotencyKey : null;
    const { idempotencyKey } = work;
    return { details: work.enrollment.details, id, idempotencyKey, clientRequestId: nextRequestId() };
  }
}

function healthOfAll(judged: readonly { readonly verdict: Verdict; readonly reply: GraphReply }[]) {
  const healths = judged.map(({ verdict, reply }) => healthOf(verdict, reply));
  if (healths.includes("well")) return "well";
  return healths.includes("ill") ? "ill" : "neither";
}

const missingReply: GraphReply = {
  kind: "silence",
  sent: true,
  reason: "malformed",
  detail: "no answer for this item",
};

/** What goes alone is in no batch: whatever is said about it is said about the record. */
function ownReply(reply: GraphReply | undefined, items: number): GraphReply {
  if (reply === undefined) return missingReply;
  return reply.kind === "answer" && items === 1 ? { ...reply, ofBatch: false } : reply;
}

function detailOf(verdicts: readonly Verdict[]): string {
  for (const verdict of verdicts) if ("detail" in verdict) return verdict.detail;
  return "";
}
