/**
 * Graph as these tests tell it to be: by itself it keeps what it is asked to create; a script of replies goes before
 * that, tenant by tenant. It keeps a record of everything that it was asked.
 */
import type {
  CreateRequest,
  Graph,
  GraphAnswer,
  GraphObject,
  GraphReply,
  GraphSilence,
  ListReply,
} from "../../src/graph-port.ts";
import type { Clock } from "../../src/ports.ts";
import { sleep } from "../../src/sleep.ts";
import { graphAnswer } from "../simulation/graph-answer.ts";

/** One reply to one item: what is said, what is done, and how long it takes (default: `latencyMs`). */
export interface Step {
  readonly reply: GraphReply | "by itself";
  /** The object is created, whatever is said. */
  readonly creates?: boolean;
  readonly delayMs?: number;
}

export interface Asked {
  readonly operation: "create" | "list" | "get";
  readonly tenantId: string;
  readonly atMs: number;
  readonly items: readonly CreateRequest[];
}

export interface ScriptedGraph extends Graph {
  readonly asked: readonly Asked[];
  readonly objects: Map<string, GraphObject[]>;
  /** For the next items that are created of this tenant, in turn. */
  script(tenantId: string, ...steps: readonly Step[]): void;
  /** For every item of this tenant, or of this machine, once the script is through; null: by itself. */
  always(tenantOrMachine: string, step: Step | null): void;
  readonly listScript: (ListReply | "by itself")[];
  readonly getScript: (GraphReply | "by itself")[];
  ids: "honoured" | "ignored" | "refused";
  latencyMs: number;
}

export function createScriptedGraph(clock: Clock): ScriptedGraph {
  const asked: Asked[] = [];
  const scripts = new Map<string, Step[]>();
  const standing = new Map<string, Step>();
  let made = 0;

  const graph: ScriptedGraph = {
    asked,
    objects: new Map(),
    script: (tenantId, ...steps) => void scriptOf(tenantId).push(...steps),
    always(tenantOrMachine, step) {
      if (step === null) standing.delete(tenantOrMachine);
      else standing.set(tenantOrMachine, step);
    },
    listScript: [],
    getScript: [],
    ids: "ignored",
    latencyMs: 20,
    async create(tenantId, items) {
      note("create", tenantId, items);
      const steps = items.map(
        ({ details }) =>
          scriptOf(tenantId).shift() ?? standing.get(details.machineName) ?? standing.get(tenantId),
      );
      const delayMs = Math.max(...steps.map((step) => step?.delayMs ?? graph.latencyMs));
      // What a request does is done halfway; then its answer travels back.
      await sleep(clock, delayMs / 2);
      const replies = items.map((item, at) => carryOut(tenantId, item, steps[at]));
      await sleep(clock, delayMs / 2);
      return replies;
    },
    async list(tenantId) {
      note("list", tenantId, []);
      await sleep(clock, graph.latencyMs / 2);
      const scripted = graph.listScript.shift() ?? "by itself";
      const objects = [...(graph.objects.get(tenantId) ?? [])];
      await sleep(clock, graph.latencyMs / 2);
      return scripted === "by itself" ? { kind: "listed", objects, incomplete: null } : scripted;
    },
    async get(tenantId, id) {
      note("get", tenantId, []);
      await sleep(clock, graph.latencyMs);
      const scripted = graph.getScript.shift() ?? "by itself";
      if (scripted !== "by itself") return scripted;
      const object = graph.objects.get(tenantId)?.find((one) => one.id === id);
      return object === undefined ? answer(404) : { ...answer(200), object };
    },
    remove: () => Promise.reject(new Error("the registrar removes nothing")),
  };
  return graph;

  function note(operation: Asked["operation"], tenantId: string, items: readonly CreateRequest[]): void {
    asked.push({ operation, tenantId, atMs: clock.nowMs(), items });
  }

  function scriptOf(tenantId: string): Step[] {
    const found = scripts.get(tenantId) ?? [];
    scripts.set(tenantId, found);
    return found;
  }

  function carryOut(tenantId: string, item: CreateRequest, step: Step | undefined): GraphReply {
    const said = step?.reply ?? "by itself";
    if (said !== "by itself" && step?.creates !== true) return said;
    const done = create(tenantId, item);
    return said === "by itself" ? done : said;
  }

  function create(tenantId: string, { details, id }: CreateRequest): GraphAnswer {
    if (graph.ids === "refused" && id !== null)
      return answer(400, { message: "The property 'id' can't be set." });
    const kept = graph.objects.get(tenantId) ?? [];
    graph.objects.set(tenantId, kept);
    if (graph.ids === "honoured" && kept.some((one) => one.id === id)) return answer(409);
    const object = { id: graph.ids === "honoured" && id !== null ? id : `object-${++made}`, ...details };
    kept.push(object);
    return { ...answer(201), object };
  }
}

function answer(
  status: number,
  {
    retryAfter = null,
    code = status === 400 ? "BadRequest" : "",
    message = "",
  }: { retryAfter?: string | null; code?: string; message?: string } = {},
): GraphAnswer {
  const requestId = `request-${status}`;
  return graphAnswer(status, { errorCode: code, errorMessage: message, retryAfter, requestId });
}

/** Answers with this status; nothing is created. */
export function answers(
  status: number,
  more: Parameters<typeof answer>[1] = {},
): Omit<Step, "reply"> & { readonly reply: GraphAnswer } {
  return { reply: answer(status, more) };
}

export function silence(reason: GraphSilence["reason"], sent: boolean): GraphSilence {
  return { kind: "silence", sent, reason, detail: "silent on request" };
}

export const byItself: Step = { reply: "by itself" };
export const connectionRefused: Step = { reply: silence("connect", false) };
/** The connection breaks. */
export const lost: Step = { reply: silence("reset", true) };
/** It creates the object, and the connection breaks. */
export const lostAfterCreating: Step = { ...lost, creates: true };
