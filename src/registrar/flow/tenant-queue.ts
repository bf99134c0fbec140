/**
 * One tenant's queue to Graph: what waits, and what its answers said about the tenant.
 *
 * 1. One exchange counts once, also if several records shared it.
 * 2. Throttling and outages close the queue for as long as Graph asked; throttling without a time, with growing back-off.
 *    A blocked tenant is asked again now and then, so that it is served again once it can be.
 * 3. INV-ISOLATION: a tenant is blocked while either its creates or its reads are refused; only the same kind of request,
 *    answered well, ends that.
 * 4. A record that goes alone shares no request.
 */

import { backoffMs } from "../../policy/backoff.ts";
import type { Verdict } from "../../policy/classify.ts";
import { type Failing, fail } from "../../policy/failing.ts";
import { closeUntil, createPacing, learn, type Pacing, type Taken } from "../../policy/pacing.ts";
import type { Work } from "../ownership/partition.ts";
import type { BackoffPorts } from "../ports.ts";

export interface TenantQueue {
  readonly tenantId: string;
  readonly pacing: Pacing;
  readonly ready: Work[];
  /** Creates of this tenant that succeeded here, ever. */
  creates: number;
  throttledInARow: number;
  /** Of creates and of reads, while they are refused. */
  readonly blocks: Map<"creates" | "reads", Block>;
  /** Since the last create that succeeded; null: none failed since. */
  failing: Failing | null;
  /** Creates under way. */
  inFlight: number;
  /** "waiting": for a request permit; "timed": for a timer, which lets it wait for one again. */
  state: "idle" | "waiting" | "timed";
}

interface Block {
  inARow: number;
  readonly sinceMs: number;
}

const paceWindowMs = 20_000;
const throttledBackoff = { baseMs: 500, capMs: 60_000 };
const blockedBackoff = { baseMs: 5_000, capMs: 300_000 };
/** So many throttled exchanges in a row, with nothing accepted in between, tell a limit from a passing fault. */
const persistentRefusals = 3;

export function createTenantQueue(tenantId: string, writesPer20s: number): TenantQueue {
  const pacing = createPacing(writesPer20s, paceWindowMs);
  const counts = { creates: 0, throttledInARow: 0, failing: null, inFlight: 0 };
  return { tenantId, pacing, ready: [], ...counts, blocks: new Map(), state: "idle" };
}

/** Then it is tried with a single record at a time. */
export function isInTrouble(queue: TenantQueue): boolean {
  return queue.throttledInARow > 0 || isBlocked(queue);
}

export function isBlocked({ blocks }: TenantQueue): boolean {
  return blocks.size > 0; // INV-ISOLATION
}

/** Since its first refusal, as far as this worker saw it; 0: not blocked. */
export function blockedForMs({ blocks }: TenantQueue, nowMs: number): number {
  return Math.max(0, ...[...blocks.values()].map(({ sinceMs }) => nowMs - sinceMs));
}

/** What is in front; what was parked or lost meanwhile is forgotten. */
export function firstReady({ ready }: TenantQueue): Work | undefined {
  const at = ready.findIndex(isReady);
  ready.splice(0, at < 0 ? ready.length : at);
  return ready[0];
}

/** It still waits here. */
export function isReady({ stage }: Work): boolean {
  return stage.at === "ready";
}

/** Takes up to `count` off the front. Looks at no more of the queue than that: it may be long. */
export function takeReady({ ready }: TenantQueue, count: number): Work[] {
  const works: Work[] = [];
  let passed = 0;
  for (; passed < ready.length && works.length < count; passed++) {
    const work = ready[passed]!;
    if (!isReady(work)) continue;
    const { goesAlone } = work.stage.past;
    if (goesAlone && works.length > 0) break; // 4
    works.push(work);
    if (!goesAlone) continue;
    passed++;
    break; // 4
  }
  ready.splice(0, passed);
  return works;
}

/** What one exchange was answered. `served`: creates of all tenants that succeeded before it. */
export interface ExchangeAnswer {
  readonly verdicts: readonly Verdict[];
  readonly taken: Taken;
  readonly served: number;
}

export function takeIn(
  queue: TenantQueue,
  { verdicts, taken, served }: ExchangeAnswer,
  ports: BackoffPorts,
): void {
  const creates = verdicts.filter(({ kind }) => kind === "created").length;
  if (creates > 0) succeed(queue, creates, ports);
  else if (verdicts.some(({ kind }) => kind === "unknown"))
    queue.failing = fail(queue.failing, { atMs: ports.clock.nowMs(), served, isOwn: false });
  const throttled = verdicts.filter((verdict) => verdict.kind === "throttled");
  if (throttled.length > 0) {
    taken.refused += throttled.length;
    throttle(queue, throttled, ports); // 1
  }
  for (const verdict of verdicts) {
    if (verdict.kind === "unknown" && verdict.afterMs !== null)
      closeUntil(queue.pacing, ports.clock.nowMs() + verdict.afterMs); // 2
    if (verdict.kind === "tenant-blocked")
      blockTenant(queue, { refused: "creates", detail: verdict.detail }, ports);
  }
}

export function blockTenant(
  queue: TenantQueue,
  { refused, detail }: { readonly refused: "creates" | "reads"; readonly detail: string },
  { clock, random, observe }: BackoffPorts,
): void {
  const nowMs = clock.nowMs();
  const block = queue.blocks.get(refused) ?? { inARow: 0, sinceMs: nowMs };
  if (block.inARow > 0 && nowMs < queue.pacing.closedUntilMs) return; // 1
  if (!isBlocked(queue)) observe({ kind: "tenant-blocked", tenantId: queue.tenantId, detail });
  queue.blocks.set(refused, block);
  block.inARow++;
  const waitMs = blockedBackoff.baseMs / 2 + backoffMs(block.inARow, random, blockedBackoff);
  closeUntil(queue.pacing, nowMs + waitMs); // 2
}

export function unblockTenant(
  queue: TenantQueue,
  served: "creates" | "reads",
  { observe }: BackoffPorts,
): void {
  if (!queue.blocks.delete(served) || isBlocked(queue)) return; // 3
  observe({ kind: "tenant-unblocked", tenantId: queue.tenantId });
}

function succeed(queue: TenantQueue, creates: number, ports: BackoffPorts): void {
  queue.creates += creates;
  queue.throttledInARow = 0;
  queue.failing = null;
  unblockTenant(queue, "creates", ports);
}

function throttle(
  queue: TenantQueue,
  throttled: readonly { readonly afterMs: number | null }[],
  { clock, random }: BackoffPorts,
): void {
  const nowMs = clock.nowMs();
  queue.throttledInARow++;
  const isUntold = throttled.every(({ afterMs }) => afterMs === null);
  if (isUntold) learn(queue.pacing, queue.throttledInARow >= persistentRefusals, nowMs);
  const askedMs = Math.max(...throttled.map(({ afterMs }) => afterMs ?? 0));
  closeUntil(queue.pacing, nowMs + (askedMs || backoffMs(queue.throttledInARow, random, throttledBackoff))); // 2
}
