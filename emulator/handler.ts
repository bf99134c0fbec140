/** Routes HTTP requests to Entra, to Graph and to the control endpoint. */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import { control } from "./control.ts";
import { tokenChecker } from "./entra/access-token.ts";
import { entraReply } from "./entra/endpoint.ts";
import type { EntraSettings } from "./entra/grant.ts";
import type { EntraReply } from "./entra/refusal.ts";
import { header, readBody, resetConnection, writeReply } from "./exchange.ts";
import { drawTokenFault } from "./faults.ts";
import { type GraphState, newGraphState } from "./graph.ts";
import { graphEndpoint } from "./graph-endpoint.ts";
import { newModel } from "./model.ts";
import type { Random } from "./random.ts";
import { randomUuid } from "./random.ts";
import { countRequest, type RequestCounts } from "./stats.ts";
import type { Store } from "./store.ts";

interface Parts {
  readonly state: GraphState;
  readonly clock: Clock;
  readonly random: Random;
  readonly entra: EntraSettings;
  /** Null: what is set is forgotten at the end. */
  readonly store: Store | null;
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

const unavailable: EntraReply = {
  status: 503,
  body: { error: "temporarily_unavailable", error_description: "The service is not available for now." },
};

/** A bug of the emulator's own. */
function failed(error: unknown): EntraReply {
  return { status: 500, body: { error: "emulator", error_description: { message: String(error) } } };
}

export function emulatorHandler({ state, clock, random, entra, store }: Parts): EmulatorHandler {
  let counts: RequestCounts = {};
  const count = (operation: string, result: string | number) => countRequest(counts, operation, result);
  const graph = graphEndpoint({ state, clock, random, checkToken: tokenChecker(entra), count });

  const reset = () => {
    const { journal } = state.model;
    journal?.cleared();
    const { model, throttle } = newGraphState(state.behaviour, state.faults, newModel(journal));
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
    answerEntra(request, response);
  };

  const answerEntra = (request: IncomingMessage, response: ServerResponse) => {
    readBody(request, (body) => {
      if (body.kind !== "text") return resetConnection(request);
      const reply = replyOfEntra(request, body.text);
      const write = ({ status, body: content }: EntraReply) => {
        count("entra", status);
        writeReply(response, {
          status,
          headers: ["cache-control", "no-store"],
          text: JSON.stringify(content),
        });
      };
      if (reply instanceof Promise) reply.then(write, (error) => write(failed(error)));
      else write(reply);
    });
  };

  const replyOfEntra = (request: IncomingMessage, text: string): EntraReply | Promise<EntraReply> => {
    if (state.behaviour.outage === "unavailable" || drawTokenFault(state.faults, random) !== null)
      return unavailable;
    const correlationId = header(request, "client-request-id") ?? randomUuid(random);
    const call = { wallMs: clock.wallMs(), traceId: randomUuid(random), correlationId };
    const reply = entraReply(entra, call, { request, text });
    if (reply !== null) return reply;
    const description = `Nothing is at ${(request.url ?? "").slice(0, 64)}; Graph is under ${graphPrefix}.`;
    return { status: 404, body: { error: "not_found", error_description: description } };
  };

  const controlled = { state, entra, store, counts: () => counts, reset };

  const answerControl = (request: IncomingMessage, response: ServerResponse, url: string) => {
    readBody(request, (body) => {
      if (body.kind !== "text") return resetConnection(request);
      const reply = control(controlled, { method: request.method ?? "GET", url, text: body.text });
      writeReply(response, { status: reply.status, headers: [], text: JSON.stringify(reply.body) });
    });
  };

  return { listener, counts: () => counts, reset, close: graph.close };
}
