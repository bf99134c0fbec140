/**
 * The Graph port on @microsoft/microsoft-graph-client, with an own middleware chain over undici:
 * authentication, telemetry, HTTP.
 *
 * Invariants
 * 1. Nothing is retried, but for one repetition with a new token after a 401, which certainly did nothing.
 * 2. Each exchange settles within the request time-out, token and body included, and sends nothing afterwards.
 * 3. The tenant's token goes to the origin of the base URL and nowhere else.
 */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createSecureContext, getCACertificates } from "node:tls";
import { Client, ResponseType } from "@microsoft/microsoft-graph-client";
import { Pool } from "undici";
import { elapsedMs, momentOf } from "../moment.ts";
import type { Clock, CreateRequest, Graph, GraphReply, ListReply } from "../ports.ts";
import { readPage, readRawAnswer, requireObject } from "./answer.ts";
import { batchToCreate, collectionPath, maxBatchItems, objectToCreate, readBatch } from "./batch.ts";
import { type CloudName, clouds, scopeOf } from "./clouds.ts";
import { createConnector } from "./connector.ts";
import { type Credential, createTokenSource } from "./credentials.ts";
import { type Exchange, type Outcome, silence } from "./exchange.ts";
import { authenticationMiddleware, telemetryMiddleware } from "./middleware.ts";
import type { ProxyServer } from "./proxy.ts";
import { createTokenCache, defaultTokenCacheSettings, type TokenSource } from "./token-cache.ts";
import { httpMiddleware } from "./transport.ts";

export interface GraphSettings {
  readonly cloud: CloudName;
  /** A proxy or simulator in place of the cloud's Graph, without a version; http:// is allowed. */
  readonly baseUrl: string | null;
  /** In place of the cloud's authority; https:// only. */
  readonly authorityHost: string | null;
  readonly clientId: string;
  readonly credential: Credential;
  /** Bound of one exchange: token, request and the whole answer. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  /** PEM file of a CA to trust beside the usual ones. */
  readonly caFile?: string | null;
  /** What requests to Graph go through. */
  readonly proxy?: ProxyServer | null;
}

const pageTriesMax = 3;
export const maxListPages = 1_000;

/**
 * Opens no connection yet. `tokenSource`: instead of the settings' credential.
 * Throws when the CA file can't be read: the caller validates its settings first.
 */
export function openGraph(
  settings: GraphSettings,
  clock: Clock,
  tokenSource?: TokenSource,
): { graph: Graph; close(): Promise<void> } {
  const ca = trustedCertificates(settings.caFile ?? null);
  const baseUrl = new URL(settings.baseUrl ?? clouds[settings.cloud].graphUrl);
  const source = tokenSource ?? sourceOf(settings, ca);
  const tokens = createTokenCache(
    source,
    { ...defaultTokenCacheSettings, acquireTimeoutMs: settings.requestTimeoutMs },
    clock,
  );
  const secureContext = ca === null ? null : createSecureContext({ ca: [...ca] });
  const connector = createConnector(
    { connectTimeoutMs: settings.requestTimeoutMs, secureContext, proxy: settings.proxy ?? null },
    clock,
  );
  const pool = new Pool(baseUrl.origin, {
    connections: settings.maxConnections,
    pipelining: 1,
    // HTTP/2 streams can be refused and sent again; one request a connection can't.
    allowH2: false,
    connect: connector.connect,
  });
  const client = Client.initWithMiddleware({
    baseUrl: baseUrl.origin + baseUrl.pathname.replace(/\/+$/, ""),
    defaultVersion: "beta",
    middleware: [
      authenticationMiddleware(tokens),
      telemetryMiddleware(),
      httpMiddleware(pool, baseUrl.origin),
    ],
  });
  const send = sender(client, settings.requestTimeoutMs, clock);
  return {
    graph: {
      create: (tenantId, items) => create(send, tenantId, items),
      list: (tenantId) => list(send, tenantId, baseUrl.origin),
      get: async (tenantId, id) => {
        const outcome = await send({ tenantId, method: "get", path: objectPath(id) });
        return outcome.kind === "raw" ? requireObject(readRawAnswer(outcome)) : outcome;
      },
      remove: async (tenantId, id) => {
        const outcome = await send({ tenantId, method: "delete", path: objectPath(id) });
        return outcome.kind === "raw" ? readRawAnswer(outcome) : outcome;
      },
    },
    close: async () => {
      tokens.close();
      const destroyed = pool.destroy();
      connector.close();
      await destroyed;
    },
  };
}

function objectPath(id: string): string {
  return `${collectionPath}/${encodeURIComponent(id)}`;
}

