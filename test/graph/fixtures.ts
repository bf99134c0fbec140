import type { TestContext } from "node:test";
import type { TokenSource } from "../../src/graph/credentials/token-cache.ts";
import { type GraphSettings, openGraph } from "../../src/graph/graph-client.ts";
import type { CreateRequest, Graph } from "../../src/graph-port.ts";
import type { Clock } from "../../src/ports.ts";
import { createManualClock } from "./manual-clock.ts";
import { startWireServer, type WireRequest, type WireServer } from "./wire-server.ts";

export const tenantId = "6f4e6b2a-8d5c-4a5e-9a64-1f0f1c8f3a01";
export const requestTimeoutMs = 10_000;

/** The documented example's properties. */
export const exampleDetails = {
  connectorName: "Connector Name value",
  machineName: "Machine Name value",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "Connector Version value",
};

/** The `n`th of distinct requests; without an id unless one is given. */
export function createRequest(n = 1, id: string | null = null): CreateRequest {
  const digits = String(n).padStart(12, "0");
  return {
    details: { ...exampleDetails, machineName: `machine-${n}` },
    id,
    idempotencyKey: `00000000-0000-5000-8000-${digits}`,
    clientRequestId: `00000000-0000-4000-8000-${digits}`,
  };
}

export function idOf(n: number): string {
  return `104d7361-7361-104d-6173-${String(n).padStart(12, "0")}`;
}

export const staticToken: TokenSource = async () => ({
  ok: true,
  token: "a-token",
  expiresAtWallMs: Date.now() + 3_600_000,
});

type Changes = Partial<GraphSettings> & { readonly tokens?: TokenSource };

export function openAgainst(
  baseUrl: string,
  clock: Clock,
  { tokens = staticToken, ...overrides }: Changes = {},
) {
  const settings: GraphSettings = {
    cloud: "global",
    baseUrl,
    authorityHost: null,
    clientId: "3f1d6f9e-0000-4000-8000-000000000001",
    credential: { kind: "client-secret", secret: { from: "text", text: "a-secret" } },
    requestTimeoutMs,
    maxConnections: 4,
    ...overrides,
  };
  return openGraph(settings, clock, tokens);
}

/** A wire server and an adapter for it; both are closed when the test ends, however it ends. */
export async function serve(
  context: TestContext,
  answer: (request: WireRequest, index: number) => void,
  { clock = createManualClock(), ...changes }: Changes & { readonly clock?: Clock } = {},
): Promise<{ graph: Graph; server: WireServer }> {
  const server = await startWireServer(answer);
  const { graph, close } = openAgainst(server.url, clock, changes);
  context.after(async () => {
    await close();
    await server.close();
  });
  return { graph, server };
}
