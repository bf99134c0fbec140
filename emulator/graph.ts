/**
 * The emulated Graph without HTTP. Pure: state goes in and is changed, time and randomness come with the call.
 *
 * 1. A caller (the HTTPS server, or a simulation in virtual time) asks `planRequest` when a request arrives, lets
 *    `beforeMs` pass, calls `perform` if the plan `reaches`, lets `afterMs` pass, and hands the reply over as
 *    `delivery` says.
 * 2. All effects happen inside `perform`, each request's or batch item's at most once.
 * 3. A caller is barred first, throttled next, and only then meets a fault: refused calls are counted by the throttle.
 */

import { performBatch } from "./batch.ts";
import type { AnswerFault, BatchFault, Faults } from "./faults.ts";
import { brokenPage, endlessPage } from "./list-forms.ts";
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
import type { Plan } from "./plan.ts";
import { applyQuery } from "./query-list.ts";
import { isPlain, readGetQuery, readListQuery } from "./query-options.ts";
import {
  type Call,
  errorReply,
  intuneMessage,
  type Reply,
  retryAfterHeader,
  throttledReply,
  unavailableReply,
} from "./reply.ts";
import { entityIdOf, type GraphRequest, isJson, type Operation, operationOf } from "./request.ts";
import type { Block, GraphBehaviour } from "./settings.ts";
import { countCall, newThrottle, type Throttle } from "./throttle.ts";

export interface GraphState {
  model: Model;
  throttle: Throttle;
  behaviour: GraphBehaviour;
  faults: Faults;
}

/** The one app that an emulator knows; throttling is by app and tenant. */
const appId = "app";

export function newGraphState(behaviour: GraphBehaviour, faults: Faults, model = newModel()): GraphState {
  return { model, throttle: newThrottle(), behaviour, faults };
}

/** Carries a request out. For `$batch`, each item draws a fault of its own. */
export function perform(
  state: GraphState,
  { call, request }: { readonly call: Call; readonly request: GraphRequest },
  fault: Plan["fault"],
): Reply {
  if (operationOf(request) !== "batch")
    return performOne(state, { call, request }, fault as AnswerFault | null);
  const performItem = (item: GraphRequest, itemCall: Call, itemFault: AnswerFault | null) =>
    performOne(state, { call: itemCall, request: item }, itemFault);
  return performBatch(state, { call, request, fault: fault as BatchFault | null }, performItem);
}

function performOne(
  state: GraphState,
  { call, request }: { readonly call: Call; readonly request: GraphRequest },
  fault: AnswerFault | null,
): Reply {
  const operation = operationOf(request);
  const isWrite = operation === "create" || operation === "update" || operation === "delete";
  const barred = refuseCaller(state.behaviour, call, isWrite);
  if (barred !== null) return barred;
  const limits = state.behaviour.throttle;
  if (limits !== null) {
    const { tenantId, nowMs } = call;
    const waitMs = countCall(state.throttle, limits, { appId, tenantId, isWrite, nowMs });
    if (waitMs > 0) return throttled(state.behaviour, call, waitMs);
  }
  const instead = fault === null ? null : answerInstead(state, call, fault);
  if (instead !== null) return instead;
  const reply = carryOut(state, { call, request }, operation);
  return fault === null ? reply : answerAfter(state, { call, fault }, reply);
}

function carryOut(
  state: GraphState,
  { call, request }: { readonly call: Call; readonly request: GraphRequest },
  operation: Operation,
): Reply {
  const { model, behaviour } = state;
  const noRoute =
    behaviour.route === "missing" || (behaviour.route === "create-missing" && operation === "create");
  if (noRoute) return routeMissing(call, request);
  if (operation === "create" || operation === "update" || operation === "health") {
    const unreadable = refuseBody(call, request);
    if (unreadable !== null) return unreadable;
  }
  switch (operation) {
    case "create":
      return applyCreate(model, call, {
        body: request.body,
        idMode: behaviour.idMode,
        normalise: behaviour.normalise,
      });
    case "list":
      return list(state, call, request.query);
    case "get":
      return get(state, call, request);
    case "update":
      return applyUpdate(
        model,
        { call, id: entityIdOf(request.path) },
        { body: request.body, normalise: behaviour.normalise },
      );
    case "delete":
      return applyDelete(model, call, entityIdOf(request.path));
    case "health":
      return applyHealthMetrics(model, call, entityIdOf(request.path));
    default:
      return routeMissing(call, request);
  }
}

function list(state: GraphState, call: Call, query: string): Reply {
  const { listLagMs, pageSize, listForm, queryOptions } = state.behaviour;
  const read = readListQuery(query, queryOptions);
  if (!read.ok) return errorReply(call, 400, { code: "BadRequest", message: read.message });
  const asked = read.value;
  if (listForm === "endless") return endlessPage(call, asked.skipToken);
  const options = {
    listLagMs,
    pageSize: asked.top ?? pageSize,
    skipToken: asked.skipToken,
    carried: asked.carried,
  };
  const reply = isPlain(asked)
    ? applyList(state.model, call, options)
    : applyQuery({ model: state.model, call }, options, asked);
  return reply.status === 200 && listForm !== "whole" ? brokenPage(reply, call, listForm) : reply;
}

