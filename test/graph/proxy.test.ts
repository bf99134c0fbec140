/** Requests through proxies: which proxy, and that all that holds without one holds through it. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createServer } from "node:tls";
import { startEmulator } from "../../emulator/server.ts";
import { makeCertificates } from "../../emulator/tls.ts";
import { openGraph } from "../../src/graph/graph-client.ts";
import { type Environment, proxyFor, proxyProblemIn } from "../../src/graph/proxy.ts";
import type { GraphReply } from "../../src/graph-port.ts";
import { startConnectProxy } from "./connect-proxy.ts";
import { createRequest, openAgainst, requestTimeoutMs, tenantId } from "./fixtures.ts";
import { createManualClock, eventually } from "./manual-clock.ts";
import { reply, startWireServer } from "./wire-server.ts";

const graphUrl = "https://graph.example";
const choices: [target: string, environment: Environment, expected: string | null][] = [
  [graphUrl, {}, null],
  [graphUrl, { HTTPS_PROXY: "http://p:3128" }, "http://p:3128 by HTTPS_PROXY"],
  [graphUrl, { https_proxy: "http://p:3128" }, "http://p:3128 by HTTPS_PROXY"],
  [graphUrl, { HTTPS_PROXY: "", https_proxy: "p:3128" }, "http://p:3128 by HTTPS_PROXY"],
  [graphUrl, { HTTPS_PROXY: "https://p" }, "https://p:443 by HTTPS_PROXY"],
  [graphUrl, { HTTPS_PROXY: "http://[fe80::1]:80/" }, "http://[fe80::1]:80 by HTTPS_PROXY"],
  [graphUrl, { ALL_PROXY: "http://all", HTTP_PROXY: "http://p" }, "http://all:80 by ALL_PROXY"],
  [graphUrl, { HTTP_PROXY: "http://p:1" }, "http://p:1 by HTTP_PROXY"],
  ["http://graph.example", { HTTPS_PROXY: "http://p:1" }, null],
  ["http://graph.example", { HTTP_PROXY: "http://p:1" }, "http://p:1 by HTTP_PROXY"],
  [graphUrl, { HTTPS_PROXY: "http://p:1", NO_PROXY: "other, graph.example" }, null],
  [graphUrl, { HTTPS_PROXY: "http://p:1", no_proxy: ".example" }, null],
  [graphUrl, { HTTPS_PROXY: "http://p:1", no_proxy: "*.EXAMPLE" }, null],
  [graphUrl, { HTTPS_PROXY: "http://p:1", NO_PROXY: "*" }, null],
  [graphUrl, { HTTPS_PROXY: "http://p:1", NO_PROXY: "graph.example:443" }, null],
  [graphUrl, { HTTPS_PROXY: "http://p:1", NO_PROXY: "graph.example:8443" }, "http://p:1 by HTTPS_PROXY"],
  [
    graphUrl,
    { HTTPS_PROXY: "http://p:1", NO_PROXY: "aph.example,graph,xample" },
    "http://p:1 by HTTPS_PROXY",
  ],
  ["https://[fd00::1]", { HTTPS_PROXY: "http://p:1", NO_PROXY: "fd00::1" }, null],
  ["https://localhost:8443", { HTTPS_PROXY: "http://p:1" }, null],
  ["https://127.0.0.1:8443", { HTTPS_PROXY: "http://p:1" }, null],
  ["https://[::1]:8443", { HTTPS_PROXY: "http://p:1" }, null],
];
for (const [target, environment, expected] of choices) {
  test(`${target} with ${JSON.stringify(environment)}: ${expected ?? "directly"}`, () => {
    const proxy = proxyFor(new URL(target), environment);
    assert.equal(proxy === null ? null : `${proxy.origin} by ${proxy.variable}`, expected);
  });
}

test("a variable that is not a proxy's URL is named, its value not", () => {
  for (const value of ["socks5://user:geheim@p:1", "http://", "http://user:geheim@p:99999", "::"]) {
    const problem = proxyProblemIn({ https_proxy: value });
    assert.match(problem ?? "", /^HTTPS_PROXY is not the URL of an HTTP proxy/);
    assert.doesNotMatch(problem ?? "", /geheim/);
  }
  assert.equal(proxyProblemIn({ HTTPS_PROXY: "p:8080", HTTP_PROXY: "" }), null);
});

/** `proxyTls`: the proxy speaks TLS itself, with a certificate of a CA of its own. */
async function proxied(context: TestContext, proxyTls: "none" | "trusted" | "untrusted" = "none") {
  const emulator = await startEmulator({
    clientId: "3f1d6f9e-0000-4000-8000-000000000001",
    clientSecret: "a-secret",
    extraHosts: ["graph.example", "login.example"],
  });
  const own = await makeCertificates(null, ["relay.example"], Date.now());
  const both = join(await mkdtemp(join(tmpdir(), "proxy-test-")), "ca.pem");
  await writeFile(both, `${await readFile(emulator.caFile, "utf8")}\n${await readFile(own.caFile, "utf8")}`);
  const secureProxy = proxyTls !== "none";
  const via = await startConnectProxy(
    Number(new URL(emulator.httpsUrl).port),
    "200 OK",
    secureProxy ? own : null,
  );
  const at = secureProxy
    ? `https://u%40x:geheim@127.0.0.1:${via.port}`
    : `http://u%40x:geheim@127.0.0.1:${via.port}`;
  const clock = createManualClock();
  const { graph, close } = openGraph(
    {
      cloud: "global",
      baseUrl: graphUrl,
      authorityHost: "https://login.example",
      clientId: "3f1d6f9e-0000-4000-8000-000000000001",
      credential: { kind: "client-secret", secret: { from: "text", text: "a-secret" } },
      requestTimeoutMs,
      maxConnections: 1,
      caFile: proxyTls === "trusted" ? both : emulator.caFile,
      environment: { HTTPS_PROXY: at },
    },
    clock,
  );
  context.after(async () => {
    await close();
    await via.close();
    await own.remove();
    await rm(join(both, ".."), { recursive: true });
    await emulator.close();
  });
  return { emulator, via, graph };
}

