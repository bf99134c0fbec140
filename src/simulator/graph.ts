/**
 * The simulated Graph without HTTP. Pure: state goes in and is changed, time and randomness come with the call.
 *
 * A caller (the HTTPS server, or a simulation in virtual time) asks `planRequest` once a request has arrived, lets
 * `beforeMs` pass, calls `perform` unless the plan says that nothing reaches Graph, lets `afterMs` pass, and hands over
 * the reply as `delivery` says. All effects happen inside `perform`.
 */

import type { Random } from "../ports.ts";
import { performBatch } from "./batch.ts";
import {
  type AnswerFault,
  type BatchFault,
  drawBatchFault,
  drawLatencyMs,
  drawRequestFault,
  type Faults,
  type TransportFault,
} from "./faults.ts";
import {
  applyCreate,
  applyDelete,
  applyGet,
  applyHealthMetrics,
  applyList,
  applyUpdate,
  type Model,
  newModel,
} from "./model.ts";
import { type Call, errorReply, intuneMessage, type Reply, throttledReply } from "./reply.ts";
import type { Block, GraphBehaviour } from "./settings.ts";
import { countCall, newThrottle, type Throttle } from "./throttle.ts";

export interface GraphState {
  model: Model;
  throttle: Throttle;
  behaviour: GraphBehaviour;
  faults: Faults;
}

/** `body`: undefined where there is none. Paths are without the version, such as `/deviceManagement/...`. */
export interface GraphRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly contentType: string | null;
  readonly body: unknown;
}

export type Operation = "list" | "get" | "create" | "update" | "delete" | "health" | "batch" | "other";

export interface Plan {
  /** From the request's arrival to its effect, and from there to the reply. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** False: nothing reaches Graph, `perform` is not to be called. */
  readonly reaches: boolean;
  /** False: no effect if the client hung up before it was due. */
  readonly survivesHangUp: boolean;
  readonly delivery: "whole" | "truncated" | "reset";
  /** For `perform`. */
  readonly fault: AnswerFault | BatchFault | null;
}

/** The one app that a simulator knows; throttling is by app and tenant. */
const appId = "app";
const maxPageSize = 1_000;
const collectionPath = "/deviceManagement/certificateconnectordetails";

export function newGraphState(behaviour: GraphBehaviour, faults: Faults): GraphState {
  return { model: newModel(), throttle: newThrottle(), behaviour, faults };
}

/** What is to befall a request that has arrived: the transport's faults, latency, and the fault for `perform`. */
export function planRequest(faults: Faults, isBatch: boolean, random: Random): Plan {
  const fault = isBatch ? drawBatchFault(faults, random) : drawRequestFault(faults, random);
  const latencyMs = drawLatencyMs(faults.latency, random);
  // Where a request's time goes decides what a client that gives up leaves behind: both cases are to occur.
  const effectFirst = latencyMs > 0 && random() < 0.5;
  const plan: Plan = {
    beforeMs: effectFirst ? 0 : latencyMs,
    afterMs: effectFirst ? latencyMs : 0,
    reaches: true,
    survivesHangUp: true,
    delivery: "whole",
    fault: null,
  };
  return fault === null ? plan : withFault(plan, fault, faults);
}

function withFault(plan: Plan, fault: AnswerFault | TransportFault | BatchFault, faults: Faults): Plan {
  switch (fault) {
    case "resetBefore":
      return { ...plan, reaches: false, delivery: "reset" };
    case "resetAfter":
      return { ...plan, delivery: "reset" };
    case "truncated":
      return { ...plan, delivery: "truncated" };
    case "slowBefore":
      return { ...plan, beforeMs: faults.slowMs, afterMs: 0, survivesHangUp: faults.effectAfterHangUp };
    case "slowAfter":
      return { ...plan, beforeMs: 0, afterMs: faults.slowMs };
    default:
      return { ...plan, fault };
  }
}

