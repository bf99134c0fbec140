/**
 * Looks records in doubt up in lists of their tenant's objects, matched by identity. Which object is whose is in adoption.ts,
 * what a miss proves in doubt.ts.
 *
 * 1. Found is found, whenever it was read. A list that fails, or that is not whole, proves nothing absent. It is asked for
 *    again with back-off, and said. One that is refused blocks its tenant, as a create that is refused does.
 * 2. One list at a time for a tenant serves all its records in doubt. Lists have a limit of their own, beside creates.
 * 3. Lists pass the same gate as creates: in an outage they are probes, or wait.
 */
import type { ListReply } from "../../graph-port.ts";
import { backoffMs } from "../../policy/backoff.ts";
import { type Failing, fail } from "../../policy/failing.ts";
import { createPacing, opensAtMs, type Pacing, take } from "../../policy/pacing.ts";
import { parseRetryAfterMs, replyWallMs } from "../../policy/retry-after.ts";
import type { Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { isReadBack, raiseFindings } from "./list-findings.ts";
import { healthOfRead, type ReadById } from "./read-by-id.ts";
import { failureOf, type ListFailure, resultOf } from "./read-list-answer.ts";

export interface ReadList {
  request(work: Work): void;
  waiting(): number;
  isStalled(tenantId: string): boolean;
}

interface Tenant {
  readonly tenantId: string;
  readonly works: Set<Work>;
  readonly pacing: Pacing;
  /** While its lists fail. */
  failing: Failing | null;
  /** "timed": waits for its time; "listing": its list is under way, or in line. */
  state: "idle" | "timed" | "listing";
  cancelTimer: () => void;
}

/** One that failed may be chance. */
const stalledFailures = 2;
const listsInFlightMax = 8;
const failureBackoff = { baseMs: 500, capMs: 60_000 };

export function createReadList(
  core: Core,
  dispatcher: Pick<Dispatcher, "block" | "unblockReads" | "blockedForMs" | "closedUntilMs" | "createsOfAll">,
  byId: Pick<ReadById, "take">,
): ReadList {
  const { settings, gate, raise } = core;
  const { graph, clock, random, observe } = core.ports;
  const tenants = new Map<string, Tenant>();
  let queue: Tenant[] = [];
  let listing = 0;

  gate.onOpening(startLists);
  return {
    request,
    waiting: () => [...tenants.values()].reduce((sum, tenant) => sum + tenant.works.size, 0),
    isStalled: (tenantId) => (tenants.get(tenantId)?.failing?.inARow ?? 0) >= stalledFailures,
  };

  function request(work: Work): void {
    const { tenantId } = work.enrollment;
    let tenant = tenants.get(tenantId);
    if (tenant === undefined) {
      const pacing = createPacing(settings.listsPer20s, 20_000);
      tenant = { tenantId, works: new Set(), pacing, failing: null, state: "idle", cancelTimer: () => {} };
      tenants.set(tenantId, tenant);
    }
    tenant.works.add(work);
    // While its lists fail, the next one comes when it comes.
    if (tenant.state === "listing" || (tenant.state === "timed" && tenant.failing !== null)) return;
    tenant.cancelTimer();
    plan(tenant);
  }

  /** Queues the tenant's next list, now or when its first record is due. */
  function plan(tenant: Tenant, notBeforeMs = 0): void {
    for (const work of tenant.works) {
      // Ids may have proved to be honoured since: a read by id spares the others of the tenant's lists.
      if (!isReadBack(work) || byId.take(work)) tenant.works.delete(work);
    }
    if (tenant.works.size === 0) {
      tenant.state = "idle";
      // Nothing of it needs a list any more.
      tenant.failing = null;
      dispatcher.unblockReads(tenant.tenantId);
      return;
    }
    const nowMs = clock.nowMs();
    let dueMs = Number.POSITIVE_INFINITY;
    for (const work of tenant.works) dueMs = Math.min(dueMs, dueMsOf(work));
    const atMs = Math.max(dueMs, notBeforeMs, opensAtMs(tenant.pacing, nowMs)); // 2
    if (atMs > nowMs) {
      tenant.state = "timed";
      tenant.cancelTimer = clock.after(atMs - nowMs, () => plan(tenant));
      return;
    }
    tenant.state = "listing"; // 2
    queue.push(tenant);
    startLists();
  }

  function startLists(): void {
    const nowMs = clock.nowMs();
    const held: Tenant[] = [];
    while (listing < listsInFlightMax) {
      const tenant = queue.shift();
      if (tenant === undefined) break;
      if (gate.opensAtMs(tenant.tenantId) > nowMs) {
        held.push(tenant); // 3
        continue;
      }
      listing++;
      void list(tenant);
    }
    queue = [...held, ...queue];
  }

  async function list(tenant: Tenant): Promise<void> {
    const { tenantId } = tenant;
    const startedMs = clock.nowMs();
    take(tenant.pacing, 1, startedMs);
    const due = [...tenant.works].filter((work) => dueMsOf(work) <= startedMs);
    gate.begin(tenantId);
    const reply = await graph.list(tenantId);
    listing--;
    const durationMs = clock.nowMs() - startedMs;
    const results = [resultOf(reply)];
    observe({ kind: "graph-request", operation: "list", tenantId, items: 1, durationMs, results });
    const failure = failureOf(reply, clock.wallMs());
    const objects = reply.kind === "listed" ? reply.objects : [];
    raiseFindings(core, due, { objects, startedMs, isWhole: failure === null }); // 1
    if (failure === null) {
      tenant.failing = null;
      dispatcher.unblockReads(tenantId);
      plan(tenant);
    } else plan(tenant, clock.nowMs() + takeFailureIn(tenant, reply, failure));
    const { health, detail } = healthOfRead(reply, clock.wallMs());
    gate.endRead(tenantId, health, detail);
  }

  /** Says that a list failed; returns how long to wait before the next one. */
  function takeFailureIn(tenant: Tenant, reply: ListReply, { detail, isRefusal }: ListFailure): number {
    const { tenantId } = tenant;
    const nowMs = clock.nowMs();
    const isOwn = isRefusal || reply.kind === "listed";
    tenant.failing = fail(tenant.failing, nowMs, dispatcher.createsOfAll(), isOwn);
    const { inARow } = tenant.failing;
    let retryInMs = failureBackoff.baseMs / 2 + backoffMs(inARow, random, failureBackoff);
    if (isRefusal) {
      dispatcher.block(tenantId, "reads", detail); // 1
      retryInMs = Math.max(retryInMs, dispatcher.closedUntilMs(tenantId) - nowMs);
    } else if (reply.kind === "answer" && reply.retryAfter !== null) {
      const wallMs = replyWallMs(reply.date, clock.wallMs());
      retryInMs = parseRetryAfterMs(reply.retryAfter, wallMs) ?? retryInMs;
    }
    observe({ kind: "read-back-failed", tenantId, detail, failures: inARow, retryInMs });
    if (tenant.failing.isOwn) tell(tenant, detail, tenant.failing.forMs);
    return retryInMs;
  }

  /** `failingMs`: what counts as this tenant's own trouble. */
  function tell({ tenantId, works }: Tenant, detail: string, failingMs: number): void {
    const waitedMs = Math.max(failingMs, dispatcher.blockedForMs(tenantId));
    for (const work of [...works].filter(isReadBack)) raise(work, { kind: "unreadable", detail, waitedMs });
  }
}

function dueMsOf({ stage }: Work): number {
  return stage.doubt?.nextReadAtMs ?? 0;
}
