/**
 * What becomes of a record after a create of it was answered, or was not.
 *
 * 1. A create that may have been carried out is read back before the next one: the record is in doubt.
 * 2. A fault of the whole service stops the worker and dead-letters nothing.
 * 3. Attempts are spent only while others of the tenant succeed; a blocked tenant's records are dead-lettered only
 *    when they have waited for tenantBlockedMaxMs.
 */
import { identify } from "../domain/identity.ts";
import { backoffMs } from "../policy/backoff.ts";
import type { Verdict } from "../policy/classify.ts";
import type { Clock, Graph, GraphObject, GraphReply, Observer, Random } from "../ports.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { type Fault, idsRefused, routeMissing, secretRefused } from "./fault.ts";
import type { Outcomes } from "./outcomes.ts";
import { isOwned, type Work } from "./partition.ts";
import type { RegistrarSettings } from "./settings.ts";

export interface Judge {
  onVerdict(work: Work, verdict: Verdict, reply: GraphReply): void;
  /** Read back: the object is there. */
  onFound(work: Work, object: GraphObject): void;
  /** Read back: it surely is not there. */
  onAbsent(work: Work): void;
  /** Has Graph made an object under an id that we sent? Then it answers the same id with 409. */
  takesIds(): boolean;
}

type Failure = Verdict & { readonly detail: string };

const retryBackoff = { baseMs: 250, capMs: 30_000 };

