/**
 * Finds out whether a create in doubt was carried out: lists the tenant's objects and matches by identity. Where Graph
 * has shown that it takes our ids, it reads the one object by its id instead, which neither lags nor grows.
 *
 * 1. Found is found, whenever it was read. Absent needs `rereadCount` misses in a row, all read after every request
 *    that could still create the object has ended, and spaced, because lists may lag.
 *    By id one miss is enough: should it be wrong, the next create is answered 409. That holds only for a create that
 *    certainly carried our id, so never for one that another owner began.
 * 2. One list at a time for a tenant serves all its records in doubt. Lists have a limit of their own, beside creates.
 */
import { identify } from "../domain/identity.ts";
import { backoffMs } from "../policy/backoff.ts";
import { available, createPacing, opensAtMs, type Pacing, take } from "../policy/pacing.ts";
import { parseRetryAfterMs } from "../policy/retry-after.ts";
import type { Clock, Graph, GraphObject, GraphSilence, ListReply, Observer, Random } from "../ports.ts";
import { type Fault, secretRefused } from "./fault.ts";
import { isLive, type Work } from "./partition.ts";
import type { RegistrarSettings } from "./settings.ts";

export interface ReadBack {
  /** `work.doubt` is set. */
  request(work: Work): void;
  waiting(): number;
}

interface Tenant {
  readonly tenantId: string;
  readonly works: Set<Work>;
  readonly pacing: Pacing;
  failures: number;
  /** "queued": in line for a list; "timed": waits for its time. */
  state: "idle" | "timed" | "queued" | "listing";
  cancelTimer: () => void;
}

const listsInFlightMax = 8;
const getsInFlightMax = 16;
const failureBackoff = { baseMs: 500, capMs: 8_000 };

