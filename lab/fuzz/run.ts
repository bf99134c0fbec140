/**
 * Hostile requests through the whole HTTP service, over real connections: none may end it, none may be answered 500, none may get what
 * decode() refuses into the log, and no answer may show the token.
 */

import { connect } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { seededRandom } from "../../src/cli/samples/random.ts";
import { systemClock } from "../../src/clock.ts";
import { decode } from "../../src/domain/decode.ts";
import type { Clock, EventLog, NewRecord } from "../../src/ports.ts";
import { openEntra } from "../../src/server/auth/entra.ts";
import type { TokenStore } from "../../src/server/auth/token-store.ts";
import { tokenHash } from "../../src/server/auth/tokens-file.ts";
import type { ServiceParts } from "../../src/server/parts.ts";
import { openService } from "../../src/server/service.ts";
import { openServiceMetrics } from "../../src/server/service-metrics.ts";
import { onLoopback } from "../testkit/on-loopback.ts";
import { hostileRequest } from "./hostile-requests.ts";

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  readonly connections: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number, rssMb: number) => void;
  /** Of the service, in place of those that are well. */
  readonly parts?: Partial<ServiceParts>;
}

export interface FuzzResult {
  readonly sent: number;
  /** 0: the connection was closed without an answer. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Events that were stored, all of them right. */
  readonly stored: number;
  /** The first ones, each with its request. Empty: all is well. */
  readonly problems: readonly string[];
}

const secret = "crt_secret-that-must-not-show";
const times = {
  ...{ headersTimeoutMs: 300, requestTimeoutMs: 400, idleTimeoutMs: 200 },
  ...{ stalledTimeoutMs: 5_000, sweepIntervalMs: 50 },
};
/** All that may be answered; 500 is not among them. */
const allowed = new Set([
  ...[0, 100, 200, 201, 202, 204, 303, 400, 401, 403, 404, 405, 406, 408, 413, 415, 417, 421, 429, 431, 503],
]);
const problemsMax = 10;
const progressEvery = 50_000;

/** Who asks to wait for an outcome has no time for it here. */
const impatient: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(Math.min(delayMs, 20), callback),
};

export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { count, seed, connections, signal, onProgress } = options;
  const problems: string[] = [];
  const problem = (text: string) => void (problems.length < problemsMax && problems.push(text));
  const { service, metrics, storedCount } = await serviceFor(problem, options.parts ?? {});
  const { host, port } = new URL(service.url);
  const random = seededRandom(seed);
  const statuses: Record<number, number> = {};
  let sent = 0;
  const sender = async () => {
    while (sent < count && !signal.aborted) {
      if (++sent % progressEvery === 0) onProgress(sent, process.memoryUsage.rss() / 1024 / 1024);
      const request = hostileRequest(random, host, secret);
      const answer = await exchange(Number(port), request);
      const status = answer === "" ? 0 : Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? Number.NaN);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (allowed.has(status) && !answer.includes(secret)) continue;
      problem(`${status}: ${request.toString("latin1").slice(0, 2_000)}\n${answer.slice(0, 500)}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
  const live = await fetch(`${service.url}/livez`);
  if (live.status !== 200) problem(`/livez answers ${live.status}`);
  if (!/pending_events 0$/m.test(await metrics.text()))
    problem("events are left that the log has not confirmed");
  await service.stop(0);
  return { sent, statuses, stored: storedCount(), problems };
}

/** With tokens, Entra, and a log that keeps nothing but looks at what it is given. */
async function serviceFor(problem: (text: string) => void, parts: Partial<ServiceParts>) {
  let stored = 0;
  const look = (record: NewRecord) => {
    if (decode(record, () => true).ok) stored++;
    else problem(`stored, but refused by decode(): ${Buffer.from(record.value ?? []).toString("latin1")}`);
  };
  const notHere = () => Promise.reject(new Error("only events are appended here"));
  const log: EventLog = {
    partitionCount: 4,
    append: async (records) => {
      records.forEach(look);
      return { ok: true };
    },
    ...{ scan: notHere, survey: notHere, join: notHere },
  };
  const metrics = openServiceMetrics(false);
  const opened = await openService(
    {
      ...onLoopback,
      times,
    },
    {
      clock: impatient,
      doors: { tokens: oneToken(), entra: await entraWithKey() },
      ...{ log: () => log, index: () => null, isTenantAllowed: () => true, tenantsServed: () => null },
      readiness: () => ({ ready: true, notReady: [] }),
      ...{ metrics, metricsText: () => metrics.text(), eventsPerSecond: 0, whyTenantWaits: () => null },
      workers: { look: async () => [], isBlind: true },
      writeExport: () => null,
      note: ({ message }) => problem(message),
      version: "0",
      ...parts,
    },
  );
  if (!opened.ok) throw new Error(opened.problem.message);
  return { service: opened.service, metrics, storedCount: () => stored };
}

function oneToken(): TokenStore {
  const principalOfHash: TokenStore["principalOfHash"] = (hash) =>
    hash === tokenHash(secret) ? { name: "fuzz", tenants: "all", role: "installer" } : null;
  return { principalOf: (token) => principalOfHash(tokenHash(token)), principalOfHash, problem: () => null };
}

async function entraWithKey() {
  const { publicKey } = await generateKeyPair("RS256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }] };
  const settings = { authorityHost: "http://authority", audience: "a", role: "r" };
  return openEntra({ ...settings, fetch: async () => Response.json(keys) }, systemClock);
}

/** What comes back until the connection ends, which the service sees to. */
function exchange(port: number, request: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => resolve(text));
    socket.write(request);
  });
}
