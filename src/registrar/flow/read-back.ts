/**
 * Finds out whether a create in doubt was carried out: lists the tenant's objects and matches by identity, where it
 * can't be read by id (read-by-id.ts). Which object is whose is in adoption.ts.
 *
 * 1. Found is found, whenever it was read. Absent needs `rereadCount` misses in a row, all read after every request
 *    that could still create the object has ended, and spaced, because lists may lag.
 * 2. One list at a time for a tenant serves all its records in doubt. Lists have a limit of their own, beside creates.
 * 3. A list that fails, or that is not whole, proves nothing absent. It is asked for again with back-off, and said. One
 *    that is refused blocks its tenant, as a create that is refused does.
 * 4. Reads pass the same gate as creates: in an outage they are probes, or wait.
 */
import { backoffMs } from "../../policy/backoff.ts";
import { classify, isMissingRoute } from "../../policy/classify.ts";
import { type Failing, fail } from "../../policy/failing.ts";
import { createPacing, opensAtMs, type Pacing, take } from "../../policy/pacing.ts";
import { parseRetryAfterMs, replyWallMs } from "../../policy/retry-after.ts";
import type {
  Clock,
  Graph,
  GraphObject,
  GraphReply,
  GraphSilence,
  ListReply,
  Observer,
  Random,
} from "../../ports.ts";
import { type Fault, secretRefused } from "../fault.ts";
import { type Doubt, isLive, type Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import { matchAll, type ShownForm } from "./adoption.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Gate } from "./gate.ts";
import type { Judge } from "./judge.ts";
import { createReadById, healthOfRead } from "./read-by-id.ts";

export interface ReadBack {
  /** `work.doubt` is set. */
  request(work: Work): void;
  waiting(): number;
  /** Has the last list of this tenant failed? Then its records in doubt don't go on for now. */
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

export function createReadBack(
  ports: { graph: Graph; clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  gate: Gate,
  dispatcher: Pick<Dispatcher, "block" | "unblockReads" | "closedUntilMs" | "createsOfAll">,
  judge: Pick<Judge, "onFound" | "onAbsent" | "onUnreadable" | "takesIds">,
  shown: Pick<ShownForm, "form">,
  onFault: (fault: Fault) => void,
): ReadBack {
  const { graph, clock, random, observe } = ports;
  const tenants = new Map<string, Tenant>();
  let queue: Tenant[] = [];
  let listing = 0;
  const byId = createReadById(ports, gate, judge, requestList);

  gate.onOpening(startLists);
  return {
    request(work) {
      if (!byId.take(work)) requestList(work);
    },
    waiting: () => byId.waiting() + [...tenants.values()].reduce((sum, tenant) => sum + tenant.works.size, 0),
    isStalled: (tenantId) => (tenants.get(tenantId)?.failing?.inARow ?? 0) >= stalledFailures,
  };

  // ── by list ──

  function requestList(work: Work): void {
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
      if (!isLive(work) || work.doubt === null || byId.take(work)) tenant.works.delete(work);
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
    for (const work of tenant.works) dueMs = Math.min(dueMs, work.doubt?.nextReadAtMs ?? nowMs);
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
        held.push(tenant); // 4
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
    const due = [...tenant.works].filter((work) => (work.doubt?.nextReadAtMs ?? startedMs) <= startedMs);
    gate.begin(tenantId);
    const reply = await graph.list(tenantId);
    listing--;
    const durationMs = clock.nowMs() - startedMs;
    const results = [resultOf(reply)];
    observe({ kind: "graph-request", operation: "list", tenantId, items: 1, durationMs, results });
    const failure = failureOf(reply);
    conclude(tenant, due, reply.kind === "listed" ? reply.objects : [], startedMs, failure === null);
    if (failure === null) {
      tenant.failing = null;
      dispatcher.unblockReads(tenantId);
      plan(tenant);
    } else plan(tenant, clock.nowMs() + takeFailureIn(tenant, reply, failure));
    const { health, detail } = healthOfRead(reply, clock.wallMs());
    gate.endRead(tenantId, health, detail);
  }

  function conclude(
    tenant: Tenant,
    due: readonly Work[],
    objects: readonly GraphObject[],
    startedMs: number,
    isWhole: boolean,
  ): void {
    const live = due.filter((work) => isLive(work) && work.doubt !== null);
    for (const [work, match] of matchAll(tenant.tenantId, live, objects, shown.form, settings.sabotage)) {
      // What was found before in this list may have settled it.
      if (work.doubt === null) continue;
      if (match.kind === "found") {
        reportSeveral(work, match.objects);
        judge.onFound(work, match.objects[0]!); // 1
      } else if (match.kind === "undecided") {
        work.doubt.nextReadAtMs = startedMs + settings.rereadDelayMs;
      } else if (isWhole) miss(work, work.doubt, startedMs);
    }
  }

  function reportSeveral({ enrollment, idempotencyKey }: Work, found: readonly GraphObject[]): void {
    if (found.length === 1) return;
    const ids = found.map(({ id }) => id);
    observe({ kind: "duplicate-objects", tenantId: enrollment.tenantId, idempotencyKey, ids });
  }

  function miss(work: Work, doubt: Doubt, startedMs: number): void {
    if (startedMs >= doubt.absentAfterMs) doubt.misses++;
    if (doubt.misses >= settings.rereadCount)
      judge.onAbsent(work); // 1
    else doubt.nextReadAtMs = Math.max(startedMs + settings.rereadDelayMs, doubt.absentAfterMs);
  }

  /** Says that a list failed; returns how long to wait before the next one. */
  function takeFailureIn(tenant: Tenant, reply: ListReply, { detail, isRefusal }: Failure): number {
    const { tenantId } = tenant;
    const nowMs = clock.nowMs();
    const isOwn = isRefusal || reply.kind === "listed";
    tenant.failing = fail(tenant.failing, nowMs, dispatcher.createsOfAll(), isOwn);
    const { inARow } = tenant.failing;
    let retryInMs = failureBackoff.baseMs / 2 + backoffMs(inARow, random, failureBackoff);
    if (isRefusal) {
      dispatcher.block(tenantId, "reads", detail); // 3
      retryInMs = Math.max(retryInMs, dispatcher.closedUntilMs(tenantId) - nowMs);
    } else if (reply.kind === "answer" && reply.retryAfter !== null) {
      const wallMs = replyWallMs(reply.date, clock.wallMs());
      retryInMs = parseRetryAfterMs(reply.retryAfter, wallMs) ?? retryInMs;
    }
    observe({ kind: "read-back-failed", tenantId, detail, failures: inARow, retryInMs });
    if (tenant.failing.isOwn) giveUpOn(tenant, detail, tenant.failing.forMs);
    return retryInMs;
  }

  /** `failingMs`: what counts as this tenant's own trouble. */
  function giveUpOn({ works }: Tenant, detail: string, failingMs: number): void {
    for (const work of works) {
      if (isLive(work) && judge.onUnreadable(work, detail, failingMs)) works.delete(work);
    }
  }

  function failureOf(reply: ListReply): Failure | null {
    if (reply.kind === "listed") {
      if (reply.incomplete === null) return null;
      return { detail: `the list is not whole: ${reply.incomplete}`, isRefusal: false };
    }
    if (isEmptyTenant(reply)) return null;
    const verdict = classify(reply, clock.wallMs());
    if (verdict.kind === "secret-refused") onFault(secretRefused(verdict.detail));
    return {
      detail: "detail" in verdict ? verdict.detail : "",
      isRefusal: verdict.kind === "tenant-blocked" || verdict.kind === "no-route",
    };
  }
}

interface Failure {
  readonly detail: string;
  /** No read of this tenant succeeds until somebody changes something. */
  readonly isRefusal: boolean;
}

/** A tenant that never had a connector may answer 404. So does a route that is not there, which says nothing. */
function isEmptyTenant(reply: GraphReply): boolean {
  return reply.kind === "answer" && reply.status === 404 && !isMissingRoute(reply);
}

function resultOf(reply: ListReply): number | GraphSilence["reason"] {
  if (reply.kind === "listed") return 200;
  return reply.kind === "answer" ? reply.status : reply.reason;
}