export function createJudge(
  ports: { graph: Graph; clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  outcomes: Outcomes,
  dispatcher: Pick<Dispatcher, "requeue" | "block" | "blockedForMs" | "createsOf">,
  advance: (work: Work) => void,
  onFault: (fault: Fault) => void,
): Judge {
  const { graph, clock, random, observe } = ports;
  /** What Graph has shown so far: that the operation exists, and that it takes our ids. */
  const proven = { route: false, ids: false, honoursIds: false };
  return { onVerdict, onFound, onAbsent, takesIds: () => proven.honoursIds };

  function onVerdict(work: Work, verdict: Verdict, reply: GraphReply): void {
    work.slot.tainted = false;
    work.busy = false;
    switch (verdict.kind) {
      case "created":
        return onCreated(work, verdict.object, reply);
      case "conflict":
        void onConflict(work, verdict, reply);
        return;
      case "refused":
        return onRefused(work, verdict, reply);
      case "unknown":
        return onUnknown(work, verdict, reply);
      case "no-route":
        return onNoRoute(work, verdict, reply);
      case "unavailable":
        return retryLater(work, verdict, reply);
      case "secret-refused":
        report(work, verdict, reply, 0);
        return onFault(secretRefused(verdict.detail)); // 2
      case "tenant-blocked":
        return onBlocked(work, verdict, reply);
      case "throttled":
        report(work, verdict, reply, 0);
        return dispatcher.requeue(work); // Its tenant's line is closed for as long as it has to be.
    }
  }

  function onCreated(work: Work, object: GraphObject, reply: GraphReply): void {
    const refusesIds = settings.sendId && work.withoutId && !proven.ids;
    proven.route = true;
    if (settings.sendId && !work.withoutId) {
      proven.ids = true;
      proven.honoursIds = object.id.toLowerCase() === work.idempotencyKey;
    }
    outcomes.register(work, object, "created", reply);
    if (refusesIds) onFault(idsRefused); // 2
  }

  /** 409: read what is there under our id; a list would find it too, but may lag. */
  async function onConflict(work: Work, verdict: Failure, reply: GraphReply): Promise<void> {
    work.slot.tainted = true;
    work.busy = true;
    const { tenantId } = work.enrollment;
    const got = await graph.get(tenantId, work.idempotencyKey);
    work.busy = false;
    if (!isOwned(work.partition)) return;
    const object = got.kind === "answer" ? got.object : null;
    if (object !== null && identify(tenantId, object)?.idempotencyKey === work.idempotencyKey) {
      proven.route = proven.ids = true;
      return outcomes.register(work, object, "recovered", got);
    }
    // An answer that says nothing about the object (an outage, say) is no second opinion.
    const isTold = got.kind === "answer" && (got.status === 404 || object !== null);
    if (!isTold || !work.conflicted) {
      work.conflicted ||= isTold;
      return onUnknown(work, verdict, reply);
    }
    const message = `Graph says that it exists, but shows no object of this identity: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: "graph-409", message, pointers: [] }, work.attempts, reply);
  }

  function onRefused(work: Work, verdict: Failure & { kind: "refused" }, reply: GraphReply): void {
    if (settings.sendId && !proven.ids && !work.withoutId) {
      // The record, or the id in it? Nothing was created, so once more without id is an ordinary retry, and it tells.
      work.withoutId = true;
      report(work, verdict, reply, 0);
      return dispatcher.requeue(work);
    }
    const message = `Graph refused it: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: verdict.code, message, pointers: [] }, work.attempts, reply);
  }

  function onUnknown(work: Work, verdict: Failure, reply: GraphReply): void {
    const nowMs = clock.nowMs();
    const creates = dispatcher.createsOf(work.enrollment.tenantId);
    if (creates > work.tenantCreatesSeen) work.spent++; // 3
    work.tenantCreatesSeen = creates;
    work.slot.tainted = true;
    const absentAfterMs = mayStillRun(reply)
      ? (work.postedAt?.monotonicMs ?? nowMs) + settings.settleMs
      : nowMs;
    const isHonoured = settings.sendId && !work.withoutId;
    work.doubt = { inherited: false, isHonoured, absentAfterMs, misses: 0, nextReadAtMs: nowMs }; // 1
    work.partition.doubts.set(work.idempotencyKey, work.doubt);
    report(work, verdict, reply, 0);
    advance(work);
  }

  function onFound(work: Work, object: GraphObject): void {
    work.doubt = null;
    outcomes.register(work, object, "recovered", null);
  }

  function onAbsent(work: Work): void {
    work.doubt = null;
    work.partition.doubts.delete(work.idempotencyKey);
    work.slot.tainted = false;
    // Without a pause, a server that fails everything would be asked again at once.
    clock.after(backoffMs(work.attempts, random, retryBackoff), () => advance(work));
  }

  function onNoRoute(work: Work, verdict: Failure, reply: GraphReply): void {
    report(work, verdict, reply, 0);
    if (!proven.route) return onFault(routeMissing(verdict.detail)); // 2
    // It answered others, so it is this tenant that lacks the service.
    dispatcher.block(work.enrollment.tenantId, verdict.detail);
    onBlocked(work, verdict, reply);
  }

  function onBlocked(work: Work, verdict: Failure, reply: GraphReply): void {
    // How long the tenant was blocked, not how old the record is: a backlog may be old already when it is first tried.
    const waitedMs = dispatcher.blockedForMs(work.enrollment.tenantId);
    if (waitedMs <= settings.tenantBlockedMaxMs) {
      report(work, verdict, reply, 0);
      return dispatcher.requeue(work);
    }
    const message = `Its tenant stayed blocked for ${Math.round(waitedMs / 3_600_000)} h: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: "tenant-blocked", message, pointers: [] }, work.attempts, reply); // 3
  }

  function retryLater(work: Work, verdict: Failure, reply: GraphReply): void {
    const retryInMs = backoffMs(work.attempts, random, retryBackoff);
    report(work, verdict, reply, retryInMs);
    clock.after(retryInMs, () => advance(work));
  }

  function report(work: Work, { kind, detail }: Failure, reply: GraphReply, retryInMs: number): void {
    const { topic, partition, offset } = work.record;
    const requestId = reply.kind === "answer" ? reply.requestId : null;
    const { tenantId } = work.enrollment;
    const at = { topic, partition, offset };
    observe({ kind: "attempt-failed", at, tenantId, verdict: kind, detail, retryInMs, requestId });
  }
}

/** Can the server still carry the request out? Not after it answered for itself; a gateway answers for another. */
function mayStillRun(reply: GraphReply): boolean {
  return reply.kind === "silence" || reply.status === 408 || reply.status === 502 || reply.status === 504;
}
