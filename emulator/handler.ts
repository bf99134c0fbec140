/** Routes HTTP requests to Entra, to Graph and to the control endpoint. */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import { control } from "./control.ts";
import { type EntraSettings, grantToken, openidConfiguration, tokenChecker } from "./entra.ts";
import { header, originOf, readBody, resetConnection, writeReply } from "./exchange.ts";
import { drawTokenFault } from "./faults.ts";
import { type GraphState, newGraphState } from "./graph.ts";
import { graphEndpoint } from "./graph-endpoint.ts";
import type { Random } from "./random.ts";
import { randomUuid } from "./random.ts";
import { countRequest, type RequestCounts } from "./stats.ts";

interface Parts {
  readonly state: GraphState;
  readonly clock: Clock;
  readonly random: Random;
  readonly entra: EntraSettings;
}

export interface EmulatorHandler {
  readonly listener: RequestListener;
  counts(): RequestCounts;
  /** Forgets objects, throttling windows and counts. */
  reset(): void;
  /** Ends what is still waiting, without an effect or an answer. */
  close(): void;
}

const graphPrefix = "/beta/";
const controlPrefix = "/_control/";
const entraPath = /^\/([^/]+)\/(?:(v2\.0\/\.well-known\/openid-configuration)|oauth2\/v2\.0\/token)$/;

export function emulatorHandler({ state, clock, random, entra }: Parts): EmulatorHandler {
  let counts: RequestCounts = {};
  const count = (operation: string, result: string | number) => countRequest(counts, operation, result);
  const graph = graphEndpoint({ state, clock, random, checkToken: tokenChecker(entra), count });

  const reset = () => {
    const { model, throttle } = newGraphState(state.behaviour, state.faults);
    state.model = model;
    state.throttle = throttle;
    counts = {};
  };

  const listener: RequestListener = (request, response) => {
    const url = request.url ?? "/";
    if (url.startsWith(controlPrefix)) return answerControl(request, response, url);
    if (state.behaviour.outage === "reset") return resetConnection(request);
    if (state.behaviour.outage === "silence") return void request.resume();
    if (url.startsWith(graphPrefix))
      return graph.answer(request, response, url.slice(graphPrefix.length - 1));
    answerEntra(request, response, url);
  };

  const answerEntra = (request: IncomingMessage, response: ServerResponse, url: string) => {
    readBody(request, (body) => {
      if (body.kind !== "text") return resetConnection(request);
      const reply = entraReply(request, url, body.text);
      count("entra", reply.status);
      writeReply(response, reply.status, ["cache-control", "no-store"], JSON.stringify(reply.body));
    });
  };

  const entraReply = (request: IncomingMessage, url: string, text: string) => {
    if (state.behaviour.outage === "unavailable" || drawTokenFault(state.faults, random) !== null) {
      const body = {
        error: "temporarily_unavailable",
        error_description: "The service is not available for now.",
      };
      return { status: 503, body };
    }
    const [, tenantId, configuration] = entraPath.exec(url.split("?", 1)[0]!) ?? [];
    if (tenantId === undefined) {
      const description = `Nothing is at ${url.slice(0, 64)}; Graph is under ${graphPrefix}.`;
      return { status: 404, body: { error: "not_found", error_description: description } };
    }
    const correlationId = header(request, "client-request-id") ?? randomUuid(random);
    const call = { wallMs: clock.wallMs(), traceId: randomUuid(random), correlationId };
    if (configuration !== undefined) return openidConfiguration(entra, call, tenantId, originOf(request));
    return grantToken(entra, call, tenantId, new URLSearchParams(text));
  };

  const answerControl = (request: IncomingMessage, response: ServerResponse, url: string) => {
    readBody(request, (body) => {
      if (body.kind !== "text") return resetConnection(request);
      const reply = control({ state, counts: () => counts, reset }, request.method ?? "GET", url, body.text);
      writeReply(response, reply.status, [], JSON.stringify(reply.body));
    });
  };

  return { listener, counts: () => counts, reset, close: graph.close };
}
