/** Graph for one simulated process: the network to the server, with every way to lose a request or its answer. */
import type { CreateRequest, Graph, GraphReply, GraphSilence, ListReply } from "../ports.ts";
import type { Dice } from "./dice.ts";
import type { GraphCall, GraphServer } from "./graph-server.ts";
import type { History } from "./history.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimGraphWorld {
  readonly server: GraphServer;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly history: History;
  readonly requestTimeoutMs: number;
  /** How long after the request time-out a request may still take effect. */
  readonly lateMaxMs: number;
  nextCall(): number;
}

const silence = (reason: GraphSilence["reason"], sent: boolean): GraphSilence => ({
  kind: "silence",
  sent,
  reason,
  detail: `simulated: ${reason}`,
});

export function createSimGraph(world: SimGraphWorld, process: SimProcess): Graph {
  const { server, scheduler, dice, history } = world;

  /** Troubles that end a request before it reaches the server. True: this one did. */
  const endsEarly = (tenantId: string, answerAll: (reply: GraphSilence) => void): boolean => {
    const trouble = server.settings.trouble(tenantId);
    const weather = server.settings.weather();
    const soon = (reply: GraphSilence): true => {
      scheduler.after(dice.int(1, 200), () => answerAll(reply));
      return true;
    };
    if (trouble === "credential") return soon(silence("credential", false));
    if (trouble === "connect" || dice.chance(weather.refuseConnection))
      return soon(silence("connect", false));
    if (trouble === "silent" || dice.chance(weather.silent)) return true;
    if (dice.chance(weather.resetBefore)) return soon(silence("reset", true));
    return false;
  };

  const post = (
    tenantId: string,
    items: readonly CreateRequest[],
    call: GraphCall,
    answer: (replies: readonly GraphReply[]) => void,
  ): void => {
    const answerAll = (reply: GraphReply): void => answer(items.map(() => reply));
    if (endsEarly(tenantId, answerAll)) return;
    const weather = server.settings.weather();
    const carryOut = (): GraphReply[] =>
      items.map((item, index) => server.create(tenantId, item, call, index));
    const later = dice.int(0, world.requestTimeoutMs + world.lateMaxMs);
    if (dice.chance(weather.silentThenEffect)) return void scheduler.after(later, carryOut);
    if (dice.chance(weather.resetThenEffect)) {
      scheduler.after(later, carryOut);
      scheduler.after(dice.int(1, 200), () => answerAll(silence("reset", true)));
      return;
    }
    scheduler.after(dice.int(1, weather.latencyMaxMs), () => {
      // What a process had just sent when it died may never have left its machine.
      if (process.isDead() && dice.chance(0.3)) return;
      const replies = carryOut();
      if (dice.chance(weather.resetAfter)) return answerAll(silence("reset", true));
      if (dice.chance(weather.malformed))
        replies[dice.int(0, replies.length - 1)] = silence("malformed", true);
      const isSlow = dice.chance(weather.slow);
      const backMs = isSlow ? dice.int(500, world.requestTimeoutMs * 1.3) : dice.int(1, weather.latencyMaxMs);
      scheduler.after(backMs, () => answer(replies));
    });
  };

  return {
    async create(tenantId, items) {
      const call: GraphCall = { by: process.name, number: world.nextCall(), calledAtMs: scheduler.nowMs() };
      if (!process.isDead()) history.add({ kind: "post", by: call.by, call: call.number, tenantId, items });
      const replies = await process.request<readonly GraphReply[]>(
        "create",
        world.requestTimeoutMs,
        () => items.map(() => silence("timeout", true)),
        (answer) => post(tenantId, items, call, answer),
      );
      replies.forEach((reply, item) => {
        const result = reply.kind === "answer" ? reply.status : reply.reason;
        const retryAfterMs = reply.kind === "answer" && result === 429 ? waitMs(reply.retryAfter) : null;
        const of = { by: call.by, call: call.number, item, tenantId };
        history.add({ kind: "answered", ...of, result, retryAfterMs });
      });
      return replies;
    },
    list: (tenantId) =>
      look<ListReply>("list", tenantId, () => {
        const listed = server.list(tenantId);
        return "kind" in listed ? listed : { kind: "listed", objects: listed, incomplete: null };
      }),
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
      "other",
      world.requestTimeoutMs,
      () => silence("timeout", true),
      (answer) => {
        if (endsEarly(tenantId, answer)) return;
        scheduler.after(dice.int(1, server.settings.weather().latencyMaxMs), () => {
          const reply = read();
          history.add({ kind: "note", by: process.name, text: `${what}, ${tenantId}: ${describe(reply)}` });
          scheduler.after(dice.int(1, server.settings.weather().latencyMaxMs), () => answer(reply));
        });
      },
    );
  }

  function waitMs(retryAfter: string | null): number | null {
    if (retryAfter === null) return null;
    const seconds = Number(retryAfter);
    return Number.isNaN(seconds) ? Date.parse(retryAfter) - process.clock.wallMs() : seconds * 1000;
  }
}

function describe(reply: ListReply): string {
  if (reply.kind === "listed") return `${reply.objects.length} objects`;
  return reply.kind === "answer" ? `${reply.status}` : reply.reason;
}
