/**
 * Sends creates to Graph. One line per tenant; a free request slot goes to the next line in turn and takes all that
 * waits there, up to a batch: nothing lingers for a batch to fill, and no tenant waits behind another's backlog.
 *
 * 1. No request begins unless the partition is held, the tenant's pacing is open and the breaker allows it.
 * 2. At most maxInFlight requests are in flight, at most one of them while Graph is being probed.
 * 3. What an answer says about the tenant or about Graph is taken in here; what it says about the record is judged
 *    by the caller.
 */
import assert from "node:assert/strict";
import { momentOf } from "../moment.ts";
import {
  type BreakerState,
  breakerState,
  createBreaker,
  recordHealth,
  requestsAllowed,
} from "../policy/breaker.ts";
import { classify, healthOf, type Verdict } from "../policy/classify.ts";
import { available, availableWithin, countAsOf, opensAtMs, type Taken, take } from "../policy/pacing.ts";
import type { Clock, CreateRequest, Graph, GraphReply, Observer, Random } from "../ports.ts";
import { countedUuids } from "./claim.ts";
import { blockLine, createLine, firstLive, isInTrouble, type Line, takeIn, takeLive } from "./line.ts";
import { isHeld, isLive, type OwnedPartition, type Work } from "./partition.ts";
import type { RegistrarSettings } from "./settings.ts";

export interface Dispatcher {
  enqueue(work: Work): void;
  /** A work that failed for a reason of its tenant's goes back to the front of its line. */
  requeue(work: Work): void;
  /** Looks again, after something outside changed (a session was confirmed). */
  pump(): void;
  block(tenantId: string, detail: string): void;
  isBlocked(tenantId: string): boolean;
  /** Since its first refusal, as far as this worker saw it; 0: not blocked. */
  blockedForMs(tenantId: string): number;
  /** How many records of this tenant could be sent within the next `ms`. */
  capacityWithin(tenantId: string, ms: number): number;
  /** Creates of this tenant that succeeded here, ever. */
  createsOf(tenantId: string): number;
  stop(): void;
  inFlight(): number;
  waiting(): number;
  blockedTenants(): readonly string[];
  breaker(): BreakerState;
}