async function create(send: Send, tenantId: string, items: readonly CreateRequest[]): Promise<GraphReply[]> {
  assert(items.length <= maxBatchItems, "a batch holds at most 20 items");
  const [first] = items;
  if (first === undefined) return [];
  if (items.length === 1) {
    const body = JSON.stringify(objectToCreate(first));
    const headers = { "Idempotency-Key": first.idempotencyKey, "client-request-id": first.clientRequestId };
    const outcome = await send({ tenantId, method: "post", path: collectionPath, headers, body });
    return [outcome.kind === "raw" ? requireObject(readRawAnswer(outcome)) : outcome];
  }
  const outcome = await send({ tenantId, method: "post", path: "/$batch", body: batchToCreate(items) });
  return outcome.kind === "raw" ? readBatch(outcome, items.length) : items.map(() => outcome);
}

/** A page may be asked for again: of many pages one fails often, and all would have to be read anew. */
async function getPage(send: Send, tenantId: string, url: URL | null): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    const outcome = await send({ tenantId, method: "get", path: collectionPath, url });
    const isPassing =
      outcome.kind === "silence"
        ? outcome.sent
        : outcome.status >= 500 && !("retry-after" in outcome.headers);
    if (!isPassing || tries === pageTriesMax) return outcome;
  }
}

async function list(send: Send, tenantId: string, origin: string): Promise<ListReply> {
  const objects = [];
  const followed = new Set<string>();
  let url: URL | null = null;
  for (let page = 0; page < maxListPages; page++) {
    const outcome: Outcome = await getPage(send, tenantId, url);
    if (outcome.kind === "silence") return outcome;
    if (outcome.status !== 200) return readRawAnswer(outcome);
    const content = readPage(outcome.body);
    if (content === null) return silence("malformed", true, `page ${page + 1} of the list is unreadable`);
    for (const object of content.objects) objects.push(object);
    if (content.nextLink === null) return { kind: "listed", objects, incomplete: null };
    const next: URL | null = URL.parse(content.nextLink, url?.href ?? `${origin}/beta${collectionPath}`);
    if (next === null || next.origin !== origin) {
      const detail = `the list's next page is at ${next?.origin ?? "no valid URL"}, not at ${origin}: not followed`;
      return silence("malformed", true, `${detail}; check GRAPH_BASE_URL and GRAPH_CLOUD`);
    }
    if (followed.has(next.href)) return silence("malformed", true, "the list's pages form a circle");
    followed.add(next.href);
    url = next;
  }
  return silence("malformed", true, `the list has more than ${maxListPages} pages`);
}

interface Call {
  readonly tenantId: string;
  readonly method: "get" | "post" | "delete";
  /** Below the version. */
  readonly path: string;
  /** Requested as it is, instead of the path. */
  readonly url?: URL | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Send = (call: Call) => Promise<Outcome>;

function sender(client: Client, timeoutMs: number, clock: Clock): Send {
  return (call) =>
    new Promise((resolve) => {
      const { tenantId, url = null } = call;
      const begun = momentOf(clock);
      const isOver = () => exchange.settled || elapsedMs(begun, momentOf(clock)) >= timeoutMs;
      const exchange: Exchange = { tenantId, url, sent: false, settled: false, isOver, abort: null };
      const settle = (outcome: Outcome) => {
        if (exchange.settled) return;
        exchange.settled = true;
        cancel();
        exchange.abort?.();
        resolve(outcome);
      };
      const cancel = clock.after(timeoutMs, () => {
        settle(silence("timeout", exchange.sent, `no complete answer within ${timeoutMs} ms`));
      });
      const request = client
        .api(call.path)
        .headers({ Accept: "application/json", ...call.headers })
        .option("exchange", exchange)
        .responseType(ResponseType.RAW);
      const answered: Promise<Outcome> =
        call.method === "post" ? request.post(call.body) : request[call.method]();
      answered.then(settle, (error) => {
        // The chain answers with values; what it throws is a bug, but the request may be on its way.
        settle(silence("malformed", exchange.sent, `internal: ${String(error).slice(0, 200)}`));
      });
    });
}

function sourceOf(settings: GraphSettings, ca: readonly string[] | null): TokenSource {
  return createTokenSource({
    clientId: settings.clientId,
    credential: settings.credential,
    authorityHost: settings.authorityHost ?? clouds[settings.cloud].authorityHost,
    isCustomAuthority: settings.authorityHost !== null,
    scope: scopeOf(settings.cloud),
    ca,
  });
}

function trustedCertificates(caFile: string | null): readonly string[] | null {
  if (caFile === null) return null;
  // A list of one's own replaces the usual one: keep both.
  return [...getCACertificates("default"), readFileSync(caFile, "utf8")];
}