export function createReadBack(
  ports: { graph: Graph; clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  onFound: (work: Work, object: GraphObject) => void,
  onAbsent: (work: Work) => void,
  onFault: (fault: Fault) => void,
  takesIds: () => boolean,
): ReadBack {
  const { graph, clock, random, observe } = ports;
  const tenants = new Map<string, Tenant>();
  const queue: Tenant[] = [];
  let listing = 0;
  const byId: Work[] = [];
  let gettingById = 0;
  /** A read by id of these said nothing. */
  const listOnly = new WeakSet<Work>();

  return {
    request(work) {
      if (!isKnownById(work)) return requestList(work);
      byId.push(work);
      startGets();
    },
    waiting: () =>
      byId.length + gettingById + [...tenants.values()].reduce((sum, tenant) => sum + tenant.works.size, 0),
  };

  // ── by id ──

  function isKnownById(work: Work): boolean {
    const { doubt } = work;
    if (!settings.sendId || doubt === null || !doubt.isHonoured || listOnly.has(work)) return false; // 1
    return doubt.inherited || takesIds();
  }

  function startGets(): void {
    while (gettingById < getsInFlightMax) {
      const work = byId.shift();
      if (work === undefined) return;
      gettingById++;
      void getOne(work).then(() => {
        gettingById--;
        startGets();
      });
    }
  }

  async function getOne(work: Work): Promise<void> {
    const { doubt } = work;
    if (doubt === null || !isLive(work)) return;
    const { tenantId } = work.enrollment;
    const startedMs = clock.nowMs();
    const reply = await graph.get(tenantId, work.idempotencyKey);
    const durationMs = clock.nowMs() - startedMs;
    const results = [reply.kind === "answer" ? reply.status : reply.reason];
    observe({ kind: "graph-request", operation: "get", tenantId, items: 1, durationMs, results });
    if (!isLive(work)) return;
    const object = reply.kind === "answer" ? reply.object : null;
    if (object !== null && identify(tenantId, object)?.idempotencyKey === work.idempotencyKey) {
      return onFound(work, object); // 1
    }
    if (reply.kind !== "answer" || reply.status !== 404) {
      listOnly.add(work);
      return requestList(work);
    }
    if (startedMs >= doubt.absentAfterMs) return onAbsent(work); // 1
    clock.after(doubt.absentAfterMs - clock.nowMs(), () => {
      byId.push(work);
      startGets();
    });
  }

  // ── by list ──

  function requestList(work: Work): void {
    const { tenantId } = work.enrollment;
    let tenant = tenants.get(tenantId);
    if (tenant === undefined) {
      const pacing = createPacing(settings.listsPer20s, 20_000);
      tenant = { tenantId, works: new Set(), pacing, failures: 0, state: "idle", cancelTimer: () => {} };
      tenants.set(tenantId, tenant);
    }
    tenant.works.add(work);
    if (tenant.state === "timed" && tenant.failures === 0) tenant.cancelTimer();
    if (tenant.state === "idle" || (tenant.state === "timed" && tenant.failures === 0)) plan(tenant);
  }

  /** Queues the tenant's next list, now or when its first record is due. */
  function plan(tenant: Tenant, notBeforeMs = 0): void {
    for (const work of tenant.works) {
      // Ids may have proved to be honoured since: a read by id spares the others of the tenant's lists.
      const goesById = isLive(work) && isKnownById(work);
      if (goesById) byId.push(work);
      if (goesById || !isLive(work)) tenant.works.delete(work);
    }
    startGets();
    if (tenant.works.size === 0) {
      tenant.state = "idle";
      return;
    }
    const nowMs = clock.nowMs();
    let dueMs = Number.POSITIVE_INFINITY;
    for (const work of tenant.works) dueMs = Math.min(dueMs, work.doubt?.nextReadAtMs ?? nowMs);
    const opensMs = available(tenant.pacing, nowMs) > 0 ? nowMs : opensAtMs(tenant.pacing, nowMs);
    const atMs = Math.max(dueMs, notBeforeMs, opensMs); // 2
    if (atMs > nowMs) {
      tenant.state = "timed";
      tenant.cancelTimer = clock.after(atMs - nowMs, () => plan(tenant));
      return;
    }
    tenant.state = "queued";
    queue.push(tenant);
    startLists();
  }

  function startLists(): void {
    while (listing < listsInFlightMax) {
      const tenant = queue.shift();
      if (tenant === undefined) return;
      listing++;
      void list(tenant);
    }
  }

  async function list(tenant: Tenant): Promise<void> {
    tenant.state = "listing"; // 2
    const startedMs = clock.nowMs();
    take(tenant.pacing, 1, startedMs);
    const due = [...tenant.works].filter((work) => (work.doubt?.nextReadAtMs ?? startedMs) <= startedMs);
    const reply = await graph.list(tenant.tenantId);
    listing--;
    const durationMs = clock.nowMs() - startedMs;
    observe({
      kind: "graph-request",
      operation: "list",
      tenantId: tenant.tenantId,
      items: 1,
      durationMs,
      results: [resultOf(reply)],
    });
    startLists();
    const objects = objectsOf(reply);
    if (reply.kind === "silence" && reply.reason === "secret") onFault(secretRefused(reply.detail));
    if (objects === null) {
      tenant.failures++;
      return plan(tenant, clock.nowMs() + delayAfter(reply, tenant.failures));
    }
    tenant.failures = 0;
    const byKey = index(tenant.tenantId, objects);
    for (const work of due) {
      if (!isLive(work)) tenant.works.delete(work);
      else conclude(tenant, work, byKey.get(work.idempotencyKey), startedMs);
    }
    plan(tenant);
  }

  function conclude(
    tenant: Tenant,
    work: Work,
    found: readonly GraphObject[] | undefined,
    startedMs: number,
  ): void {
    const { doubt } = work;
    if (doubt === null) {
      tenant.works.delete(work);
      return;
    }
    if (found !== undefined) {
      tenant.works.delete(work);
      if (found.length > 1) {
        observe({
          kind: "duplicate-objects",
          tenantId: tenant.tenantId,
          idempotencyKey: work.idempotencyKey,
          ids: found.map(({ id }) => id),
        });
      }
      onFound(work, choose(found, work.idempotencyKey)); // 1
      return;
    }
    if (startedMs >= doubt.absentAfterMs) doubt.misses++;
    if (doubt.misses >= settings.rereadCount) {
      tenant.works.delete(work);
      onAbsent(work); // 1
      return;
    }
    doubt.nextReadAtMs = Math.max(startedMs + settings.rereadDelayMs, doubt.absentAfterMs);
  }

  function delayAfter(reply: ListReply, failures: number): number {
    const asked =
      reply.kind === "answer" && reply.retryAfter !== null
        ? parseRetryAfterMs(reply.retryAfter, clock.wallMs())
        : null;
    return asked ?? failureBackoff.baseMs / 2 + backoffMs(failures, random, failureBackoff);
  }
}

/** Null: not an answer to the question. A tenant that never had a connector may answer 404. */
function objectsOf(reply: ListReply): readonly GraphObject[] | null {
  if (reply.kind === "listed") return reply.objects;
  return reply.kind === "answer" && reply.status === 404 ? [] : null;
}

function resultOf(reply: ListReply): number | GraphSilence["reason"] {
  if (reply.kind === "listed") return 200;
  return reply.kind === "answer" ? reply.status : reply.reason;
}

function index(tenantId: string, objects: readonly GraphObject[]): Map<string, GraphObject[]> {
  const byKey = new Map<string, GraphObject[]>();
  for (const object of objects) {
    const key = identify(tenantId, object)?.idempotencyKey;
    if (key === undefined) continue;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [object]);
    else same.push(object);
  }
  return byKey;
}

/** The same choice on every worker: the one with our id, else the least id. */
function choose(objects: readonly GraphObject[], idempotencyKey: string): GraphObject {
  return objects.reduce((best, object) => {
    if (best.id.toLowerCase() === idempotencyKey) return best;
    return object.id.toLowerCase() === idempotencyKey || object.id < best.id ? object : best;
  });
}
