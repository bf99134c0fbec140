/** The Graph emulator in a process of its own, set up again for each run through its control endpoint. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, request } from "undici";
import { type Child, startChild } from "./child.ts";

export interface GraphSetUp {
  readonly latencyMs: number;
  /** Writes for one tenant in `windowMs`; null: no throttling. */
  readonly throttle: { readonly writes: number; readonly windowMs: number } | null;
  readonly retryAfter: "seconds" | "absent";
  /** Answered 403 throughout. */
  readonly blockedTenants: readonly string[];
}

/** Creates by their status, batch items and plain requests together. */
export interface GraphCounts {
  readonly created: number;
  readonly duplicates: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Answered requests to Entra: tokens, and at first where an authority has its endpoints. */
  readonly entraRequests: number;
}

export interface GraphPlace {
  readonly child: Child;
  readonly url: string;
  readonly caFile: string;
  readonly clientId: string;
  readonly clientSecret: string;
  setUp(changes: Partial<GraphSetUp>): Promise<void>;
  counts(): Promise<GraphCounts>;
  /** A bearer token, for those who bring no means of their own to get one. */
  token(tenantId: string): Promise<string>;
  close(): Promise<void>;
}

const quick: GraphSetUp = { latencyMs: 0, throttle: null, retryAfter: "seconds", blockedTenants: [] };
const startTimeoutMs = 30_000;

export async function openGraphPlace(directory: string): Promise<GraphPlace> {
  const exports: Record<string, string> = {};
  const announced = Promise.withResolvers<void>();
  const child = startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, "../../emulator/main.ts"), "--https-port", "0"].concat([
      "--throttle",
      "0",
      "--ca-dir",
      join(directory, "ca"),
    ]),
    environment: {},
    logFile: join(directory, "emulator.log"),
    onLine(line) {
      const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined) exports[name] = value!;
      if (name === "AZURE_CLIENT_SECRET") announced.resolve();
    },
  });
  const timer = setTimeout(
    () => announced.reject(new Error(`the emulator does not start:\n${child.lastWords()}`)),
    startTimeoutMs,
  );
  await announced.promise;
  clearTimeout(timer);
  const url = exports.GRAPH_BASE_URL!;
  const caFile = exports.GRAPH_CA_FILE!;
  const clientId = exports.AZURE_CLIENT_ID!;
  const clientSecret = exports.AZURE_CLIENT_SECRET!;
  const agent = new Agent({ connect: { ca: readFileSync(caFile) } });
  const ask = async (method: "GET" | "PUT" | "POST", path: string, body?: string) => {
    const headers = { "content-type": path.startsWith("_control") ? "application/json" : form };
    const answer = await request(`${url}/${path}`, {
      method,
      dispatcher: agent,
      ...(body === undefined ? {} : { body, headers }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`the emulator refuses ${method} ${path}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    child,
    url,
    caFile,
    clientId,
    clientSecret,
    async setUp(changes) {
      const { latencyMs, throttle, retryAfter, blockedTenants } = { ...quick, ...changes };
      await ask("PUT", "_control/faults", JSON.stringify({ latency: { kind: "fixed", ms: latencyMs } }));
      const limits =
        throttle === null
          ? null
          : {
              windowMs: throttle.windowMs,
              writesPerAppAndTenant: throttle.writes,
              writesPerTenant: throttle.writes * 2,
            };
      const blocks = Object.fromEntries(blockedTenants.map((tenantId) => [tenantId, "forbidden"]));
      await ask("PUT", "_control/settings", JSON.stringify({ throttle: limits, retryAfter, blocks }));
      await ask("POST", "_control/reset", "{}");
    },
    async counts() {
      const stats = (await ask("GET", "_control/stats")) as unknown as Stats;
      const byStatus: Record<string, number> = {};
      for (const operation of ["create", "batch-item"]) {
        for (const [status, count] of Object.entries(stats.requests[operation] ?? {}))
          byStatus[status] = (byStatus[status] ?? 0) + count;
      }
      const entraRequests = stats.requests.entra?.["200"] ?? 0;
      return { created: stats.createdCount, duplicates: stats.duplicateObjectCount, byStatus, entraRequests };
    },
    async token(tenantId) {
      const scope = "https://graph.microsoft.com/.default";
      const grant = {
        grant_type: "client_credentials",
        client_id: clientId,
        client_secret: clientSecret,
        scope,
      };
      const path = `${tenantId}/oauth2/v2.0/token`;
      return String((await ask("POST", path, new URLSearchParams(grant).toString())).access_token);
    },
    async close() {
      await agent.destroy();
      await child.stop();
    },
  };
}

interface Stats {
  readonly requests: Record<string, Record<string, number>>;
  readonly createdCount: number;
  readonly duplicateObjectCount: number;
}

const form = "application/x-www-form-urlencoded";