/** How soon a line whose partition isn't held is looked at again, if no session pokes. */
const notHeldWaitMs = 250;
const breakerBackoff = { baseMs: 1_000, capMs: 30_000 };
const breakerThreshold = 8;
export function createDispatcher(
  ports: { graph: Graph; clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  onVerdict: (work: Work, verdict: Verdict, reply: GraphReply) => void,
  /** Records wait because the lease of their session ran out. */
  onNotHeld: () => void = () => {},
): Dispatcher {
  const { graph, clock, random, observe } = ports;
  const lines = new Map<string, Line>();
  const turns: Line[] = [];
  const nextRequestId = countedUuids(random);
  const breaker = createBreaker(breakerThreshold, breakerBackoff);
  let inFlight = 0;
  let stopped = false;
  let pumpPlanned = false;
  let cancelBreakerTimer = () => {};

  return {
    enqueue(work) {
      const line = lineOf(work.enrollment.tenantId);
      line.ready.push(work);
      giveTurn(line);
    },
    requeue(work) {
      const line = lineOf(work.enrollment.tenantId);
      line.ready.unshift(work);
      giveTurn(line);
    },
    pump: planPump,
    block: (tenantId, detail) => blockLine(lineOf(tenantId), detail, ports),
    isBlocked: (tenantId) => (lines.get(tenantId)?.blockedInARow ?? 0) > 0,
    blockedForMs(tenantId) {
      const line = lines.get(tenantId);
      return line === undefined || line.blockedInARow === 0 ? 0 : clock.nowMs() - line.blockedSinceMs;
    },
    capacityWithin: (tenantId, ms) => availableWithin(lineOf(tenantId).pacing, ms, clock.nowMs()),
    createsOf: (tenantId) => lines.get(tenantId)?.creates ?? 0,
    stop: () => {
      stopped = true;
    },
    inFlight: () => inFlight,
    waiting: () => [...lines.values()].reduce((sum, line) => sum + line.ready.filter(isLive).length, 0),
    blockedTenants: () =>
      [...lines.values()].filter((line) => line.blockedInARow > 0).map((line) => line.tenantId),
    breaker: () => breakerState(breaker, clock.nowMs()),
  };

  function lineOf(tenantId: string): Line {
    let line = lines.get(tenantId);
    if (line === undefined) {
      line = createLine(tenantId, settings.writesPer20s);
      lines.set(tenantId, line);
    }
    return line;
  }

  function giveTurn(line: Line): void {
    if (line.state !== "idle") return;
    line.state = "turn";
    turns.push(line);
    planPump();
  }

  function giveTurnAt(line: Line, atMs: number): void {
    line.state = "timed";
    clock.after(Math.max(0, atMs - clock.nowMs()), () => {
      line.state = "idle";
      giveTurn(line);
    });
  }

  /** A turn later, so that all that becomes ready in this turn can share requests. */
  function planPump(): void {
    if (pumpPlanned || stopped) return;
    pumpPlanned = true;
    void Promise.resolve().then(() => {
      pumpPlanned = false;
      pump();
    });
  }

  function pump(): void {
    while (!stopped && turns.length > 0) {
      const nowMs = clock.nowMs();
      if (inFlight >= requestsAllowed(breaker, nowMs, settings.maxInFlight)) {
        if (breakerState(breaker, nowMs) === "open") wakeWhenProbing(nowMs);
        return; // 2
      }
      const line = turns.shift() as Line;
      line.state = "idle";
      const first = firstLive(line);
      // A line in trouble gets its next turn with the answer.
      if (first === undefined || (isInTrouble(line) && line.inFlight > 0)) continue;
      const free = available(line.pacing, nowMs);
      if (free <= 0)
        giveTurnAt(line, opensAtMs(line.pacing, nowMs)); // 1
      else if (!isHeld(first.partition, clock)) {
        onNotHeld();
        giveTurnAt(line, nowMs + notHeldWaitMs); // 1
      } else send(line, first.partition, Math.min(free, batchSize(line)), nowMs);
    }
  }

  function batchSize(line: Line): number {
    return isInTrouble(line) || breaker.openings > 0 ? 1 : settings.batchMax;
  }

  function wakeWhenProbing(nowMs: number): void {
    cancelBreakerTimer();
    cancelBreakerTimer = clock.after(breaker.openUntilMs - nowMs, planPump);
  }

  function send(line: Line, partition: OwnedPartition, count: number, nowMs: number): void {
    const works = takeLive(line, count);
    // A tenant has one home partition, so its line never mixes owners.
    assert(works.every((work) => work.partition === partition));
    if (line.ready.length > 0) giveTurn(line);
    inFlight++;
    line.inFlight++;
    void exchange(line, works, nowMs, take(line.pacing, works.length, nowMs));
  }

  async function exchange(
    line: Line,
    works: readonly Work[],
    startedMs: number,
    taken: Taken,
  ): Promise<void> {
    const startedAt = momentOf(clock);
    for (const work of works) {
      work.busy = true;
      work.attempts++;
      work.postedAt = startedAt;
      work.slot.tainted = true;
    }
    const replies = await graph.create(
      line.tenantId,
      works.map((work) => toRequest(work)),
    );
    inFlight--;
    line.inFlight--;
    countAsOf(taken, clock.nowMs());
    const results = replies.map((reply) => (reply.kind === "answer" ? reply.status : reply.reason));
    const operation = works.length === 1 ? "create" : "batch";
    const durationMs = clock.nowMs() - startedMs;
    observe({
      kind: "graph-request",
      operation,
      tenantId: line.tenantId,
      items: works.length,
      durationMs,
      results,
    });
    const answered = works.map((work, i) => ({ work, reply: replies[i] ?? missingReply }));
    const judged = answered.map((each) => ({ ...each, verdict: classify(each.reply, clock.wallMs()) }));
    const verdicts = judged.map(({ verdict }) => verdict);
    takeIn(line, verdicts, taken, ports); // 3
    takeInHealth(judged); // 3
    for (const { work, verdict, reply } of judged) onVerdict(work, verdict, reply);
    if (line.ready.length > 0) giveTurn(line);
    planPump();
  }

  function toRequest(work: Work): CreateRequest {
    const id = settings.sendId && !work.withoutId ? work.idempotencyKey : null;
    const { idempotencyKey } = work;
    return { details: work.enrollment.details, id, idempotencyKey, clientRequestId: nextRequestId() };
  }

  function takeInHealth(judged: readonly { readonly verdict: Verdict; readonly reply: GraphReply }[]): void {
    const healths = judged.map(({ verdict, reply }) => healthOf(verdict, reply));
    const health = healths.includes("well") ? "well" : healths.includes("ill") ? "ill" : "neither";
    const change = recordHealth(breaker, health, clock.nowMs(), random);
    if (change === "opened")
      observe({ kind: "breaker-opened", detail: detailOf(judged.map(({ verdict }) => verdict)) });
    if (change === "closed") observe({ kind: "breaker-closed" });
  }
}

const missingReply: GraphReply = {
  kind: "silence",
  sent: true,
  reason: "malformed",
  detail: "no answer for this item",
};

function detailOf(verdicts: readonly Verdict[]): string {
  for (const verdict of verdicts) if ("detail" in verdict) return verdict.detail;
  return "";
}
