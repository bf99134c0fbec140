/**
 * One exchange with Graph: some records of one tenant, in one request. What the answer says about the tenant or about Graph is
 * taken in here; what it says about a record is in answered.ts.
 *
 * 1. The end of an exchange lets the next one begin. Where every record was created, that does not depend on what the answer says
 *    about each, so the next request goes out first: Graph works on it while these are written down.
 */

import type { CreateRequest, GraphReply } from "../../graph-port.ts";
import { momentOf } from "../../moment.ts";
import { classify, healthOf, type Verdict } from "../../policy/classify.ts";
import { countAsOf, type Taken } from "../../policy/pacing.ts";
import type { TracedRequest } from "../../trace-port.ts";
import { countedUuids } from "../claim.ts";
import type { Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { carriesId } from "./doubt.ts";
import { isAlone } from "./lanes.ts";
import type { TenantNow } from "./life-events.ts";
import { blockedForMs, type TenantQueue } from "./tenant-queue.ts";
import type { Tenants } from "./tenants.ts";

export interface Exchange {
  readonly queue: TenantQueue;
  readonly works: readonly Work[];
  readonly startedMs: number;
  /** Of the queue's pacing. */
  readonly taken: Taken;
}

export interface Exchanges {
  post(exchange: Exchange): Promise<readonly GraphReply[]>;
  takeIn(exchange: Exchange, replies: readonly GraphReply[]): void;
}

interface Judged {
  readonly work: Work;
  readonly reply: GraphReply;
  readonly verdict: Verdict;
}

export function createExchanges(
  { ports, settings, gate, raise }: Pick<Core, "ports" | "settings" | "gate" | "raise">,
  tenants: Pick<Tenants, "takeIn" | "createsOfAll">,
): Exchanges {
  const { graph, clock, random, observe, traces } = ports;
  const nextRequestId = countedUuids(random);

  return {
    post({ queue, works }) {
      const posted = { kind: "posted", at: momentOf(clock) } as const;
      for (const work of works) raise(work, posted);
      const requests = works.map((work) => toRequest(work));
      const answered = traces?.asked(tracedOf(queue.tenantId, works, requests));
      const replies = graph.create(queue.tenantId, requests);
      return answered === undefined ? replies : told(replies, answered);
    },
    takeIn(exchange, replies) {
      const { queue, works, taken } = exchange;
      countAsOf(taken, clock.nowMs());
      report(exchange, replies);
      const judged = works.map((work, i) => judge(work, ownReply(replies[i], works.length)));
      const verdicts = judged.map(({ verdict }) => verdict);
      tenants.takeIn(queue, verdicts, taken);
      const end = () => gate.end(queue.tenantId, healthOfAll(judged), detailOf(verdicts));
      const areAllCreated = verdicts.every(({ kind }) => kind === "created");
      if (areAllCreated) end(); // 1
      for (const { work, verdict, reply } of judged) {
        const tenant = verdict.kind === "created" ? null : tenantNow(queue, work);
        raise(work, { kind: "answered", verdict, reply, atMs: clock.nowMs(), tenant });
      }
      if (!areAllCreated) end();
    },
  };

  function toRequest({ enrollment, idempotencyKey, stage }: Work): CreateRequest {
    const id = carriesId(stage, settings) ? idempotencyKey : null;
    return { details: enrollment.details, id, idempotencyKey, clientRequestId: nextRequestId() };
  }

  function report({ queue, works, startedMs }: Exchange, replies: readonly GraphReply[]): void {
    observe({
      kind: "graph-request",
      operation: works.length === 1 ? "create" : "batch",
      tenantId: queue.tenantId,
      items: works.length,
      durationMs: clock.nowMs() - startedMs,
      results: replies.map((reply) => (reply.kind === "answer" ? reply.status : reply.reason)),
    });
  }

  function judge(work: Work, reply: GraphReply): Judged {
    return { work, reply, verdict: classify(reply, clock.wallMs()) };
  }

  function tenantNow(queue: TenantQueue, work: Work): TenantNow {
    return {
      creates: queue.creates,
      allCreates: tenants.createsOfAll(),
      failingForMs: queue.failing?.forMs ?? 0,
      blockedForMs: blockedForMs(queue, clock.nowMs()),
      isAlone: isAlone(work),
    };
  }
}

function tracedOf(
  tenantId: string,
  works: readonly Work[],
  requests: readonly CreateRequest[],
): TracedRequest {
  const items = works.map(({ record, stage }, i) => {
    return { record, attempt: stage.attempts, clientRequestId: requests[i]!.clientRequestId };
  });
  return { operation: "create", tenantId, items };
}

async function told(
  replies: Promise<readonly GraphReply[]>,
  answered: (replies: readonly GraphReply[]) => void,
): Promise<readonly GraphReply[]> {
  const all = await replies;
  answered(all);
  return all;
}

function healthOfAll(judged: readonly Judged[]): ReturnType<typeof healthOf> {
  const healths = judged.map(({ verdict, reply }) => healthOf(verdict, reply));
  if (healths.includes("well")) return "well";
  return healths.includes("ill") ? "ill" : "neither";
}

const missingReply: GraphReply = {
  kind: "silence",
  sent: true,
  reason: "malformed",
  detail: "no answer for this item",
};

/** What goes alone is in no batch: whatever is said about it is said about the record. */
function ownReply(reply: GraphReply | undefined, items: number): GraphReply {
  if (reply === undefined) return missingReply;
  return reply.kind === "answer" && items === 1 ? { ...reply, ofBatch: false } : reply;
}

function detailOf(verdicts: readonly Verdict[]): string {
  for (const verdict of verdicts) if ("detail" in verdict) return verdict.detail;
  return "";
}