test("tokens and Graph go through CONNECT, with user and password for the proxy and the CA of our own", async (context) => {
  const { emulator, via, graph } = await proxied(context);
  for (const n of [1, 2]) {
    const [result] = await graph.create(tenantId, [createRequest(n)]);
    assert.equal(result?.kind === "answer" && result.status, 201, JSON.stringify(result));
  }
  assert.equal(emulator.inventory()[tenantId]?.length, 2);
  const targets = via.heads.map((head) => head.split("\r\n")[0]);
  // One connection each, kept for the next request.
  const both = ["CONNECT graph.example:443 HTTP/1.1", "CONNECT login.example:443 HTTP/1.1"];
  assert.deepEqual(targets.toSorted(), both);
  assert.equal(via.ends.length, 0);
  const credentials = `Basic ${Buffer.from("u@x:geheim").toString("base64")}`;
  for (const head of via.heads) assert.match(head, new RegExp(`^Proxy-Authorization: ${credentials}$`, "m"));
});

test("through a proxy that speaks TLS itself, tokens and Graph go by TLS within TLS", async (context) => {
  const { emulator, via, graph } = await proxied(context, "trusted");
  for (const n of [1, 2]) {
    const [result] = await graph.create(tenantId, [createRequest(n)]);
    assert.equal(result?.kind === "answer" && result.status, 201, JSON.stringify(result));
  }
  assert.equal(emulator.inventory()[tenantId]?.length, 2);
  assert.equal(via.heads.filter((head) => head.startsWith("CONNECT graph.example:443 ")).length, 1);
  assert.ok(via.heads.some((head) => head.startsWith("CONNECT login.example:443 ")));
});

test("a proxy whose own certificate is not trusted does not get the password", async (context) => {
  const { via, graph } = await proxied(context, "untrusted");
  const [result] = await graph.create(tenantId, [createRequest(1)]);
  assert.equal(result?.kind === "silence" && result.code, "untrusted-ca", JSON.stringify(result));
  assert.deepEqual(via.heads, []);
});

