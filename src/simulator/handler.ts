/** Routes HTTP requests to Entra, to Graph and to the control endpoint. The way of a Graph request is kept short. */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock, Random } from "../ports.ts";
import { control } from "./control.ts";
import { type EntraSettings, grantToken, openidConfiguration, tokenChecker } from "./entra.ts";
import {
  header,
  parseJson,
  type ReadBody,
  readBody,
  resetConnection,
  writeReply,
  writeTruncated,
} from "./exchange.ts";
import { drawTokenFault } from "./faults.ts";
import { type GraphState, newGraphState, perform } from "./graph.ts";
import { type Plan, planRequest } from "./plan.ts";
import { randomUuid } from "./random.ts";
import { type Call, errorReply, type Reply, unavailableReply } from "./reply.ts";
import { type GraphRequest, operationOf } from "./request.ts";
import { countRequest, type RequestCounts } from "./stats.ts";

interface Parts {
  readonly state: GraphState;
  readonly clock: Clock;
  readonly random: Random;
  readonly entra: EntraSettings;
}

export interface SimulatorHandler {
  readonly listener: RequestListener;
  counts(): RequestCounts;
  reset(): void;
  /** Ends what is still waiting, without an effect or an answer. */
  close(): void;
}

const diagnostic = JSON.stringify({
  ServerInfo: { DataCenter: "Simulator", Slice: "E", Ring: "0", ScaleUnit: "000", RoleInstance: "SIMULATOR" },
});
const graphPrefix = "/beta/";
const entraPath = /^\/([^/]+)\/(?:(v2\.0\/\.well-known\/openid-configuration)|oauth2\/v2\.0\/token)$/;

