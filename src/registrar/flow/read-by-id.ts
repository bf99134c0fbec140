/**
 * Where Graph has shown that it takes our ids: reads the one object of a create in doubt by its id, which neither lags
 * nor grows.
 *
 * 1. One miss is enough, read after every request that could still create the object has ended: should it be wrong, the
 *    next create is answered 409. That holds only for a create that certainly carried our id.
 * 2. A read that says nothing is not repeated: the record goes to the lists.
 */
import { classify, healthOf, isMissingRoute } from "../../policy/classify.ts";
import type { Clock, Graph, GraphReply, ListReply, Observer } from "../../ports.ts";
import { isLive, type Work } from "../ownership/partition.ts";
import type { Gate } from "./gate.ts";
import type { Judge } from "./judge.ts";

export interface ReadById {
  /** False: it can't be read by its id. */
  take(work: Work): boolean;
  waiting(): number;
}

const inFlightMax = 16;

export function createReadById(
  ports: { graph: Graph; clock: Clock; observe: Observer },
  gate: Gate,
  judge: Pick<Judge, "onFound" | "onAbsent" | "takesIds">,
  /** Nothing was learned; it is to be looked up in a list. */
  onUntold: (work: Work) => void,
): ReadById {
  const { graph, clock, observe } = ports;
  let queue: Work[] = [];
  let inFlight = 0;
  /** A read by id of these said nothing. */
  const untold = new WeakSet<Work>();

  gate.onOpening(start);
  return {
    take(work) {
      if (!isKnownById(work)) return false;
      queue.push(work);
      start();
      return true;
    },
    waiting: () => queue.length + inFlight,
  };

  function isKnownById(work: Work): boolean {
    const { doubt } = work;
    if (doubt === null || !doubt.isHonoured || untold.has(work)) return false; // 1
    return doubt.inherited || judge.takesIds();
  }

  function start(): void {
    const nowMs = clock.nowMs();
    const held: Work[] = [];
    let passed = 0;
    for (; passed < queue.length && inFlight < inFlightMax; passed++) {
      const work = queue[passed]!;
      if (work.doubt === null || !isLive(work)) continue;
      if (gate.opensAtMs(work.enrollment.tenantId) > nowMs) held.push(work);
      else void read(work, work.doubt.absentAfterMs);
    }
    if (passed > 0) queue = [...held, ...queue.slice(passed)];
  }

  async function read(work: Work, absentAfterMs: number): Promise<void> {
    const { tenantId } = work.enrollment;
    const startedMs = clock.nowMs();
    inFlight++;
    gate.begin(tenantId);
    const reply = await graph.get(tenantId, work.idempotencyKey);
    inFlight--;
    const durationMs = clock.nowMs() - startedMs;
    const results = [reply.kind === "answer" ? reply.status : reply.reason];
    observe({ kind: "graph-request", operation: "get", tenantId, items: 1, durationMs, results });
    if (isLive(work)) conclude(work, absentAfterMs, startedMs, reply);
    const { health, detail } = healthOfRead(reply, clock.wallMs());
    gate.endRead(tenantId, health, detail);
  }

  function conclude(work: Work, absentAfterMs: number, startedMs: number, reply: GraphReply): void {
    const object = reply.kind === "answer" ? reply.object : null;
    // Under this id it is ours, whatever Graph made of its properties.
    if (object?.id.toLowerCase() === work.idempotencyKey) return judge.onFound(work, object);
    if (reply.kind !== "answer" || reply.status !== 404 || isMissingRoute(reply)) {
      untold.add(work); // 2
      return onUntold(work);
    }
    if (startedMs >= absentAfterMs) return judge.onAbsent(work); // 1
    clock.after(absentAfterMs - clock.nowMs(), () => {
      queue.push(work);
      start();
    });
  }
}

/** What a read says about Graph itself. */
export function healthOfRead(reply: ListReply, wallMs: number) {
  if (reply.kind === "listed") return { health: "well", detail: "" } as const;
  const verdict = classify(reply, wallMs);
  return { health: healthOf(verdict, reply), detail: "detail" in verdict ? verdict.detail : "" };
}
