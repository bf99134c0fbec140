/**
 * What follows from a list of a tenant's objects that failed, or that is not whole.
 *
 * 1. It is asked for again with back-off, and said. One that is refused blocks its tenant, as a create that is refused does.
 * 2. How long a tenant's lists fail counts only where that is the tenant's own trouble: in an outage no record ends.
 */

import type { ListReply } from "../../graph-port.ts";
import { backoffMs } from "../../policy/backoff.ts";
import { type Failing, fail } from "../../policy/failing.ts";
import { parseRetryAfterMs, replyWallMs } from "../../policy/retry-after.ts";
import type { Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { isReadBack } from "./list-findings.ts";
import type { ListFailure } from "./read-list-answer.ts";
import type { Tenants } from "./tenants.ts";

export interface ListingTenant {
  readonly tenantId: string;
  /** Records in doubt that are looked up in its lists. */
  readonly works: ReadonlySet<Work>;
  /** While its lists fail. */
  failing: Failing | null;
}

export interface ListFailures {
  /** Returns how long to wait before the next list. */
  takeIn(tenant: ListingTenant, reply: ListReply, failure: ListFailure): number;
}

const failureBackoff = { baseMs: 500, capMs: 60_000 };

export function createListFailures(
  { ports, raise }: Pick<Core, "ports" | "raise">,
  tenants: Pick<Tenants, "block" | "blockedForMs" | "closedUntilMs" | "createsOfAll">,
): ListFailures {
  const { clock, random, observe } = ports;
  return { takeIn };

  function takeIn(tenant: ListingTenant, reply: ListReply, { detail, isRefusal }: ListFailure): number {
    const { tenantId } = tenant;
    const isOwn = isRefusal || reply.kind === "listed";
    const failing = fail(tenant.failing, { atMs: clock.nowMs(), served: tenants.createsOfAll(), isOwn });
    tenant.failing = failing;
    const drawnMs = failureBackoff.baseMs / 2 + backoffMs(failing.inARow, random, failureBackoff);
    if (isRefusal) tenants.block(tenantId, "reads", detail); // 1
    const retryInMs = isRefusal
      ? Math.max(drawnMs, tenants.closedUntilMs(tenantId) - clock.nowMs())
      : (askedMsOf(reply) ?? drawnMs);
    observe({ kind: "read-back-failed", tenantId, detail, failures: failing.inARow, retryInMs });
    if (failing.isOwn) tell(tenant, detail, failing.forMs); // 2
    return retryInMs;
  }

  /** Null: the answer does not say how long to wait. */
  function askedMsOf(reply: ListReply): number | null {
    if (reply.kind !== "answer" || reply.retryAfter === null) return null;
    return parseRetryAfterMs(reply.retryAfter, replyWallMs(reply.date, clock.wallMs()));
  }

  /** `failingMs`: what counts as this tenant's own trouble. */
  function tell({ tenantId, works }: ListingTenant, detail: string, failingMs: number): void {
    const waitedMs = Math.max(failingMs, tenants.blockedForMs(tenantId));
    for (const work of [...works].filter(isReadBack)) raise(work, { kind: "unreadable", detail, waitedMs });
  }
}
