/**
 * Sends creates to Graph. One queue per tenant; a free request permit goes to the next queue in turn and takes all that
 * waits there, up to a batch: nothing lingers for a batch to fill, and no tenant waits behind another's backlog.
 *
 * 1. No request begins unless the partition is held (INV-LEASE), the tenant's pacing is open and the gate lets it
 *    (INV-ISOLATION).
 * 2. INV-SERVED: none begins for a tenant that is not served: what waits for it is looked at again.
 * 3. At most maxInFlight requests are in flight.
 * 4. A request permit is not spent on what can be done before: of as many as may be in flight, those who are next in turn, the
 *    tokens are fetched while they wait.
 */
import assert from "node:assert/strict";
import { available, opensAtMs, take } from "../../policy/pacing.ts";
import { isHeld, type OwnedPartition, type Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { createExchanges, type Exchange } from "./exchange.ts";
import { firstReady, isInTrouble, isReady, type TenantQueue, takeReady } from "./tenant-queue.ts";
import type { Tenants } from "./tenants.ts";
import { createWaitingQueues } from "./waiting-queues.ts";

export interface Dispatcher {
  enqueue(work: Work): void;
  /** A work that failed for a reason of its tenant's goes back to the front of its queue. */
  requeue(work: Work): void;
  /** Its tenant is not served, or is again: what waits here is looked at again. */
  review(tenantId: string): void;
  stop(): void;
  inFlight(): number;
  waiting(): number;
}

/** How soon a queue whose partition isn't held is looked at again. */
const notHeldWaitMs = 250;

/** `onReview`: gets works that have left their queue. */
export function createDispatcher(core: Core, tenants: Tenants, onReview: (work: Work) => void): Dispatcher {
  const { settings, gate, outside } = core;
  const { clock } = core.ports;
  const exchanges = createExchanges(core, tenants);
  const waiting = createWaitingQueues({
    ...{ clock, gate, onAdded: planPump },
    onNear: preparing(core), // 4
    nearMax: settings.maxInFlight,
  });
  let inFlight = 0;
  let stopped = false;
  let pumpPlanned = false;
  const hasCreates = (queue: TenantQueue) => queue.inFlight > 0 || queue.ready.length > 0;
  gate.setCreatesWait((isOfIt) =>
    tenants.queues().some((queue) => hasCreates(queue) && isOfIt(queue.tenantId)),
  );
  gate.onOpening(() => {
    waiting.release();
    // At once: while Graph is being probed the next request may be a read as well, and who is called first has it.
    pump();
  });

  return {
    enqueue(work) {
      const queue = tenants.queueOf(work.enrollment.tenantId);
      queue.ready.push(work);
      waiting.add(queue);
    },
    requeue(work) {
      const queue = tenants.queueOf(work.enrollment.tenantId);
      queue.ready.unshift(work);
      waiting.add(queue);
    },
    review: (tenantId) => review(tenants.queueOf(tenantId)),
    stop: () => {
      stopped = true;
    },
    inFlight: () => inFlight,
    waiting: () => tenants.queues().reduce((sum, { ready }) => sum + ready.filter(isReady).length, 0),
  };

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
    while (!stopped && inFlight < settings.maxInFlight) {
      const queue = waiting.next();
      if (queue === undefined) return;
      if (settings.tenants.standingOf(queue.tenantId) !== "served") {
        review(queue); // INV-SERVED
        continue;
      }
      const first = firstReady(queue);
      // A queue in trouble gets its next turn with the answer.
      if (first === undefined || (isInTrouble(queue) && queue.inFlight > 0)) continue;
      const nowMs = clock.nowMs();
      const free = available(queue.pacing, nowMs);
      if (free <= 0)
        waiting.addAt(queue, opensAtMs(queue.pacing, nowMs)); // 1
      else if (gate.opensAtMs(queue.tenantId) > nowMs)
        waiting.hold(queue); // INV-ISOLATION
      else if (isHeld(first.partition, clock)) {
        void send(queue, first.partition, Math.min(free, batchSize(queue))); // INV-LEASE
      } else {
        outside.commitNow();
        waiting.addAt(queue, nowMs + notHeldWaitMs);
      }
    }
  }

  function review(queue: TenantQueue): void {
    for (const work of queue.ready.splice(0).filter(isReady)) onReview(work);
  }

  function batchSize(queue: TenantQueue): number {
    return isInTrouble(queue) || gate.isProbed(queue.tenantId) ? 1 : settings.batchMax;
  }

  async function send(queue: TenantQueue, partition: OwnedPartition, count: number): Promise<void> {
    const startedMs = clock.nowMs();
    const works = takeReady(queue, count);
    // A tenant has one home partition, so its queue never mixes owners.
    assert(works.every((work) => work.partition === partition));
    if (queue.ready.length > 0) waiting.add(queue);
    gate.begin(queue.tenantId);
    inFlight++; // 3
    queue.inFlight++;
    const exchange: Exchange = {
      queue,
      works,
      startedMs,
      taken: take(queue.pacing, works.length, startedMs),
    };
    const replies = await exchanges.post(exchange);
    inFlight--;
    queue.inFlight--;
    exchanges.takeIn(exchange, replies);
    if (queue.ready.length > 0) waiting.add(queue);
  }
}

/** While Graph does not answer, all that wait pass the front: nothing is fetched for them then. */
function preparing({ ports: { graph }, settings, gate }: Core): (queue: TenantQueue) => void {
  return ({ tenantId }) => {
    if (gate.isProbed(tenantId)) return;
    if (settings.tenants.standingOf(tenantId) === "served") graph.prepare?.(tenantId); // INV-SERVED
  };
}
