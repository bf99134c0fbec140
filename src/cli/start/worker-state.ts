/** What the worker of this process says of itself: /readyz and the console show the same. */
import type { Worker } from "../../compose.ts";
import type { BlockedTenants } from "../../observe/blocked-tenants.ts";
import type { WorkerState } from "../../server/console/workers.ts";
import type { Readiness } from "../../server/health-server.ts";
import { readinessOf } from "./tenants.ts";

export interface WorkerParts {
  readonly phase: string;
  readonly worker: Worker | null;
  readonly blocked: BlockedTenants;
}

export function workerState({ worker, phase, blocked }: WorkerParts): WorkerState {
  const { ready, notReady } = readinessOf(worker, phase);
  const own = { name: "this process", trouble: null, ready, notReady };
  const status = worker?.registrar.status() ?? null;
  if (status === null) return { ...own, figures: null, blocked: [] };
  const { partitions, blockedTenants } = status;
  const figures = { ...status, partitions: partitions.length, blockedTenants: blockedTenants.length };
  return { ...own, figures, blocked: blocked.of(blockedTenants) };
}

export function readinessWithBlocked(parts: WorkerParts): Readiness {
  const { ready, notReady, blocked } = workerState(parts);
  return { ready, notReady, blockedTenants: blocked ?? [] };
}
