/**
 * Hostile bodies, headers, paths and tokens: never a 500, never a crash, and nothing stored that decode() refuses.
 * FUZZ_REQUESTS and FUZZ_SEED set how many and which; a failure prints its request.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { documentedDetails, sampleEvent } from "../../lab/testkit/samples.ts";
import { seededRandom } from "../../src/cli/samples/random.ts";
import { systemClock } from "../../src/clock.ts";
import { decode } from "../../src/domain/decode.ts";
import type { Clock } from "../../src/ports.ts";
import { openEntra } from "../../src/server/auth/entra.ts";
import type { TokenStore } from "../../src/server/auth/token-store.ts";
import { tokenHash } from "../../src/server/auth/tokens-file.ts";
import { serviceFor } from "./service-harness.ts";

const requests = Number(process.env.FUZZ_REQUESTS ?? 1_500);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const times = { headersTimeoutMs: 300, requestTimeoutMs: 400, idleTimeoutMs: 200, sweepIntervalMs: 50 };
const secret = "crt_secret-that-must-not-show";
/** All that may be answered; 500 is not among them. */
const allowed = new Set([
  200, 201, 202, 204, 303, 400, 401, 403, 404, 405, 406, 408, 413, 415, 417, 421, 429, 431, 503,
]);

/** Who asks to wait for an outcome has no time for it here. */
const impatient: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(Math.min(delayMs, 20), callback),
};

const random = seededRandom(seed);
const below = (n: number) => Math.floor(random() * n);
const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
const bytes = (n: number) => Buffer.from(Array.from({ length: n }, () => below(256)));

const event = JSON.stringify(sampleEvent);
const binary = Object.entries({ ...sampleEvent, data: undefined, datacontenttype: undefined })
  .filter(([, value]) => value !== undefined)
  .map(([name, value]) => `ce-${name}: ${value}`);
const bodies: readonly (() => Buffer)[] = [
  () => Buffer.from(event),
  () => Buffer.from(`[${event},${event}]`),
  () => Buffer.from(JSON.stringify(documentedDetails)),
  () => bytes(below(400)),
  () => Buffer.from("[".repeat(1 + below(20_000))),
  () => Buffer.from(`${'{"a":'.repeat(below(5_000))}`),
  () => Buffer.from(`[${"{},".repeat(below(600))}{}]`),
  () =>
    Buffer.from(
      event.replace('"event-1"', one(['{"__proto__":1}', "1e999", '"\\ud800"', "null", '"\\u0000"'])),
    ),
  () => Buffer.from(event.replace("Machine Name value", "x".repeat(below(70_000)))),
  () => Buffer.alloc(below(1_200_000), 0x20),
];
const types = [
  ...[
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
    "text/plain",
    "",
  ],
  ...[
    'application/cloudevents+json; charset="utf-8"',
    "APPLICATION/JSON;;;charset=utf8",
    "a/b; c=\xff",
    "*/*",
    "\t",
  ],
];
const tokens = [
  ...[
    secret,
    "crt_unknown",
    "a.b.c",
    "..",
    "eyJhbGciOiJub25lIn0.e30.",
    `${"a".repeat(9_000)}`,
    "\xff\xfe",
    "",
    "=;",
  ],
  ...["eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJ0aWQiOltdfQ.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"],
];
const paths = [
  ...[
    "/events",
    "/events",
    "/events",
    "/events?x=1",
    "/enrollments/5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11",
    "/enrollments/%00",
  ],
  ...[
    "/enrollments/../../etc/passwd",
    "/%",
    "/%c0%ae",
    "//events",
    "/openapi.json",
    "/readyz",
    "/metrics",
    "*",
    "http://evil/x",
  ],
  ...["/", "/console", "/console/", "/console/live", "/console/enrollments?tenant=%00&since=9e9d&after=1-1"],
  ...[
    "/console/enrollment?id=%ff",
    "/console/sign-in?to=//evil.example",
    "/console/sign-in",
    "/console/replays",
  ],
  ...["/console/replays/%2e%2e/confirm", "/console/audit/x/file", "/console/style.css", "/console/%zz"],
];
const methods = [
  "POST",
  "POST",
  "POST",
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "TRACE",
  "QUERY",
  "PROPFIND",
  "get",
  "X",
];
const extras: readonly (() => string)[] = [
  () => `Prefer: wait=${one(["0", "1e9", "-1", '"1"', "99999999999999", "a"])}`,
  () => `Accept: ${one(["text/html", ";;;", "*/*;q=0", "application/json"])}`,
  () => `Origin: ${one(["null", "http://x", "\x01", "http://["])}`,
  () => `Content-Encoding: ${one(["gzip", "identity", ",", ""])}`,
  () => `Expect: ${one(["100-continue", "x"])}`,
  () => `X-${below(9)}: ${"y".repeat(below(20_000))}`,
  () =>
    `ce-id: ${bytes(below(40))
      .toString("latin1")
      .replace(/[\r\n\0]/g, "%")}`,
  () => `ce-${"z".repeat(below(50))}: %${one(["", "4", "zz", "ff", "00"])}`,
  () => "Upgrade: websocket\r\nConnection: Upgrade",
  () => "Transfer-Encoding: gzip, chunked",
  () => "Content-Length: -1",
];

