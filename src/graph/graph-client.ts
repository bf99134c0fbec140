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
import { Client } from "@microsoft/microsoft-graph-client";
import { Pool } from "undici";
import type { Clock, CreateRequest, Graph, GraphReply } from "../ports.ts";
import { readRawAnswer, requireObject } from "./answer.ts";
import { batchToCreate, collectionPath, maxBatchItems, objectToCreate, readBatch } from "./batch.ts";
import { type CloudName, clouds, scopeOf } from "./clouds.ts";
import { createConnector } from "./connector.ts";
import { type Credential, createTokenSource } from "./credentials.ts";
import { list } from "./list.ts";
import { authenticationMiddleware, telemetryMiddleware } from "./middleware.ts";
import type { ProxyServer } from "./proxy.ts";
import { type Send, sender } from "./send.ts";
import {
  createTokenCache,
  defaultTokenCacheSettings,
  type TokenResult,
  type TokenSource,
} from "./token-cache.ts";
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

export interface OpenedGraph {
  readonly graph: Graph;
  /** The token that requests of this tenant carry, for whoever looks into it. */
  tokenOf(tenantId: string): Promise<TokenResult>;
  close(): Promise<void>;
}

/**
 * Opens no connection yet. `tokenSource`: instead of the settings' credential.
 * Throws when the CA file can't be read: the caller validates its settings first.
 */
export function openGraph(settings: GraphSettings, clock: Clock, tokenSource?: TokenSource): OpenedGraph {
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
    tokenOf: async (tenantId) => tokens.get(tenantId),
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