function get(state: GraphState, call: Call, { path, query }: GraphRequest): Reply {
  const { queryOptions, wrapEntity } = state.behaviour;
  const read = readGetQuery(query, queryOptions);
  if (!read.ok) return errorReply(call, 400, { code: "BadRequest", message: read.message });
  return applyGet({ model: state.model, call }, entityIdOf(path), {
    wrapped: wrapEntity,
    select: read.value,
  });
}

function refuseBody(call: Call, request: GraphRequest): Reply | null {
  if (request.contentType === null) {
    return errorReply(call, 400, {
      code: "BadRequest",
      message: "A write request needs a Content-Type header.",
    });
  }
  if (!isJson(request.contentType)) {
    return errorReply(call, 415, {
      code: "UnsupportedMediaType",
      message: "The Content-Type must be application/json.",
    });
  }
  if (request.body !== undefined) return null;
  return errorReply(call, 400, {
    code: "BadRequest",
    message: "The request body is empty or is not valid JSON.",
  });
}

function routeMissing(call: Call, request: GraphRequest): Reply {
  const template = `~${request.path.slice(0, 128)}`;
  const message = `No OData route exists that match template ${template} with http verb ${request.method}`;
  return errorReply(call, 400, { code: "No method match route template", message });
}

function refuseCaller(behaviour: GraphBehaviour, call: Call, isWrite: boolean): Reply | null {
  const block = behaviour.blocks[call.tenantId];
  if (block !== undefined) return blocked(call, block);
  if (behaviour.permission === "read-write" || (behaviour.permission === "read" && !isWrite)) return null;
  const role = `DeviceManagementConfiguration.${isWrite ? "ReadWrite" : "Read"}.All`;
  return errorReply(call, 403, {
    code: "Forbidden",
    message: intuneMessage(call, `The application lacks the role ${role}`),
  });
}

function blocked(call: Call, block: Block): Reply {
  switch (block) {
    case "unauthorized":
      return errorReply(call, 401, {
        code: "InvalidAuthenticationToken",
        message: "The access token is not accepted in this tenant.",
      });
    case "forbidden":
      return errorReply(call, 403, {
        code: "Forbidden",
        message: intuneMessage(call, "The application is barred from this tenant"),
      });
    case "no-licence":
      return errorReply(call, 400, {
        code: "BadRequest",
        message: "Request not applicable to target tenant.",
      });
    default:
      return errorReply(call, block.status, { code: block.code, message: block.message });
  }
}

function throttled(behaviour: GraphBehaviour, call: Call, waitMs: number): Reply {
  return throttledReply(call, "Too many requests.", retryAfterHeader(behaviour, call, waitMs));
}

/** The answer that replaces the reply after the request was carried out. */
function answerAfter(
  state: GraphState,
  { call, fault }: { readonly call: Call; readonly fault: AnswerFault },
  reply: Reply,
): Reply {
  const { behaviour, faults } = state;
  const header = () => retryAfterHeader(behaviour, call, faults.retryAfterMs);
  switch (fault) {
    case "errorAfter":
      return errorReply(call, 500, { code: "InternalServerError", message: "The service failed." });
    case "timeoutAfter":
      return errorReply(call, 504, { code: "GatewayTimeout", message: "The service took too long." });
    case "unavailableAfter":
      return unavailableReply(call, header());
    case "bandwidthAfter":
      return errorReply(call, 509, {
        code: "BandwidthLimitExceeded",
        message: "The bandwidth limit is exceeded.",
        headers: header(),
      });
    case "lockedAfter":
      return errorReply(call, 423, { code: "Locked", message: "The resource is locked.", headers: header() });
    case "throttledItemAfter":
      return throttled(behaviour, call, faults.retryAfterMs);
    default:
      return reply;
  }
}

/** Null: the fault, if any, comes after the effect. */
function answerInstead(state: GraphState, call: Call, fault: AnswerFault): Reply | null {
  const { behaviour, faults } = state;
  switch (fault) {
    case "throttled":
      return throttled(behaviour, call, faults.retryAfterMs);
    case "throttledBare":
      return throttledReply(call, "Too many requests.");
    case "unavailable":
      return unavailableReply(call, retryAfterHeader(behaviour, call, faults.retryAfterMs));
    case "unavailableBare":
      return unavailableReply(call);
    case "errorBefore":
      return errorReply(call, 500, { code: "InternalServerError", message: "The service failed." });
    case "timeoutBefore":
      return errorReply(call, 504, { code: "GatewayTimeout", message: "The service took too long." });
    case "internalError":
      return errorReply(call, 400, {
        code: "InternalError",
        message: intuneMessage(call, "An internal server error has occurred"),
      });
    default:
      return null;
  }
}
