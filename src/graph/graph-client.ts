/**
 * The Graph port on @microsoft/microsoft-graph-client, with an own middleware chain over undici:
 * authentication, telemetry, HTTP.
 *
 * Invariants
 * 1. Nothing is retried, except once with a new token after a 401, which certainly did nothing.
 * 2. Each exchange settles within the request time-out, token and body included, and sends nothing afterwards.
 * 3. The tenant's token goes to the origin of the base URL and nowhere else.
 */
import { strict as assert } from "node:assert";
import { Client } from "@microsoft/microsoft-graph-client";
import { Pool } from "undici";
import type { CreateRequest, Graph, GraphReply, GraphSilence } from "../graph-port.ts";
import type { Clock } from "../ports.ts";
import { readRawAnswer, requireObject } from "./answer.ts";
import { batchToCreate, collectionPath, maxBatchItems, objectToCreate, readBatch } from "./batch.ts";
import { graphAddresses } from "./clouds.ts";
import { describeError, isUntrusted } from "./connect-error.ts";
import type { Connector } from "./connector.ts";
import { connectorsFor } from "./connectors.ts";
import { type Apps, createApps, type TenantApp } from "./credentials/apps.ts";
import { openAuthority } from "./credentials/authority-client.ts";
import type { AppSettings } from "./credentials/credential.ts";
import type { CertificateNote } from "./credentials/files.ts";
import {
  createTokenCache,
  defaultTokenCacheSettings,
  type TokenResult,
  type TokenSource,
} from "./credentials/token-cache.ts";
import { silence } from "./exchange.ts";
import { list } from "./list.ts";
import { authenticationMiddleware, telemetryMiddleware } from "./middleware.ts";
import { type Environment, proxyFor } from "./proxy.ts";
import { type Send, sender } from "./send.ts";
import { httpMiddleware } from "./transport.ts";

export interface GraphSettings extends AppSettings {
  /** A proxy or emulator in place of the cloud's Graph, without a version; http:// is allowed. */
  readonly baseUrl: string | null;
  /** Bound of one exchange: token, request and the whole answer. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  /** PEM file of a CA to trust beside the usual ones. */
  readonly caFile?: string | null;
  /** Names proxies, in the usual variables; default: none. */
  readonly environment?: Environment;
  /** In place of what `caFile` and `environment` say: for clouds that are opened later, when that file may be gone. */
  readonly connectTo?: (target: URL) => Connector;
  readonly onCertificate?: (note: CertificateNote) => void;
  /** Applications of single tenants; default: the settings' own for all. */
  readonly appOf?: (tenantId: string) => TenantApp;
}

export interface OpenedGraph {
  readonly graph: Graph;
  /** The token that requests of this tenant carry, for those who look into it. */
  tokenOf(tenantId: string): Promise<TokenResult>;
  /** It is served with another application or credential now: its next request asks for a new one. */
  forgetToken(tenantId: string): void;
  /** Of the certificates in use. */
  expiries: Apps["expiries"];
  /** Opens a connection to Graph and closes it, without a request. Null: that worked. */
  reach(): Promise<GraphSilence | null>;
  close(): Promise<void>;
}

/**
 * Opens no connection yet. `tokenSource`: instead of the settings' credential.
 * Throws when the CA file can't be read or a variable for a proxy is not a URL: the caller validates its settings first.
 */
export function openGraph(settings: GraphSettings, clock: Clock, tokenSource?: TokenSource): OpenedGraph {
  const addresses = graphAddresses(settings);
  const baseUrl = new URL(addresses.graph);
  const environment = settings.environment ?? {};
  const { caFile = null, requestTimeoutMs: connectTimeoutMs } = settings;
  const connectTo = settings.connectTo ?? connectorsFor({ caFile, environment, connectTimeoutMs }, clock);
  const authorityConnector = connectTo(new URL(addresses.authority));
  const { onCertificate: onNote = () => {} } = settings;
  const authority = openAuthority(authorityConnector, settings.maxConnections, clock);
  const apps = createApps(settings, settings.appOf ?? (() => settings), { authority, clock, onNote });
  const tokens = createTokenCache(
    tokenSource ?? apps.token,
    { ...defaultTokenCacheSettings, acquireTimeoutMs: settings.requestTimeoutMs },
    clock,
  );
  const connector = connectTo(baseUrl);
  const pool = new Pool(baseUrl.origin, {
    connections: settings.maxConnections,
    pipelining: 1,
    // HTTP/2 streams can be refused and sent again; one request a connection can't.
    allowH2: false,
    connect: connector.connect,
  });
  const isSecure = baseUrl.protocol === "https:";
  const client = Client.initWithMiddleware({
    baseUrl: baseUrl.origin + baseUrl.pathname.replace(/\/+$/, ""),
    defaultVersion: "beta",
    middleware: [
      authenticationMiddleware(tokens),
      telemetryMiddleware(),
      httpMiddleware(pool, baseUrl.origin, isSecure ? null : proxyFor(baseUrl, environment)),
    ],
  });
  const send = sender(client, settings.requestTimeoutMs, clock);
  return {
    graph: {
      create: (tenantId, items) => create(send, tenantId, items),
      // If it fails, the create reports why.
      prepare: (tenantId) => void tokens.get(tenantId),
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
    forgetToken: tokens.forget,
    expiries: apps.expiries,
    reach: () => reach(connector, baseUrl),
    close: async () => {
      tokens.close();
      const destroyed = [pool.destroy(), authority.close()];
      connector.close();
      authorityConnector.close();
      await Promise.all(destroyed);
    },
  };
}

function reach(
  connector: Connector,
  { protocol, hostname, host, port, origin }: URL,
): Promise<GraphSilence | null> {
  return new Promise((resolve) => {
    connector.connect({ protocol, hostname, host, port }, (...[error, socket]) => {
      socket?.destroy();
      if (error === null) return resolve(null);
      const detail = `Graph (${origin}) can't be reached: ${describeError(error)}`;
      resolve(silence("connect", { sent: false, detail, code: isUntrusted(error) ? "untrusted-ca" : null }));
    });
  });
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