/** Carries a request out. For `$batch`, each item draws a fault of its own. */
export function perform(state: GraphState, call: Call, request: GraphRequest, fault: Plan["fault"]): Reply {
  if (operationOf(request) === "batch") {
    const performItem = (item: GraphRequest, itemCall: Call, itemFault: AnswerFault | null) =>
      performOne(state, itemCall, item, itemFault);
    return performBatch(state, call, request, fault as BatchFault | null, performItem);
  }
  return performOne(state, call, request, fault as AnswerFault | null);
}

function performOne(state: GraphState, call: Call, request: GraphRequest, fault: AnswerFault | null): Reply {
  const operation = operationOf(request);
  const isWrite = operation === "create" || operation === "update" || operation === "delete";
  const barred = refuseCaller(state.behaviour, call, isWrite);
  if (barred !== null) return barred;
  if (state.behaviour.throttle !== null) {
    const { tenantId, nowMs } = call;
    const waitMs = countCall(state.throttle, state.behaviour.throttle, { appId, tenantId, isWrite, nowMs });
    if (waitMs > 0) return throttled(state, call, waitMs);
  }
  const before = fault === null ? null : answerBefore(state, call, fault);
  if (before !== null) return before;
  const reply = carryOut(state, call, request, operation);
  if (fault === "errorAfter") return errorReply(call, 500, "InternalServerError", "The service failed.");
  if (fault === "timeoutAfter") return errorReply(call, 504, "GatewayTimeout", "The service took too long.");
  return reply;
}

function carryOut(state: GraphState, call: Call, request: GraphRequest, operation: Operation): Reply {
  const { model, behaviour } = state;
  const noRoute =
    behaviour.route === "missing" || (behaviour.route === "create-missing" && operation === "create");
  if (operation === "other" || noRoute) return routeMissing(call, request);
  const needsBody = operation === "create" || operation === "update" || operation === "health";
  const unreadable = needsBody ? refuseBody(call, request) : null;
  if (unreadable !== null) return unreadable;
  const id = operation === "list" || operation === "create" ? "" : idOf(request.path);
  switch (operation) {
    case "create":
      return applyCreate(model, call, request.body, behaviour.idMode);
    case "get":
      return applyGet(model, call, id, behaviour.wrapEntity);
    case "update":
      return applyUpdate(model, call, id, request.body);
    case "delete":
      return applyDelete(model, call, id);
    case "health":
      return applyHealthMetrics(model, call, id);
    default:
      return list(state, call, request.query);
  }
}

function list(state: GraphState, call: Call, query: string): Reply {
  const { listLagMs, pageSize } = state.behaviour;
  if (query === "") return applyList(state.model, call, { listLagMs, pageSize, skipToken: null });
  const options = new URLSearchParams(query);
  const unknown = [...options.keys()].find((name) => name !== "$skiptoken" && name !== "$top");
  if (unknown !== undefined) {
    return errorReply(
      call,
      400,
      "BadRequest",
      `The query option '${unknown.slice(0, 64)}' is not supported here.`,
    );
  }
  const top = Number(options.get("$top") ?? pageSize);
  if (!Number.isInteger(top) || top < 1 || top > maxPageSize) {
    return errorReply(call, 400, "BadRequest", `$top must be 1 to ${maxPageSize}.`);
  }
  return applyList(state.model, call, { listLagMs, pageSize: top, skipToken: options.get("$skiptoken") });
}

/** Which operation a request is; "other" is none that Graph has here. */
export function operationOf(request: Pick<GraphRequest, "method" | "path">): Operation {
  const { method } = request;
  const path = request.path.toLowerCase();
  if (path === "/$batch") return method === "POST" ? "batch" : "other";
  if (path === lowerCollectionPath) return method === "GET" ? "list" : method === "POST" ? "create" : "other";
  const parts = entityPath.exec(path);
  if (parts === null) return "other";
  if (parts[3] !== undefined) return method === "POST" ? "health" : "other";
  return ({ GET: "get", PATCH: "update", DELETE: "delete" } as const)[method] ?? "other";
}

const lowerCollectionPath = collectionPath.toLowerCase();
/** `/{id}` or `('{id}')`, and perhaps an action. */
const entityPath = new RegExp(
  `^${lowerCollectionPath}(?:/([^/()]+)|\\('([^']+)'\\))(/(?:microsoft\\.graph\\.)?gethealthmetric(?:s|timeseries))?$`,
);
const entityPathAnyCase = new RegExp(entityPath.source, "i");

