/**
 * Reads the one object of a record by its id, which neither lags nor grows: after a 409, and where it tells what became of a
 * create in doubt.
 *
 * 1. doubt.ts says what a miss proves: if it is wrong, the next create is answered 409.
 * 2. A read that says nothing is not repeated here.
 * 3. These reads pass the same gate as creates, and are counted like them.
 */
import type { GraphReply, ListReply } from "../../graph-port.ts";
import { classify, healthOf, isMissingRoute } from "../../policy/classify.ts";
import type { TracedItem } from "../../trace-port.ts";
import type { Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { isToldById } from "./doubt.ts";
import type { LifeEvent } from "./life-events.ts";

export interface ReadById {
  /** False: a read by its id does not tell. */
  take(work: Work, notBeforeMs?: number): boolean;
  request(work: Work): void;
  waiting(): number;
}

const inFlightMax = 16;

export function createReadById({
  ports,
  gate,
  shown,
  raise,
}: Pick<Core, "ports" | "gate" | "shown" | "raise">): ReadById {
  const { graph, clock, observe, traces } = ports;
  let queue: Work[] = [];
  let inFlight = 0;

  gate.onOpening(start);
  return {
    take(work, notBeforeMs = 0) {
      if (!isToldById(work.stage, shown.of(work.enrollment.tenantId).known)) return false;
      const waitMs = notBeforeMs - clock.nowMs();
      if (waitMs > 0) clock.after(waitMs, () => request(work));
      else request(work);
      return true;
    },
    request,
    waiting: () => queue.length + inFlight,
  };

  function request(work: Work): void {
    queue.push(work);
    start();
  }

  function start(): void {
    const nowMs = clock.nowMs();
    const held: Work[] = [];
    let passed = 0;
    for (; passed < queue.length && inFlight < inFlightMax; passed++) {
      const work = queue[passed]!;
      if (!isAsked(work)) continue;
      if (gate.opensAtMs(work.enrollment.tenantId) > nowMs) held.push(work);
      else void read(work);
    }
    if (passed > 0) queue = [...held, ...queue.slice(passed)];
  }

  async function read(work: Work): Promise<void> {
    const { tenantId } = work.enrollment;
    const startedMs = clock.nowMs();
    inFlight++;
    gate.begin(tenantId);
    const answered = traces?.asked({ operation: "get", tenantId, items: [readItem(work)] });
    const reply = await graph.get(tenantId, work.idempotencyKey);
    answered?.([reply]);
    inFlight--;
    const atMs = clock.nowMs();
    const results = [reply.kind === "answer" ? reply.status : reply.reason];
    const durationMs = atMs - startedMs;
    observe({ kind: "graph-request", operation: "get", tenantId, items: 1, durationMs, results });
    raise(work, eventOf(work, reply, { startedMs, atMs }));
    const { health, detail } = healthOfRead(reply, clock.wallMs());
    gate.endRead(tenantId, health, detail);
  }
}

/** For traces. */
export function readItem({ record }: Work): TracedItem {
  return { record, attempt: 0, clientRequestId: null };
}

/** It still waits for what a read by id says. */
function isAsked({ stage }: Work): boolean {
  return stage.at === "reading-back" || stage.at === "conflict";
}

function eventOf(
  { idempotencyKey }: Work,
  reply: GraphReply,
  { startedMs, atMs }: { startedMs: number; atMs: number },
): LifeEvent {
  if (reply.kind !== "answer") return { kind: "unread", atMs };
  const { object } = reply;
  // Under this id it is ours, whatever Graph made of its properties.
  if (object?.id.toLowerCase() === idempotencyKey) return { kind: "found", object, reply };
  if (object !== null) return { kind: "unlike", atMs };
  const isMiss = reply.status === 404 && !isMissingRoute(reply);
  return isMiss ? { kind: "missed", by: "id", startedMs, atMs } : { kind: "unread", atMs }; // 2
}

/** What a read says about Graph itself. */
export function healthOfRead(reply: ListReply, wallMs: number) {
  if (reply.kind === "listed") return { health: "well", detail: "" } as const;
  const verdict = classify(reply, wallMs);
  return { health: healthOf(verdict, reply), detail: "detail" in verdict ? verdict.detail : "" };
}
