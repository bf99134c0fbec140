import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { generate } from "selfsigned";
import { freePort } from "../../../lab/testkit/broker-port.ts";
import { systemClock } from "../../../src/clock.ts";
import { endpointToken, type TokenEndpoint } from "../../../src/graph/credentials/token-endpoint.ts";
import { startConnectProxy } from "../connect-proxy.ts";
import { directoryFor } from "./fixtures.ts";

const secret = "s3cret/+ value";
const variables = {
  url: "KAFKA_OAUTH_TOKEN_ENDPOINT",
  clientId: "KAFKA_OAUTH_CLIENT_ID",
  secret: "KAFKA_OAUTH_CLIENT_SECRET",
  scope: "KAFKA_OAUTH_SCOPE",
  caFile: "KAFKA_OAUTH_CA_FILE",
};

interface Asked {
  readonly authorization: string;
  readonly path: string;
  readonly form: string;
}

/** An endpoint that answers so. `tls`: over TLS. */
async function serve(
  t: TestContext,
  [status, body]: readonly [number, unknown],
  tls: { key: string; cert: string } | null = null,
) {
  const asked: Asked[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    let form = "";
    for await (const chunk of request) form += String(chunk);
    asked.push({ authorization: request.headers.authorization ?? "", path: request.url ?? "", form });
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const server = tls === null ? createServer(handle) : createSecureServer(tls, handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { asked, port: (server.address() as AddressInfo).port };
}

function ask(url: string, changes: Partial<TokenEndpoint> = {}) {
  const endpoint: TokenEndpoint = {
    ...{ url, clientId: "registrar", secret: { from: "text", text: secret }, scope: "kafka" },
    ...{ caFile: null, environment: {}, variables },
    ...changes,
  };
  return endpointToken(endpoint, systemClock, new AbortController().signal);
}

test("a token is asked for by client credentials, and lasts as long as the answer says", async (t) => {
  const { asked, port } = await serve(t, [200, { access_token: "abc.def", expires_in: 600 }]);
  const before = Date.now();
  const got = await ask(`http://127.0.0.1:${port}/oauth2/token`);
  assert.ok(got.ok, JSON.stringify(got));
  assert.equal(got.token, "abc.def");
  const lifeMs = got.expiresAtWallMs - before;
  assert.ok(lifeMs >= 600_000 && lifeMs < 660_000);
  const credentials = `registrar:${encodeURIComponent(secret)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  const form = "grant_type=client_credentials&scope=kafka";
  assert.deepEqual(asked, [{ authorization, path: "/oauth2/token", form }]);
});

test("without expires_in the token itself says when it ends", async (t) => {
  const exp = Math.floor(Date.now() / 1000) + 900;
  const token = `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.x`;
  const { port } = await serve(t, [200, { access_token: token }]);
  assert.deepEqual(await ask(`http://127.0.0.1:${port}/`, { scope: null }), {
    ...{ ok: true, token, expiresAtWallMs: exp * 1000 },
  });
});

for (const [what, answer, reason, fix] of [
  [
    "a wrong secret",
    [401, { error: "invalid_client", error_description: `not ${secret}` }],
    "application",
    /^Correct KAFKA_OAUTH_CLIENT_ID and KAFKA_OAUTH_CLIENT_SECRET/,
  ],
  ["401 without a reason", [401, ""], "application", /^Correct KAFKA_OAUTH_CLIENT_ID and/],
  [
    "a client that may not",
    [400, { error: "unauthorized_client" }],
    "application",
    /allow client KAFKA_OAUTH_CLIENT_ID the grant client_credentials/,
  ],
  ["a wrong scope", [400, { error: "invalid_scope" }], "application", /^Correct KAFKA_OAUTH_SCOPE/],
  ["a wrong address", [404, "<html>"], "application", /^Correct KAFKA_OAUTH_TOKEN_ENDPOINT/],
  ["an overloaded provider", [503, { error: "temporarily_unavailable" }], "connect", /^$/],
  ["a proxy's page", [200, "<html>sign in</html>"], "connect", /^Correct KAFKA_OAUTH_TOKEN_ENDPOINT/],
] as const) {
  test(`${what}: whether it may pass, and what to type; the secret is not shown`, async (t) => {
    const { port } = await serve(t, answer);
    const got = await ask(`http://127.0.0.1:${port}/token`);
    assert.ok(!got.ok);
    assert.equal(got.reason, reason, got.detail);
    assert.match(got.fix ?? "", fix);
    assert.ok(got.detail.startsWith(`the token endpoint http://127.0.0.1:${port}/token answers`), got.detail);
    assert.ok(!JSON.stringify(got).includes(secret));
  });
}

test("an endpoint that refuses connections may come back", async () => {
  const got = await ask(`http://127.0.0.1:${await freePort()}/token`);
  assert.ok(!got.ok);
  assert.equal(got.reason, "connect");
  assert.match(got.detail, /can't be reached: .*ECONNREFUSED/);
});

test("over TLS through a proxy: KAFKA_OAUTH_CA_FILE is trusted, and named where it is missing", async (t) => {
  const made = await generate([{ name: "commonName", value: "issuer.example" }], {
    ...{ algorithm: "sha256", keyType: "ec" },
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "issuer.example" }] }],
  });
  const tls = { key: made.private, cert: made.cert };
  const { asked, port } = await serve(t, [200, { access_token: "abc", expires_in: 60 }], tls);
  const { port: proxyPort, heads, close } = await startConnectProxy(port);
  t.after(close);
  const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` };
  const url = "https://issuer.example/token";
  const untrusted = await ask(url, { environment });
  assert.ok(!untrusted.ok);
  assert.match(untrusted.detail, /name its CA's PEM file in KAFKA_OAUTH_CA_FILE/);
  const caFile = join(directoryFor(t), "ca.pem");
  writeFileSync(caFile, made.cert);
  const got = await ask(url, { environment, caFile });
  assert.ok(got.ok, JSON.stringify(got));
  assert.equal(asked.length, 1);
  assert.match(heads.at(-1)!, /^CONNECT issuer\.example:443 /);
});

test("a secret's file is read for each token, and named where it can't be", async (t) => {
  const path = join(directoryFor(t), "secret");
  writeFileSync(path, "one\n");
  const { asked, port } = await serve(t, [200, { access_token: "abc", expires_in: 60 }]);
  const fromFile = { from: "file", path, variable: "KAFKA_OAUTH_CLIENT_SECRET_FILE" } as const;
  const url = `http://127.0.0.1:${port}/`;
  await ask(url, { secret: fromFile });
  writeFileSync(path, "two\n");
  await ask(url, { secret: fromFile });
  const shown = asked.map(({ authorization }) => Buffer.from(authorization.slice(6), "base64").toString());
  assert.deepEqual(shown, ["registrar:one", "registrar:two"]);
  const missing = await ask(url, { secret: { ...fromFile, path: `${path}-missing` } });
  assert.ok(!missing.ok);
  assert.match(missing.detail, /^KAFKA_OAUTH_CLIENT_SECRET_FILE=.*-missing/);
});
