/**
 * The HTTP client under @azure/identity, one for each acquisition: it ends with it, connects as requests to Graph do, and
 * remembers the last answer.
 */
import type { Agent } from "node:https";
import { createDefaultHttpClient, type HttpClient } from "@azure/core-rest-pipeline";
import type { AuthorityAnswer } from "./failure.ts";

export interface ObservedClient {
  readonly httpClient: HttpClient;
  /** Null: nothing was asked. */
  lastAnswer(): AuthorityAnswer | null;
}

const usual = createDefaultHttpClient();

/** `agent`: for the authority, in place of the one that the library chose by the variables for proxies. */
export function observedClient(agent: Agent, signal: AbortSignal): ObservedClient {
  let answer: AuthorityAnswer | null = null;
  const httpClient: HttpClient = {
    async sendRequest(request) {
      const { protocol, hostname, port } = new URL(request.url);
      const isSecure = protocol === "https:";
      const host = `${hostname}:${port || (isSecure ? 443 : 80)}`;
      // MSAL hands no signal on: without this an acquisition that was given up would live on.
      request.abortSignal = AbortSignal.any([signal, ...nativeSignals(request.abortSignal)]);
      // What answers without TLS is the machine itself: no proxy reaches it.
      if (isSecure) request.agent = agent;
      else delete request.agent;
      try {
        const response = await usual.sendRequest(request);
        answer = { host, status: response.status, body: (response.bodyAsText ?? "").slice(0, 4_096) };
        return response;
      } catch (error) {
        answer = { host, error: causeOf(error) };
        throw error;
      }
    },
  };
  return { httpClient, lastAnswer: () => answer };
}

/** The library wraps what the connection met, and keeps it as the cause. */
function causeOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? error.cause : error;
}

function nativeSignals(signal: unknown): AbortSignal[] {
  return signal instanceof AbortSignal ? [signal] : [];
}