function hostileRequest(host: string): Buffer {
  // Half of them get past the door, to the intake.
  const isIntake = random() < 0.5;
  let body = one(bodies)();
  if (random() < 0.3 && body.length > 0) body[below(body.length)] = below(256);
  const lines = [
    `${isIntake ? "POST /events" : `${one(methods)} ${one(paths)}`} HTTP/${isIntake || random() < 0.95 ? "1.1" : one(["1.0", "2.0", "0.9"])}`,
  ];
  lines.push(`Host: ${isIntake || random() < 0.95 ? host : one(["", "evil", "a b"])}`, "Connection: close");
  const type = one(types);
  if (type !== "") lines.push(`Content-Type: ${type}`);
  if (random() < 0.9)
    lines.push(
      `Authorization: ${isIntake ? "Bearer" : one(["Bearer", "bearer ", "Basic"])} ${isIntake || random() < 0.6 ? secret : one(tokens)}`,
    );
  if (random() < 0.4) lines.push(...binary);
  while (random() < 0.3) lines.push(one(extras)());
  if (random() < 0.9) lines.push(`Content-Length: ${random() < 0.95 ? body.length : below(2_000)}`);
  else {
    lines.push("Transfer-Encoding: chunked");
    body = Buffer.concat([
      Buffer.from(`${body.length.toString(16)}\r\n`),
      body,
      Buffer.from(random() < 0.5 ? "\r\n0\r\n\r\n" : ""),
    ]);
  }
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** What comes back until the connection ends, which the service sees to. */
function send(port: number, sent: Buffer): Promise<string> {
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
    socket.write(sent);
  });
}

test(`hostile requests, seed ${seed}`, { timeout: Math.max(60_000, requests * 20) }, async (t) => {
  const { publicKey } = await generateKeyPair("RS256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }] };
  const entra = openEntra(
    { authorityHost: "http://authority", audience: "a", role: "r", fetch: async () => Response.json(keys) },
    systemClock,
  );
  const store: TokenStore = {
    principalOf: (token) => store.principalOfHash(tokenHash(token)),
    principalOfHash: (hash) =>
      hash === tokenHash(secret) ? { name: "fuzz", tenants: "all", role: "installer" } : null,
    problem: () => null,
  };
  const { service, memory, notes, ask, metrics } = await serviceFor(t, {
    doors: { tokens: store, entra },
    parts: { clock: impatient },
    settings: { times },
  });
  const { port, host } = new URL(service.url);
  const statuses = new Map<number, number>();
  let left = requests;
  const sender = async () => {
    while (left-- > 0) {
      const sent = hostileRequest(host);
      const answer = await send(Number(port), sent);
      const status = answer === "" ? 0 : Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? Number.NaN);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const shown = () => `${status}: ${sent.toString("latin1").slice(0, 2_000)}\n${answer.slice(0, 500)}`;
      assert.ok(status === 0 || status === 100 || allowed.has(status), shown());
      assert.ok(!answer.includes(secret), shown());
    }
  };
  await Promise.all(Array.from({ length: 32 }, sender));
  assert.equal((await ask("/livez")).status, 200);
  assert.deepEqual(notes, []);
  const stored = Array.from({ length: 4 }, (_, partition) => memory.records("enrolled", partition)).flat();
  for (const record of stored) assert.ok(decode(record, () => true).ok);
  assert.match(await metrics.text(), /pending_events 0/);
  t.diagnostic(
    `${requests} requests, ${stored.length} events stored: ${JSON.stringify(Object.fromEntries(statuses))}`,
  );
  assert.ok(stored.length > 0);
});
