/** Starts an emulator for a test, and talks to it as a client would: undici, the CA, a token from its own endpoint. */

import type { TestContext } from "node:test";
import { Agent, request } from "undici";
import { seededRandom } from "../../emulator/random.ts";
import type { Call } from "../../emulator/reply.ts";
import { type Emulator, type EmulatorSettings, startEmulator } from "../../emulator/server.ts";
import type { Clock } from "../../src/ports.ts";

export const clientId = "11111111-1111-4111-8111-111111111111";
export const clientSecret = "a-secret-for-tests";
export const tenantA = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
export const tenantB = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
export const collection = "/beta/deviceManagement/certificateConnectorDetails";

/** The documented example of the create operation. */
export const example = {
  "@odata.type": "#microsoft.graph.certificateConnectorDetails",
  connectorName: "Connector Name value",
  machineName: "Machine Name value",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "Connector Version value",
};

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** Undefined where the body is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at bodies of any shape
  readonly json: any;
}

/** `body`: JSON unless a string. */
export type Send = (method: string, path: string, body?: unknown) => Promise<Answer>;

export interface Client {
  readonly emulator: Emulator;
  readonly send: Send;
  /** Sends with these headers. */
  sendWith(headers: Readonly<Record<string, string>>): Send;
  token(tenantId: string, fields?: Record<string, string>): Promise<Answer>;
  /** Sends with a token of that tenant. */
  as(tenantId: string): Promise<Send>;
}

/** Closed when the test ends. */
export async function emulatorFor(
  test: TestContext,
  settings: Partial<EmulatorSettings> = {},
  scheme: "https" | "http" = "https",
): Promise<Client> {
  const emulator = await startEmulator({ clientId, clientSecret, httpPort: 0, ...settings });
  const agent = new Agent({ connect: { ca: emulator.caPem } });
  test.after(async () => {
    await agent.destroy();
    await emulator.close();
  });
  const origin = scheme === "https" ? emulator.httpsUrl : emulator.httpUrl!;

  const sendWith: Client["sendWith"] = (headers) => async (method, path, body) => {
    const response = await request(path.startsWith("http") ? path : origin + path, {
      dispatcher: agent,
      method: method as "GET",
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text, json: jsonOf(text) };
  };
  const token: Client["token"] = (tenantId, fields = {}) => {
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: "https://graph.microsoft.com/.default",
      ...fields,
    });
    const type = { "content-type": "application/x-www-form-urlencoded" };
    return sendWith(type)("POST", `/${tenantId}/oauth2/v2.0/token`, form.toString());
  };
  const as: Client["as"] = async (tenantId) => {
    const { json } = await token(tenantId);
    return sendWith({ authorization: `Bearer ${json.access_token}` });
  };
  return { emulator, send: sendWith({}), sendWith, token, as };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Settles once something waits for the clock. */
  waitedFor(): Promise<void>;
}

export function manualClock(wallMs = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsedMs = 0;
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  let onTimer: (() => void) | null = null;
  return {
    nowMs: () => elapsedMs,
    wallMs: () => wallMs + elapsedMs,
    after: (delayMs, callback) => {
      const timer = { dueMs: elapsedMs + delayMs, callback };
      timers.add(timer);
      onTimer?.();
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      elapsedMs += ms;
      for (const timer of [...timers].filter(({ dueMs }) => dueMs <= elapsedMs)) {
        timers.delete(timer);
        timer.callback();
      }
    },
    waitedFor: () =>
      new Promise((resolve) => {
        onTimer = resolve;
        if (timers.size > 0) resolve();
      }),
  };
}

/** A call of the pure parts. */
export function callOf(tenantId: string, nowMs = 0, random = seededRandom(1)): Call {
  const requestId = "00000000-0000-4000-8000-000000000001";
  const linkBase = "https://graph.example/beta";
  const wallMs = Date.UTC(2026, 0, 1) + nowMs;
  return { tenantId, nowMs, wallMs, random, requestId, clientRequestId: requestId, linkBase };
}
