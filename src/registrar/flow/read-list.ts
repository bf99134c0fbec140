/**
 * Looks records in doubt up in lists of their tenant's objects, matched by identity. Which object is whose is in adoption.ts,
 * what a miss proves in doubt.ts.
 *
 * 1. Found is found, whenever it was read. A list that fails, or that is not whole, proves nothing absent (list-failures.ts).
 * 2. One list at a time for a tenant serves all its records in doubt. Lists have a limit of their own, beside creates.
 * 3. Lists pass the same gate as creates: in an outage they are probes, or wait.
 */
import { createPacing, opensAtMs, type Pacing, take } from "../../policy/pacing.ts";
import type { Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { createListFailures, type ListingTenant } from "./list-failures.ts";
import { isReadBack, raiseFindings } from "./list-findings.ts";
import { healthOfRead, type ReadById, readItem } from "./read-by-id.ts";
import { failureOf, resultOf } from "./read-list-answer.ts";
import type { Tenants } from "./tenants.ts";

export interface ReadList {
  request(work: Work): void;
  waiting(): number;
  isStalled(tenantId: string): boolean;
}

interface Tenant extends ListingTenant {
  readonly works: Set<Work>;
  readonly pacing: Pacing;
  /** "timed": waits for its time; "listing": its list is under way, or in line. */
  state: "idle" | "timed" | "listing";
  cancelTimer: () => void;
}

/** One that failed may be chance. */
const stalledFailures = 2;
const listsInFlightMax = 8;

export function createReadList(
  core: Core,
  tenants: Pick<Tenants, "block" | "unblockReads" | "blockedForMs" | "closedUntilMs" | "createsOfAll">,
  byId: Pick<ReadById, "take">,
): ReadList {
  const { settings, gate } = core;
  const { graph, clock, observe, traces } = core.ports;
  const failures = createListFailures(core, tenants);
  const listed = new Map<string, Tenant>();
  let queue: Tenant[] = [];
  let listing = 0;

  gate.onOpening(startLists);
  return {
    request,
    waiting: () => [...listed.values()].reduce((sum, tenant) => sum + tenant.works.size, 0),
    isStalled: (tenantId) => (listed.get(tenantId)?.failing?.inARow ?? 0) >= stalledFailures,
  };

  function request(work: Work): void {
    const { tenantId } = work.enrollment;
    let tenant = listed.get(tenantId);
    if (tenant === undefined) {
      const pacing = createPacing(settings.listsPer20s, 20_000);
      tenant = { tenantId, works: new Set(), pacing, failing: null, state: "idle", cancelTimer: () => {} };
      listed.set(tenantId, tenant);
    }
    tenant.works.add(work);
    // While its lists fail, the next one comes when it comes.
    if (tenant.state === "listing" || tenant.failing !== null) return;
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
      tenants.unblockReads(tenant.tenantId);
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
    const answered = traces?.asked({ operation: "list", tenantId, items: due.map(readItem) });
    const reply = await graph.list(tenantId);
    answered?.([reply]);
    listing--;
    const durationMs = clock.nowMs() - startedMs;
    const results = [resultOf(reply)];
    observe({ kind: "graph-request", operation: "list", tenantId, items: 1, durationMs, results });
    const failure = failureOf(reply, clock.wallMs());
    const objects = reply.kind === "listed" ? reply.objects : [];
    raiseFindings(core, due, { objects, startedMs, isWhole: failure === null }); // 1
    if (failure === null) {
      tenant.failing = null;
      tenants.unblockReads(tenantId);
      plan(tenant);
    } else plan(tenant, clock.nowMs() + failures.takeIn(tenant, reply, failure));
    const { health, detail } = healthOfRead(reply, clock.wallMs());
    gate.endRead(tenantId, health, detail);
  }
}

function dueMsOf({ stage }: Work): number {
  return stage.doubt?.nextReadAtMs ?? 0;
}
