/**
 * Finds out whether a create in doubt was carried out: by reading the one object by its id where that tells, else by listing
 * the tenant's objects.
 */

import type { Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { createReadById } from "./read-by-id.ts";
import { createReadList } from "./read-list.ts";
import type { Tenants } from "./tenants.ts";

export interface ReadBack {
  /** `work` is in doubt. `notBeforeMs`: of a read by id. */
  request(work: Work, notBeforeMs: number): void;
  /** What stands under its id, whether or not that tells what became of a create in doubt. */
  requestById(work: Work): void;
  waiting(): number;
  /** Has the last list of this tenant failed? Then its records in doubt don't continue for now. */
  isStalled(tenantId: string): boolean;
}

export function createReadBack(
  core: Core,
  tenants: Pick<Tenants, "block" | "unblockReads" | "blockedForMs" | "closedUntilMs" | "createsOfAll">,
): ReadBack {
  const byId = createReadById(core);
  const byList = createReadList(core, tenants, byId);
  return {
    request(work, notBeforeMs) {
      if (!byId.take(work, notBeforeMs)) byList.request(work);
    },
    requestById: byId.request,
    waiting: () => byId.waiting() + byList.waiting(),
    isStalled: byList.isStalled,
  };
}
