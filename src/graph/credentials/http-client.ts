/**
 * The HTTP client under @azure/identity for managed identities. Each request ends with the acquisition that it belongs to, and
 * the last answer is remembered: the library's errors say less.
 *
 * MSAL keeps the first client that it was given for managed identities, for the whole process. So there is one for all of
 * them, which finds the acquisition by the asynchronous context: with one made for an acquisition, a time-out of the first one
 * would end all later ones.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createDefaultHttpClient, type HttpClient, type PipelineRequest } from "@azure/core-rest-pipeline";
import type { AuthorityAnswer } from "./failure.ts";

export interface Acquisition {
  readonly signal: AbortSignal;
  /** Null: nothing was asked. */
  answer: AuthorityAnswer | null;
}

const usual = createDefaultHttpClient();
const current = new AsyncLocalStorage<Acquisition>();

/** To the machine itself: without TLS, and no proxy reaches it. For what runs inside `acquiring`. */
export const machineClient: HttpClient = {
  sendRequest: (request) => {
    delete request.agent;
    return send(request, current.getStore() ?? { signal: neverAborted, answer: null });
  },
};

export function acquiring<T>(acquisition: Acquisition, work: () => Promise<T>): Promise<T> {
  return current.run(acquisition, work);
}

const neverAborted = new AbortController().signal;

async function send(request: PipelineRequest, acquisition: Acquisition) {
  const { protocol, hostname, port } = new URL(request.url);
  const host = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  // MSAL hands no signal on: without this an acquisition that was given up would live on.
  request.abortSignal = AbortSignal.any([acquisition.signal, ...nativeSignals(request.abortSignal)]);
  try {
    const response = await usual.sendRequest(request);
    const body = (response.bodyAsText ?? "").slice(0, 4_096);
    acquisition.answer = { host, status: response.status, body };
    return response;
  } catch (error) {
    acquisition.answer = { host, error: causeOf(error) };
    throw error;
  }
}

/** The library wraps what the connection met, and keeps it as the cause. */
function causeOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? error.cause : error;
}

function nativeSignals(signal: unknown): AbortSignal[] {
  return signal instanceof AbortSignal ? [signal] : [];
}
