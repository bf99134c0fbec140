/** Graph for one simulated process: the network to the server, with every way to lose a request or its answer. */
import type { CreateRequest, Graph, GraphReply, GraphSilence, ListReply } from "../../src/graph-port.ts";
import type { SimContext } from "./context.ts";
import type { FaultClass } from "./fault-classes.ts";
import { graphAnswer } from "./graph-answer.ts";
import type { GraphCall, GraphServer } from "./graph-server.ts";
import type { Path } from "./path.ts";
import type { SimProcess } from "./process.ts";

export interface SimGraphWorld extends SimContext {
  readonly server: GraphServer;
  readonly requestTimeoutMs: number;
  /** How long after the request time-out a request may still take effect. */
  readonly lateMaxMs: number;
  /** It takes no batch at all. */
  readonly refusesBatches: boolean;
  nextCall(): number;
}

/** A create call with what it asks for. */
interface Post extends GraphCall {
  readonly tenantId: string;
  readonly items: readonly CreateRequest[];
}

const silence = (reason: GraphSilence["reason"], sent: boolean): GraphSilence => ({
  kind: "silence",
  sent,
  reason,
  detail: `simulated: ${reason}`,
});

/** The longest time for which a request is on its way that a resumed process sent and gave up immediately. */
const givenUpMaxMs = 2_000;

export function createSimGraph(world: SimGraphWorld, process: SimProcess, path: Path): Graph {
  const { server, scheduler, rng, history } = world;
  const strike = (fault: FaultClass): void => history.strike(fault, process.name);
  const struck = (fault: FaultClass, probability: number): boolean => {
    if (!rng.chance(probability)) return false;
    strike(fault);
    return true;
  };

  /** Troubles that end a request before it reaches the server. True: this one did. */
  const endsEarly = (tenantId: string, answerAll: (reply: GraphSilence) => void): boolean => {
    const trouble = server.settings.trouble(tenantId);
    const faultRates = server.settings.faultRates();
    const soon = (reply: GraphSilence): true => {
      scheduler.after(rng.int(1, 200), () => answerAll(reply));
      return true;
    };
    if (trouble === "credential") return soon(silence("credential", false));
    if (trouble === "connect" || struck("connection refused", faultRates.refuseConnection))
      return soon(silence("connect", false));
    if (trouble === "silent" || struck("request lost", faultRates.silent)) return true;
    if (rng.chance(faultRates.resetBefore)) return soon(silence("reset", true));
    return false;
  };

  /** Within the request time-out and a little more, as counted from the call: then the connection is reset. */
  const laterMs = (calledAtMs: number): number => {
    const leftMs = calledAtMs + world.requestTimeoutMs + world.lateMaxMs - scheduler.nowMs();
    return rng.int(0, Math.max(givenUpMaxMs, Math.floor(leftMs)));
  };

  const post = (
    { tenantId, items, ...call }: Post,
    answer: (replies: readonly GraphReply[]) => void,
    isWanted: () => boolean,
  ): void => {
    const answerAll = (reply: GraphReply): void => answer(items.map(() => reply));
    if (endsEarly(tenantId, answerAll)) return;
    const faultRates = server.settings.faultRates();
    const carryOut = (): GraphReply[] => {
      if (items.length > 1 && (world.refusesBatches || rng.chance(faultRates.batchRefused))) {
        strike("batch refused as a whole");
        return items.map(() => ofBatch(rng.chance(0.7) || world.refusesBatches ? 400 : 503));
      }
      return items.map((item, index) => server.create(tenantId, item, { ...call, item: index }));
    };
    if (struck("no answer, effect later", faultRates.silentThenEffect))
      return path.there(laterMs(call.calledAtMs), carryOut, isWanted);
    if (struck("reset, effect later", faultRates.resetThenEffect)) {
      path.there(laterMs(call.calledAtMs), carryOut, isWanted);
      scheduler.after(rng.int(1, 200), () => answerAll(silence("reset", true)));
      return;
    }
    const arrive = (): void => {
      const replies = carryOut();
      if (struck("reset after the effect", faultRates.resetAfter)) return answerAll(silence("reset", true));
      if (struck("malformed answer", faultRates.malformed))
        replies[rng.int(0, replies.length - 1)] = silence("malformed", true);
      const isSlow = rng.chance(faultRates.slow);
      const backMs = isSlow
        ? rng.int(500, world.requestTimeoutMs * 1.3)
        : rng.int(1, faultRates.latencyMaxMs);
      path.back(backMs, () => answer(replies));
    };
    path.there(rng.int(1, faultRates.latencyMaxMs), arrive, isWanted);
  };

  return {
    async create(tenantId, items) {
      const call: GraphCall = { by: process.name, number: world.nextCall(), calledAtMs: scheduler.nowMs() };
      if (!process.isDead()) history.add({ kind: "post", by: call.by, call: call.number, tenantId, items });
      const replies = await process.request<readonly GraphReply[]>(
        {
          kind: "create",
          timeoutMs: world.requestTimeoutMs,
          onTimeout: () => items.map(() => silence("timeout", true)),
        },
        (answer, isWanted) => post({ ...call, tenantId, items }, answer, isWanted),
      );
      replies.forEach((reply, item) => {
        const result = reply.kind === "answer" ? reply.status : reply.reason;
        const retryAfterMs =
          reply.kind === "answer" && result === 429 ? waitMs(reply.retryAfter, reply.date) : null;
        const of = { by: call.by, call: call.number, item, tenantId };
        history.add({ kind: "answered", ...of, result, retryAfterMs });
      });
      return replies;
    },
    list: (tenantId) => look<ListReply>("list", tenantId, () => server.list(tenantId)),
    get: (tenantId, id) => look<GraphReply>(`get of ${id}`, tenantId, () => server.get(tenantId, id)),
    // The registrar itself never removes anything.
    remove: () => Promise.resolve(silence("connect", false)),
  };

  function look<T extends GraphReply | ListReply>(
    what: string,
    tenantId: string,
    read: () => T,
  ): Promise<T | GraphSilence> {
    return process.request<T | GraphSilence>(
      {
        kind: "other",
        timeoutMs: world.requestTimeoutMs,
        onTimeout: () => silence("timeout", true),
      },
      (answer, isWanted) => {
        if (endsEarly(tenantId, answer)) return;
        const arrive = (): void => {
          const reply = read();
          history.add({ kind: "note", by: process.name, text: `${what}, ${tenantId}: ${describe(reply)}` });
          path.back(rng.int(1, server.settings.faultRates().latencyMaxMs), () => answer(reply));
        };
        path.there(rng.int(1, server.settings.faultRates().latencyMaxMs), arrive, isWanted);
      },
    );
  }

  /** A date counts from the answer's own. */
  function waitMs(retryAfter: string | null, date: string | null): number | null {
    if (retryAfter === null) return null;
    const seconds = Number(retryAfter);
    return Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.parse(date!) : seconds * 1000;
  }
}

function ofBatch(status: number): GraphReply {
  return graphAnswer(status, {
    errorCode: status === 400 ? "BadRequest" : "ServiceUnavailable",
    errorMessage: "The batch was refused.",
    ofBatch: true,
  });
}

function describe(reply: ListReply): string {
  if (reply.kind === "listed") return `${reply.objects.length} objects`;
  return reply.kind === "answer" ? `${reply.status}` : reply.reason;
}