function idOf(path: string): string {
  const parts = entityPathAnyCase.exec(path);
  const raw = parts?.[1] ?? parts?.[2] ?? "";
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

function refuseBody(call: Call, request: GraphRequest): Reply | null {
  if (request.contentType === null) {
    return errorReply(call, 400, "BadRequest", "A write request needs a Content-Type header.");
  }
  if (!isJson(request.contentType)) {
    return errorReply(call, 415, "UnsupportedMediaType", "The Content-Type must be application/json.");
  }
  return request.body === undefined
    ? errorReply(call, 400, "BadRequest", "The request body is empty or is no valid JSON.")
    : null;
}

export function isJson(contentType: string): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType);
}

function routeMissing(call: Call, request: GraphRequest): Reply {
  const template = `~${request.path.slice(0, 128)}`;
  const message = `No OData route exists that match template ${template} with http verb ${request.method}`;
  return errorReply(call, 400, "No method match route template", message);
}

function refuseCaller(behaviour: GraphBehaviour, call: Call, isWrite: boolean): Reply | null {
  const block = behaviour.blocks[call.tenantId];
  if (block !== undefined) return blocked(call, block);
  if (behaviour.permission === "read-write" || (behaviour.permission === "read" && !isWrite)) return null;
  const role = isWrite
    ? "DeviceManagementConfiguration.ReadWrite.All"
    : "DeviceManagementConfiguration.Read.All";
  return errorReply(call, 403, "Forbidden", intuneMessage(call, `The application lacks the role ${role}`));
}

function blocked(call: Call, block: Block): Reply {
  if (block === "unauthorized") {
    return errorReply(
      call,
      401,
      "InvalidAuthenticationToken",
      "The access token is not accepted for this tenant.",
    );
  }
  if (block === "forbidden") {
    return errorReply(
      call,
      403,
      "Forbidden",
      intuneMessage(call, "The application is not authorized in this tenant"),
    );
  }
  if (block === "no-licence") {
    return errorReply(call, 400, "BadRequest", "Request not applicable to target tenant.");
  }
  return errorReply(call, block.status, block.code, block.message);
}

function throttled(state: GraphState, call: Call, waitMs: number): Reply {
  return throttledReply(call, "Too many requests.", retryAfterHeader(state.behaviour, call, waitMs));
}

function answerBefore(state: GraphState, call: Call, fault: AnswerFault): Reply | null {
  const { behaviour, faults } = state;
  switch (fault) {
    case "throttled":
      return throttled(state, call, faults.retryAfterMs);
    case "throttledBare":
      return throttledReply(call, "Too many requests.");
    case "unavailable":
      return unavailableReply(call, retryAfterHeader(behaviour, call, faults.retryAfterMs));
    case "unavailableBare":
      return unavailableReply(call);
    case "errorBefore":
      return errorReply(call, 500, "InternalServerError", "The service failed.");
    case "timeoutBefore":
      return errorReply(call, 504, "GatewayTimeout", "The service took too long.");
    case "internalError":
      return errorReply(
        call,
        400,
        "InternalError",
        intuneMessage(call, "An internal server error has occurred"),
      );
    default:
      return null;
  }
}

export function unavailableReply(call: Call, headers: Readonly<Record<string, string>> = {}): Reply {
  return errorReply(call, 503, "ServiceUnavailable", "The service is not available for now.", headers);
}

/** `{}` where the behaviour says that Retry-After is absent. Never asks for less than `waitMs`. */
export function retryAfterHeader(
  behaviour: GraphBehaviour,
  call: Call,
  waitMs: number,
): Record<string, string> {
  if (behaviour.retryAfter === "absent") return {};
  if (behaviour.retryAfter === "fractional") return { "Retry-After": (Math.ceil(waitMs) / 1000).toFixed(3) };
  if (behaviour.retryAfter === "seconds")
    return { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1000))) };
  const dueMs = Math.ceil((call.wallMs + waitMs) / 1000) * 1000;
  return { "Retry-After": new Date(dueMs).toUTCString() };
}
