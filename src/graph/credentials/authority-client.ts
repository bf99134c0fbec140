/**
 * HTTP to the authority, under @azure/identity: over connections that are kept, made as those to Graph are (the same proxy, the
 * same trusted authorities, which the library's own handling of proxies leaves out).
 *
 * 1. Each request ends with the acquisition that it belongs to: MSAL hands no signal on.
 * 2. What was answered last, or went wrong, is remembered for the acquisition: the library's errors say less.
 * 3. A request whose connection broke without an answer is sent once more: a kept connection may have been closed in between.
 *    To ask twice for a token does nothing twice.
 */
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import { Agent } from "undici";
import type { Clock } from "../../ports.ts";
import type { Connector } from "../connector.ts";
import { createDiscovery } from "./discovery.ts";
import type { Acquisition } from "./http-client.ts";

export interface Authority {
  client(acquisition: Acquisition): HttpClient;
  close(): Promise<void>;
}

/** Its documents and tokens are a few kilobytes. */
const maxAnswerBytes = 1_048_576;
/** An authority that says how long it keeps a connection is believed, up to a minute: what lies between may forget it. */
const keepAliveMs = 4_000;
const keepAliveMaxMs = 60_000;
const broken: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** `connections`: the most at a time. Opens none yet. */
export function openAuthority(
  { connect }: Pick<Connector, "connect">,
  connections: number,
  clock: Clock,
): Authority {
  const agent = new Agent({
    connections,
    pipelining: 1,
    allowH2: false,
    connect,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMaxMs,
    maxResponseSize: maxAnswerBytes,
    // The acquisition's own limit covers the whole.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const discovery = createDiscovery(clock);

  async function ask(request: PipelineRequest, url: URL, signal: AbortSignal): Promise<PipelineResponse> {
    const { body, method } = request;
    const headers = request.headers.toJSON();
    delete headers["accept-encoding"];
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      body: typeof body === "string" ? body : null,
      signal, // 1
    });
    const bodyAsText = await answer.body.text();
    return {
      request,
      status: answer.statusCode,
      headers: createHttpHeaders(singles(answer.headers)),
      bodyAsText,
    };
  }

  async function send(request: PipelineRequest, acquisition: Acquisition): Promise<PipelineResponse> {
    const url = new URL(request.url);
    if (request.method !== "GET") return exchange(request, url, acquisition);
    const found = await discovery.find(url, acquisition.signal);
    if (found.document !== null) {
      const headers = createHttpHeaders({ "content-type": "application/json" });
      return { request, status: 200, headers, bodyAsText: found.document };
    }
    let document: string | null = null;
    try {
      const response = await exchange(request, url, acquisition);
      if (response.status === 200) document = response.bodyAsText!;
      return response;
    } finally {
      found.end(document);
    }
  }

  async function exchange(
    request: PipelineRequest,
    url: URL,
    acquisition: Acquisition,
  ): Promise<PipelineResponse> {
    const host = `${url.hostname}:${url.port || 443}`;
    const { signal } = acquisition;
    try {
      const response = await ask(request, url, signal).catch((error) => {
        if (signal.aborted || !broken.has(error.code)) throw error;
        return ask(request, url, signal); // 3
      });
      acquisition.answer = { host, status: response.status, body: response.bodyAsText!.slice(0, 4_096) }; // 2
      return response;
    } catch (error) {
      acquisition.answer = { host, error: error as Error };
      throw error;
    }
  }

  return {
    client: (acquisition) => ({ sendRequest: (request) => send(request, acquisition) }),
    close: () => agent.destroy(),
  };
}

function singles(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