function silenceOf(result: GraphReply | undefined): string {
  assert.equal(result?.kind, "silence", JSON.stringify(result));
  const { reason, sent, detail } = result as Extract<GraphReply, { kind: "silence" }>;
  assert.doesNotMatch(detail, /geheim|dTpn/);
  return `${reason}, ${sent ? "sent" : "not sent"}: ${detail}`;
}

const refusals: [string, RegExp][] = [
  [
    "407 Authentication Required",
    /answers 407 to CONNECT graph\.example:443; it refuses the user and password in HTTPS_PROXY/,
  ],
  ["401 Unauthorized", /answers 401 .*; it refuses the user and password in HTTPS_PROXY: correct them/],
  ["403 Forbidden", /answers 403 to CONNECT graph\.example:443; allow graph\.example:443 there/],
  ["502 Bad Gateway", /answers 502 .*check that the proxy can reach graph\.example:443/],
  ["what?", /answers no HTTP/],
];
for (const [answer, expected] of refusals) {
  test(`a proxy that answers ${answer}: certainly not sent, and what to type`, async (context) => {
    const via = await startConnectProxy(9, answer);
    const environment = { HTTPS_PROXY: `http://u:geheim@127.0.0.1:${via.port}` };
    const { graph, close } = openAgainst(graphUrl, createManualClock(), { environment });
    context.after(() => Promise.all([close(), via.close()]));
    const [result] = await graph.create(tenantId, [createRequest()]);
    assert.match(silenceOf(result), /^connect, not sent: the proxy http:\/\/127\.0\.0\.1:\d+ /);
    assert.match(silenceOf(result), expected);
  });
}

test("a proxy that can't be reached: certainly not sent, and what to type", async (context) => {
  const via = await startConnectProxy(9);
  await via.close();
  const environment = { HTTPS_PROXY: `http://u:geheim@127.0.0.1:${via.port}` };
  const { graph, close } = openAgainst(graphUrl, createManualClock(), { environment });
  context.after(close);
  const [result] = await graph.create(tenantId, [createRequest()]);
  assert.match(
    silenceOf(result),
    /^connect, not sent: the proxy http:\S+ gives no way .*ECONNREFUSED.*; check HTTPS_PROXY/,
  );
});

test("through a proxy too, what is given up is reset, and nothing is sent again", async (context) => {
  const clock = createManualClock();
  const certificates = await makeCertificates(null, ["graph.example"], Date.now());
  let requests = 0;
  const secure = createServer(certificates, (socket) => {
    socket.on("error", () => {}).on("data", () => requests++);
  });
  await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
  const via = await startConnectProxy((secure.address() as { port: number }).port);
  const { graph, close } = openAgainst(graphUrl, clock, {
    environment: { HTTPS_PROXY: `http://127.0.0.1:${via.port}` },
    caFile: certificates.caFile,
  });
  context.after(async () => {
    await Promise.all([close(), via.close(), certificates.remove()]);
    secure.close();
  });
  const work = graph.create(tenantId, [createRequest()]);
  await eventually(() => requests === 1, "the request");
  clock.advance(requestTimeoutMs);
  assert.match(silenceOf((await work)[0]), /^timeout, sent/);
  await eventually(() => via.ends.length > 0, "the connection's end");
  assert.deepEqual([via.ends, via.heads.length, requests], [["ECONNRESET"], 1, 1]);
});

test("http:// is asked for with its whole URL, in one request a connection at a time", async (context) => {
  const created = { id: "an-id", ...createRequest().details };
  const server = await startWireServer(({ socket }) => socket.write(reply(201, created)));
  const via = await startConnectProxy(Number(new URL(server.url).port));
  const { graph, close } = openAgainst("http://graph.example:8080", createManualClock(), {
    environment: { HTTP_PROXY: `http://u:geheim@127.0.0.1:${via.port}` },
  });
  context.after(() => Promise.all([close(), via.close(), server.close()]));
  const [result] = await graph.create(tenantId, [createRequest()]);
  assert.equal(result?.kind, "answer", JSON.stringify(result));
  const [request] = server.requests;
  assert.equal(
    request?.target,
    "http://graph.example:8080/beta/deviceManagement/certificateConnectorDetails",
  );
  assert.equal(request?.headers.host, "graph.example:8080");
  assert.match(request?.headers["proxy-authorization"] ?? "", /^Basic /);
});
