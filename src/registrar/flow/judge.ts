/**
 * What becomes of a record after a create of it was answered, or was not.
 *
 * 1. A create that may have been carried out is read back before the next one: the record is in doubt. Where Graph has
 *    shown that it takes our ids, an outage is not read back: the next create with the same id tells, by 201 or 409.
 *    The record stays in doubt until then, for the next owner.
 * 2. A fault of the whole service stops the worker and dead-letters nothing.
 * 3. Attempts are spent only while others succeed, and never by an outage (see `spends`). A blocked tenant's records are
 *    dead-lettered only when they have waited for tenantBlockedMaxMs.
 * 4. Nothing in doubt is dead-lettered as refused: it is read back first, and posted once more.
 */
import { backoffMs } from "../../policy/backoff.ts";
import { mayStillRun, type Unknown, type Verdict } from "../../policy/classify.ts";
import type { Clock, Graph, GraphObject, GraphReply, Observer, Random } from "../../ports.ts";
import { type Fault, idsRefused, routeMissing, secretRefused } from "../fault.ts";
import { carriesId, isOwned, type Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { ShownForm } from "./adoption.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Outcomes } from "./outcomes.ts";

export interface Judge {
  onVerdict(work: Work, verdict: Verdict, reply: GraphReply): void;
  /** Read back: the object is there. */
  onFound(work: Work, object: GraphObject): void;
  /** Read back: it surely is not there. */
  onAbsent(work: Work): void;
  /** Its tenant's lists fail, for so long now, so it can't be read back. True: it was dead-lettered. */
  onUnreadable(work: Work, detail: string, failingMs: number): boolean;
  /** Has Graph made an object under an id that we sent? Then it answers the same id with 409. */
  takesIds(): boolean;
  /** May the next create of this record tell what became of the last one? */
  isToldByCreate(work: Work): boolean;
}

type Failure = Verdict & { readonly detail: string };

const retryBackoff = { baseMs: 250, capMs: 30_000 };
/** For refusals that name no reason: what passes by itself gets some time to. */
const vagueBackoff = { baseMs: 5_000, capMs: 60_000 };
const vagueTries = 3;
/** A record that fails alone is not told apart from an outage of its tenant before this. */
const loneFailureMs = 300_000;

export function createJudge(
  ports: { graph: Graph; clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  outcomes: Outcomes,
  dispatcher: Pick<
    Dispatcher,
    "requeue" | "block" | "blockedForMs" | "createsOf" | "createsOfAll" | "failingForMs"
  >,
  shown: Pick<ShownForm, "learn">,
  advance: (work: Work) => void,
  onFault: (fault: Fault) => void,
): Judge {
  const { graph, clock, random, observe } = ports;
  /** What Graph has shown so far: that the operation exists, and that it takes our ids. */
  const proven = { route: false, ids: false, honoursIds: false };
  const takesIds = () => proven.honoursIds;
  return { onVerdict, onFound, onAbsent, onUnreadable, takesIds, isToldByCreate };

  function onVerdict(work: Work, verdict: Verdict, reply: GraphReply): void {
    // What an earlier create may have done is not settled by the failure of this one.
    work.slot.tainted = work.doubt !== null;
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
      case "batch-refused":
        work.alone = true;
        report(work, verdict, reply, 0);
        return again(work);
      case "throttled":
        report(work, verdict, reply, 0);
        return again(work); // Its tenant's line is closed for as long as it has to be.
    }
  }

  function isToldByCreate({ doubt }: Work): boolean {
    return doubt?.byCreate === true && proven.honoursIds;
  }

  /** To the front of its line, unless it has to be read back by now. */
  function again(work: Work): void {
    if (work.doubt === null || isToldByCreate(work)) dispatcher.requeue(work);
    else advance(work);
  }

  function onCreated(work: Work, object: GraphObject, reply: GraphReply): void {
    const refusesIds = work.withoutId && !proven.ids;
    proven.route = true;
    if (carriesId(work, settings)) {
      proven.ids = true;
      proven.honoursIds = object.id.toLowerCase() === work.idempotencyKey;
    }
    shown.learn(work.enrollment.details, object);
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
    // Under this id it is ours, whatever Graph made of its properties.
    if (object !== null && object.id.toLowerCase() === work.idempotencyKey) {
      proven.route = proven.ids = true;
      shown.learn(work.enrollment.details, object);
      return outcomes.register(work, object, "recovered", got);
    }
    // An answer that says nothing about the object (an outage, say) is no second opinion.
    const isTold = got.kind === "answer" && (got.status === 404 || object !== null);
    if (!isTold || !work.conflicted) {
      work.conflicted ||= isTold;
      return doubtIt(work, verdict, reply, 0);
    }
    const message = `Graph says that it exists, but shows no object of this identity: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: "graph-409", message, pointers: [] }, work.attempts, reply);
  }

  function onRefused(work: Work, verdict: Failure & { kind: "refused" }, reply: GraphReply): void {
    if (work.doubt !== null) return doubtIt(work, verdict, reply, 0); // 4
    if (settings.sendId && !proven.ids && !work.withoutId) {
      // The record, or the id in it? Nothing was created, so once more without id is an ordinary retry, and it tells.
      work.withoutId = true;
      report(work, verdict, reply, 0);
      return dispatcher.requeue(work);
    }
    const message = `Graph refused it: ${verdict.detail}`;
    outcomes.deadLetter(work, { code: verdict.code, message, pointers: [] }, work.attempts, reply);
  }

  function onUnknown(work: Work, verdict: Unknown, reply: GraphReply): void {
    if (verdict.cause === "outage") {
      const retryInMs = Math.max(verdict.afterMs ?? 0, backoffMs(work.attempts, random, retryBackoff));
      return doubtIt(work, verdict, reply, retryInMs, proven.honoursIds && carriesId(work, settings));
    }
    if (verdict.cause === "vague") work.vagueRefusals.push(verdict.detail);
    if (spends(work)) work.spent++; // 3
    work.tenantCreatesSeen = dispatcher.createsOf(work.enrollment.tenantId);
    work.createsSeen = dispatcher.createsOfAll();
    doubtIt(work, verdict, reply, verdict.afterMs ?? 0);
  }

  /**
   * Others of its tenant were created since it was last posted: then it is the record. Only others of other tenants: it
   * may be its tenant's trouble, so that counts only if no other record of the tenant fails, and only after a while; with
   * others failing, after as long as a blocked tenant is waited for.
   */
  function spends(work: Work): boolean {
    const { tenantId } = work.enrollment;
    if (dispatcher.createsOf(tenantId) > work.tenantCreatesSeen) return true;
    if (dispatcher.createsOfAll() === work.createsSeen) return false;
    const peers = work.partition.tenants.get(tenantId) ?? new Set();
    const isAlone = [...peers].every((peer) => peer === work || peer.attempts === 0);
    const failingMs = dispatcher.failingForMs(tenantId);
    return failingMs >= (isAlone ? loneFailureMs : settings.tenantBlockedMaxMs);
  }

  /** `byCreate`: after that time the next create may go without a read before it. */
  function doubtIt(work: Work, verdict: Failure, reply: GraphReply, afterMs: number, byCreate = false): void {
    const nowMs = clock.nowMs();
    const postedAtMs = work.postedAt?.monotonicMs ?? nowMs;
    const absentAfterMs = mayStillRun(reply) ? postedAtMs + settings.settleMs : nowMs;
    work.slot.tainted = true;
    const misses = 0;
    const nextReadAtMs = nowMs + afterMs;
    const isHonoured = carriesId(work, settings);
    work.doubt = { inherited: false, isHonoured, absentAfterMs, misses, nextReadAtMs, byCreate }; // 1
    work.partition.doubts.set(work.idempotencyKey, work.doubt);
    report(work, verdict, reply, afterMs);
    clock.after(afterMs, () => advance(work));
  }

  function onFound(work: Work, object: GraphObject): void {
    work.doubt = null;
    outcomes.register(work, object, "recovered", null);
  }

  function onAbsent(work: Work): void {
    work.doubt = null;
    work.partition.doubts.delete(work.idempotencyKey);
    work.slot.tainted = false;
    const detail = work.vagueRefusals.at(-1);
    if (work.vagueRefusals.length >= vagueTries) {
      const message = `Graph refused it ${vagueTries} times without a reason: ${detail}`;
      return outcomes.deadLetter(work, { code: "graph-400", message, pointers: [] }, work.attempts, null);
    }
    // It may be the id that Graph refuses: without one, the next create tells.
    if (detail !== undefined && settings.sendId && !proven.ids) work.withoutId = true;
    // Without a pause, a server that fails everything would be asked again at once.
    const backoff = detail === undefined ? retryBackoff : vagueBackoff;
    clock.after(backoffMs(work.attempts, random, backoff), () => advance(work));
  }

  function onUnreadable(work: Work, detail: string, failingMs: number): boolean {
    const waitedMs = Math.max(failingMs, dispatcher.blockedForMs(work.enrollment.tenantId));
    if (waitedMs <= settings.tenantBlockedMaxMs) return false;
    deadLetterBlocked(work, waitedMs, detail, null); // 3
    return true;
  }

  function onNoRoute(work: Work, verdict: Failure, reply: GraphReply): void {
    if (!proven.route) {
      report(work, verdict, reply, 0);
      return onFault(routeMissing(verdict.detail)); // 2
    }
    // It answered others, so it is this tenant that lacks the service.
    dispatcher.block(work.enrollment.tenantId, "creates", verdict.detail);
    onBlocked(work, verdict, reply);
  }

  function onBlocked(work: Work, verdict: Failure, reply: GraphReply): void {
    // How long the tenant was blocked, not how old the record is: a backlog may be old already when it is first tried.
    const waitedMs = dispatcher.blockedForMs(work.enrollment.tenantId);
    if (waitedMs > settings.tenantBlockedMaxMs)
      return deadLetterBlocked(work, waitedMs, verdict.detail, reply); // 3
    report(work, verdict, reply, 0);
    again(work);
  }

  function deadLetterBlocked(work: Work, waitedMs: number, detail: string, reply: GraphReply | null): void {
    const blocked = `Its tenant stayed blocked for ${Math.round(waitedMs / 3_600_000)} h: ${detail}`;
    const message =
      work.doubt === null
        ? blocked
        : `An object of it may exist in Graph: what became of a create could not be looked up. ${blocked}`;
    outcomes.deadLetter(work, { code: "tenant-blocked", message, pointers: [] }, work.attempts, reply);
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
