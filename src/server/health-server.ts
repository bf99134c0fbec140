/** /livez, /readyz and /metrics on one port, for orchestrators, Prometheus and people. */
import { createServer, type ServerResponse } from "node:http";
import type { Problem } from "../problem.ts";
import { listen, urlOf } from "./http/listen.ts";

export interface Readiness {
  readonly ready: boolean;
  /** One line each: which part, and why. */
  readonly notReady: readonly string[];
  /** Tenants that Graph refuses, the first ones, in its words; not there: nothing is known of any. */
  readonly blockedTenants?: readonly object[];
}

export interface HealthSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly readiness: () => Readiness;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface HealthServer {
  /** With the port that was bound. */
  readonly url: string;
  close(): Promise<void>;
}

export type OpenedHealthServer =
  | { readonly ok: true; readonly server: HealthServer }
  | {
      readonly ok: false;
      readonly problem: Problem;
    };

export async function openHealthServer(settings: HealthSettings): Promise<OpenedHealthServer> {
  // Few connections are taken, so none may hold one for long: neither by silence nor by not reading.
  const times = { requestTimeout: 5_000, keepAliveTimeout: 2_000, connectionsCheckingInterval: 1_000 };
  const server = createServer(times, (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return answer(response, 405, { error: "only GET and HEAD" });
    }
    return route(path, settings, response).catch((error: unknown) => {
      if (!response.headersSent) answer(response, 500, { error: String(error) });
    });
  });
  server.maxConnections = 64;
  server.timeout = stalledTimeoutMs;
  const place = {
    host: settings.host,
    port: settings.port,
    hostVariable: "HTTP_HOST",
    portVariable: "HTTP_PORT",
    defaultPort: null,
  };
  const problem = await listen(server, place);
  if (problem !== null) return { ok: false, problem };
  return {
    ok: true,
    server: {
      url: urlOf(server, "http", settings.host),
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    },
  };
}

const stalledTimeoutMs = 10_000;

async function route(path: string, settings: HealthSettings, response: ServerResponse): Promise<void> {
  if (path === "/livez") return answer(response, 200, { live: true });
  if (path === "/readyz") {
    const { ready, notReady, blockedTenants } = settings.readiness();
    return answer(response, ready ? 200 : 503, { ready, notReady, blockedTenants });
  }
  if (path === "/metrics") {
    const text = await settings.metrics.text();
    response.writeHead(200, { "content-type": settings.metrics.contentType }).end(text);
    return;
  }
  return answer(response, 404, { error: `no ${path} here`, try: ["/livez", "/readyz", "/metrics"] });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
