/** Graph over HTTP: token, plan, effect, reply. The way of a request that meets no fault is kept short. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import type { TokenCheck } from "./entra/access-token.ts";
import {
  header,
  originOf,
  parseJson,
  type ReadBody,
  readBody,
  resetConnection,
  writeFormed,
  writePage,
  writeReply,
  writeTruncated,
} from "./exchange.ts";
import { drawForms } from "./faults.ts";
import { type GraphState, perform } from "./graph.ts";
import { type Plan, planRequest } from "./plan.ts";
import type { Random } from "./random.ts";
import { randomUuid } from "./random.ts";
import { type Call, errorReply, type Reply, unavailableReply } from "./reply.ts";
import { type GraphRequest, operationOf } from "./request.ts";
import { DataFileProblem } from "./store.ts";

interface Parts {
  readonly state: GraphState;
  readonly clock: Clock;
  readonly random: Random;
  checkToken(authorization: string, wallMs: number): TokenCheck;
  /** Called at each request's end with the status, or with what became of the connection. */
  count(operation: string, result: string | number): void;
}

export interface GraphEndpoint {
  /** `target`: path and query behind the version. */
  answer(request: IncomingMessage, response: ServerResponse, target: string): void;
  /** Forgets the requests that are still waiting: no effect, no answer. */
  close(): void;
}

/** One HTTP request on its way. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: Call;
  readonly asked: GraphRequest;
}

const diagnostic = JSON.stringify({
  ServerInfo: { DataCenter: "Emulator", Slice: "E", Ring: "0", ScaleUnit: "000", RoleInstance: "EMULATOR" },
});

export function graphEndpoint(parts: Parts): GraphEndpoint {
  const { state, clock, random, count } = parts;
  const waiting = new Set<() => void>();

  /** Counted from the request's arrival: what the emulator itself takes is part of the time, not added to it. */
  const at = (dueMs: number, next: () => void) => {
    const delayMs = dueMs - clock.nowMs();
    if (delayMs <= 0) return next();
    const cancel = clock.after(delayMs, () => {
      waiting.delete(cancel);
      next();
    });
    waiting.add(cancel);
  };

  const answer = (request: IncomingMessage, response: ServerResponse, target: string) => {
    const arrivedMs = clock.nowMs();
    readBody(request, (body) => {
      if (body.kind === "aborted") return count(operationOf(requestOf(request, target, body)), "hung-up");
      const call = callOf(request, clock, random);
      const asked = requestOf(request, target, body);
      const token = parts.checkToken(header(request, "authorization") ?? "", call.wallMs);
      const exchange = {
        request,
        response,
        asked,
        call: token.ok ? { ...call, tenantId: token.tenantId } : call,
      };
      const refusal = refuse(exchange, token, body);
      if (refusal !== null) return send(exchange, refusal);
      follow(exchange, planRequest(state.faults, asked.path === "/$batch", random), arrivedMs);
    });
  };

  const refuse = ({ call }: Exchange, token: TokenCheck, body: ReadBody): Reply | null => {
    if (state.behaviour.outage === "unavailable") return unavailableReply(call);
    if (!token.ok)
      return errorReply(call, 401, { code: "InvalidAuthenticationToken", message: token.message });
    if (body.kind === "text") return null;
    return errorReply(call, 413, {
      code: "RequestEntityTooLarge",
      message: "The request body is too large.",
    });
  };

  const follow = (exchange: Exchange, plan: Plan, arrivedMs: number) => {
    const effectMs = arrivedMs + plan.beforeMs;
    at(effectMs, () => {
      if (!plan.reaches) return deliver(exchange, plan.delivery, null);
      if (exchange.response.destroyed && !plan.survivesHangUp) {
        return count(operationOf(exchange.asked), "hung-up");
      }
      const { call } = exchange;
      const due = plan.beforeMs <= 0 ? call : { ...call, nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      const reply = performed(state, { call: due, asked: exchange.asked }, plan.fault);
      at(effectMs + plan.afterMs, () => {
        deliver(exchange, plan.delivery, reply);
      });
    });
  };

  /** `reply`: null where Graph was not reached. */
  const deliver = (exchange: Exchange, delivery: Plan["delivery"], reply: Reply | null) => {
    if (delivery === "whole" || delivery === "truncated") {
      if (reply !== null) return send(exchange, reply, delivery === "truncated");
    }
    if (delivery === "portal" || delivery === "refusal" || delivery === "redirect") {
      count(operationOf(exchange.asked), delivery);
      return writePage(exchange.response, delivery);
    }
    cutOff(exchange);
  };

  const cutOff = ({ request, asked }: Exchange) => {
    count(operationOf(asked), "reset");
    resetConnection(request);
  };

  const send = ({ response, call, asked }: Exchange, reply: Reply, truncated = false) => {
    const operation = operationOf(asked);
    count(operation, truncated ? "truncated" : reply.status);
    if (operation === "batch") countItems(reply, count);
    const headers = ["request-id", call.requestId, "client-request-id", call.clientRequestId];
    // By the clock that dates in Retry-After go by.
    headers.push("date", new Date(clock.wallMs()).toUTCString(), "x-ms-ags-diagnostic", diagnostic);
    for (const name in reply.headers) headers.push(name, reply.headers[name]!);
    let text = reply.body === null ? "" : JSON.stringify(reply.body);
    if (reply.malformed) text = text.slice(0, Math.floor(text.length / 2));
    if (truncated) writeTruncated(response, { status: reply.status, headers, text });
    else {
      const forms = drawForms(state.faults, random);
      if (forms.length === 0) writeReply(response, { status: reply.status, headers, text });
      else writeFormed(response, { status: reply.status, headers, text }, forms);
    }
  };

  const close = () => {
    for (const cancel of waiting) cancel();
    waiting.clear();
  };
  return { answer, close };
}

function requestOf(request: IncomingMessage, target: string, body: ReadBody): GraphRequest {
  const question = target.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? "" : target.slice(question + 1),
    contentType: header(request, "content-type"),
    body: body.kind === "text" ? parseJson(body.text) : undefined,
  };
}

function callOf(request: IncomingMessage, clock: Clock, random: Random): Call {
  const requestId = randomUuid(random);
  return {
    tenantId: "",
    nowMs: clock.nowMs(),
    wallMs: clock.wallMs(),
    random,
    requestId,
    clientRequestId: header(request, "client-request-id") ?? requestId,
    linkBase: `${originOf(request)}/beta`,
  };
}

/** 507 where the effect can't be kept: then there is none. In a batch, items before it have had theirs. */
function performed(
  state: GraphState,
  { call, asked }: { readonly call: Call; readonly asked: GraphRequest },
  fault: Plan["fault"],
): Reply {
  try {
    return perform(state, { call, request: asked }, fault);
  } catch (error) {
    if (!(error instanceof DataFileProblem)) throw error;
    return errorReply(call, 507, { code: "InsufficientStorage", message: error.problem.message });
  }
}

/** Items count beside their batch, under an operation of their own. */
function countItems(reply: Reply, count: Parts["count"]): void {
  const { responses } = (reply.body ?? {}) as { responses?: ({ status?: number } | null)[] };
  for (const item of responses ?? []) count("batch-item", item?.status ?? "malformed");
}
