/**
 * What the worker knows of each tenant at Graph: its queue, whether it is refused, how many creates of it succeeded. What an
 * answer says about one tenant is in tenant-queue.ts.
 */
import type { Verdict } from "../../policy/classify.ts";
import { availableWithin, setLimit, type Taken } from "../../policy/pacing.ts";
import type { Ports } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import {
  blockedForMs,
  blockTenant,
  createTenantQueue,
  isBlocked,
  type TenantQueue,
  takeIn,
  unblockTenant,
} from "./tenant-queue.ts";

export interface Tenants {
  queueOf(tenantId: string): TenantQueue;
  queues(): readonly TenantQueue[];
  /** What the verdicts of one exchange say about their tenant. */
  takeIn(queue: TenantQueue, verdicts: readonly Verdict[], taken: Taken): void;
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
  /** Its limit may be another one by now. */
  renew(tenantId: string): void;
  /** Creates of this tenant that succeeded here, ever. */
  createsOf(tenantId: string): number;
  /** Creates of all tenants that succeeded here, ever. */
  createsOfAll(): number;
  blocked(): readonly string[];
}

export function createTenants(
  ports: Pick<Ports, "clock" | "random" | "observe">,
  settings: Pick<RegistrarSettings, "writesPer20s" | "tenants">,
): Tenants {
  const { clock } = ports;
  const queues = new Map<string, TenantQueue>();
  let creates = 0;

  return {
    queueOf,
    queues: () => [...queues.values()],
    takeIn(queue, verdicts, taken) {
      takeIn(queue, { verdicts, taken, served: creates }, ports);
      creates += verdicts.filter(({ kind }) => kind === "created").length;
    },
    block: (tenantId, refused, detail) => blockTenant(queueOf(tenantId), { refused, detail }, ports),
    unblockReads: (tenantId) => unblockTenant(queueOf(tenantId), "reads", ports),
    isBlocked(tenantId) {
      const queue = queues.get(tenantId);
      return queue !== undefined && isBlocked(queue);
    },
    blockedForMs: (tenantId) => blockedForMs(seen(tenantId), clock.nowMs()),
    closedUntilMs: (tenantId) => seen(tenantId).pacing.closedUntilMs,
    capacityWithin(tenantId, ms) {
      const queue = queues.get(tenantId);
      if (queue !== undefined) return availableWithin(queue.pacing, ms, clock.nowMs());
      return limitOf(tenantId) || Number.POSITIVE_INFINITY;
    },
    renew(tenantId) {
      const queue = queues.get(tenantId);
      if (queue !== undefined) setLimit(queue.pacing, limitOf(tenantId));
    },
    createsOf: (tenantId) => queues.get(tenantId)?.creates ?? 0,
    createsOfAll: () => creates,
    blocked: () => [...queues.values()].filter(isBlocked).map(({ tenantId }) => tenantId),
  };

  function limitOf(tenantId: string): number {
    return settings.tenants.writesPer20sOf(tenantId) ?? settings.writesPer20s;
  }

  /** Not kept: senders may send events of any number of tenants that are not served. */
  function seen(tenantId: string): TenantQueue {
    return queues.get(tenantId) ?? createTenantQueue(tenantId, limitOf(tenantId));
  }

  function queueOf(tenantId: string): TenantQueue {
    let queue = queues.get(tenantId);
    if (queue === undefined) {
      queue = createTenantQueue(tenantId, limitOf(tenantId));
      queues.set(tenantId, queue);
    }
    return queue;
  }
}