export function simulatorHandler(parts: Parts): SimulatorHandler {
  const { state, clock, random } = parts;
  const checkToken = tokenChecker(parts.entra);
  const waiting = new Set<() => void>();
  let counts: RequestCounts = {};

  const reset = () => {
    const fresh = newGraphState(state.behaviour, state.faults);
    state.model = fresh.model;
    state.throttle = fresh.throttle;
    counts = {};
  };

  const after = (delayMs: number, next: () => void) => {
    if (delayMs <= 0) return next();
    const cancel = clock.after(delayMs, () => {
      waiting.delete(cancel);
      next();
    });
    waiting.add(cancel);
  };

  const listener: RequestListener = (request, response) => {
    const url = request.url ?? "/";
    if (url.startsWith("/_control/")) return answerControl(request, response, url);
    if (state.behaviour.outage === "reset") return resetConnection(request);
    if (url.startsWith(graphPrefix)) return answerGraph(request, response, url.slice(graphPrefix.length - 1));
    answerEntra(request, response, url);
  };

  function answerGraph(request: IncomingMessage, response: ServerResponse, target: string): void {
    const question = target.indexOf("?");
    const path = question < 0 ? target : target.slice(0, question);
    const query = question < 0 ? "" : target.slice(question + 1);
    readBody(request, (body) => {
      if (body.kind === "aborted") return;
      const method = request.method ?? "GET";
      const contentType = header(request, "content-type");
      const asked: GraphRequest = { method, path, query, contentType, body: jsonOf(body) };
      const call = callFor(request);
      if (state.behaviour.outage === "unavailable")
        return send(response, call, asked, unavailableReply(call));
      const token = checkToken(header(request, "authorization") ?? "", call.wallMs);
      if (!token.ok) {
        return send(
          response,
          call,
          asked,
          errorReply(call, 401, "InvalidAuthenticationToken", token.message),
        );
      }
      if (body.kind === "too-large") {
        return send(
          response,
          call,
          asked,
          errorReply(call, 413, "RequestEntityTooLarge", "The body is too large."),
        );
      }
      const plan = planRequest(state.faults, path === "/$batch", random);
      follow(plan, asked, { ...call, tenantId: token.tenantId }, request, response);
    });
  }

  function follow(
    plan: Plan,
    asked: GraphRequest,
    call: Call,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    after(plan.beforeMs, () => {
      if (!plan.reaches) return cutOff(asked, request);
      if (response.destroyed && !plan.survivesHangUp) {
        return countRequest(counts, operationOf(asked), "hung-up");
      }
      const due = plan.beforeMs <= 0 ? call : { ...call, nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      const reply = perform(state, due, asked, plan.fault);
      after(plan.afterMs, () => {
        if (plan.delivery === "reset") return cutOff(asked, request);
        send(response, call, asked, reply, plan.delivery === "truncated");
      });
    });
  }

  function cutOff(asked: GraphRequest, request: IncomingMessage): void {
    countRequest(counts, operationOf(asked), "reset");
    resetConnection(request);
  }

  function send(
    response: ServerResponse,
    call: Call,
    asked: GraphRequest,
    reply: Reply,
    truncated = false,
  ): void {
    countReply(asked, reply, truncated);
    const headers = [
      "request-id",
      call.requestId,
      "client-request-id",
      call.clientRequestId,
      "x-ms-ags-diagnostic",
      diagnostic,
    ];
    for (const name in reply.headers) headers.push(name, reply.headers[name]!);
    let text = reply.body === null ? "" : JSON.stringify(reply.body);
    if (reply.malformed) text = text.slice(0, Math.floor(text.length / 2));
    if (truncated) writeTruncated(response, reply.status, headers, text);
    else writeReply(response, reply.status, headers, text);
  }

  function countReply(asked: GraphRequest, reply: Reply, truncated: boolean): void {
    const operation = operationOf(asked);
    countRequest(counts, operation, truncated ? "truncated" : reply.status);
    if (operation !== "batch" || reply.status !== 200) return;
    const { responses } = reply.body as { responses?: ({ status?: number } | null)[] };
    for (const item of responses ?? []) countRequest(counts, "batch-item", item?.status ?? "malformed");
  }

  function answerEntra(request: IncomingMessage, response: ServerResponse, url: string): void {
    const matched = entraPath.exec(url.split("?", 1)[0]!);
    const tenantId = matched?.[1];
    const entraCall = {
      wallMs: clock.wallMs(),
      traceId: randomUuid(random),
      correlationId: correlationOf(request),
    };
    const answer = (status: number, body: unknown) => {
      countRequest(counts, "entra", status);
      writeReply(response, status, ["cache-control", "no-store"], JSON.stringify(body));
    };
    readBody(request, (body) => {
      if (body.kind !== "text") return resetConnection(request);
      if (state.behaviour.outage === "unavailable" || drawTokenFault(state.faults, random) !== null) {
        return answer(503, {
          error: "temporarily_unavailable",
          error_description: "The service is not available.",
        });
      }
      if (tenantId === undefined)
        return answer(404, { error: "not_found", error_description: `No ${url} here.` });
      const reply =
        matched?.[2] === undefined
          ? grantToken(parts.entra, entraCall, tenantId, new URLSearchParams(body.text))
          : openidConfiguration(parts.entra, entraCall, tenantId, originOf(request));
      answer(reply.status, reply.body);
    });
  }

  function answerControl(request: IncomingMessage, response: ServerResponse, url: string): void {
    readBody(request, (body) => {
      if (body.kind !== "text") return resetConnection(request);
      const reply = control({ state, counts: () => counts, reset }, request.method ?? "GET", url, body.text);
      writeReply(response, reply.status, [], JSON.stringify(reply.body));
    });
  }

  function callFor(request: IncomingMessage): Call {
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

  function correlationOf(request: IncomingMessage): string {
    return header(request, "client-request-id") ?? randomUuid(random);
  }

  const close = () => {
    for (const cancel of waiting) cancel();
    waiting.clear();
  };
  return { listener, counts: () => counts, reset, close };
}

function jsonOf(body: ReadBody): unknown {
  return body.kind === "text" ? parseJson(body.text) : undefined;
}

function originOf(request: IncomingMessage): string {
  const scheme = "encrypted" in request.socket ? "https" : "http";
  return `${scheme}://${request.headers.host ?? "localhost"}`;
}
