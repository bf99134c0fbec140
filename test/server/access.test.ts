/** Access, and for which tenants: tokens of a file, access tokens of Entra, and where no token is asked for. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from "jose";
import { sampleEvent } from "../../lab/testkit/samples.ts";
import { virtualClock } from "../../lab/testkit/virtual-clock.ts";
import type { Problem } from "../../src/problem.ts";
import { bindProblem } from "../../src/server/auth/bind-rules.ts";
import { openEntra } from "../../src/server/auth/entra.ts";
import { openTokenStore } from "../../src/server/auth/token-store.ts";
import { type TokenEntry, tokenHash, tokensText } from "../../src/server/auth/tokens-file.ts";
import { temporaryDirectory } from "../cli/run-cli.ts";
import { batch, eventFor, keyOf, registered, serviceFor } from "./service-harness.ts";

const other = "6a1d2e3f-4b5c-4d6e-9f70-8192a3b4c5d6";
const secret = "crt_secret-of-site-1";
const entry = (changes: Partial<TokenEntry> = {}): TokenEntry => ({
  name: "site-1",
  sha256: tokenHash(secret),
  tenants: [sampleEvent.tenantid],
  created: "2026-01-01T00:00:00Z",
  ...changes,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function storeFor(t: TestContext, tokens: readonly TokenEntry[]) {
  const path = join(temporaryDirectory(t), "tokens.json");
  writeFileSync(path, tokensText(tokens));
  const clock = virtualClock();
  const problems: Problem[] = [];
  const store = openTokenStore(path, clock, (problem) => problems.push(problem));
  return { path, clock, store, problems };
}

test("no token, one that is not known, one that has expired: 401, and nothing of the body is read", async (t) => {
  const { store, clock } = storeFor(t, [entry({ expires: "2026-01-01T00:01:00Z" })]);
  const { post, memory, notes } = await serviceFor(t, { doors: { tokens: store, entra: null } });
  const missing = await post(sampleEvent);
  assert.deepEqual([missing.status, missing.body.code], [401, "token-missing"]);
  assert.match(missing.headers.get("www-authenticate")!, /^Bearer realm=/);
  assert.equal((await post(sampleEvent, bearer("crt_other"))).body.code, "token-unknown");
  assert.equal((await post(sampleEvent, { authorization: "Basic YTpi" })).body.code, "token-unknown");
  assert.equal((await post(sampleEvent, bearer(secret))).status, 202);
  clock.advance(60_000);
  assert.equal((await post(sampleEvent, bearer(secret))).status, 401);
  assert.equal(memory.appends.length, 1);
  assert.ok(!JSON.stringify(notes).includes(secret));
});

test("a token enrolls for its tenants alone: 403, also within a batch, and says nothing of others' tenants", async (t) => {
  const { store } = storeFor(t, [entry()]);
  const { post, memory } = await serviceFor(t, {
    doors: { tokens: store, entra: null },
    parts: { isTenantAllowed: () => false },
  });
  const alone = await post(eventFor({ tenantid: other }), bearer(secret));
  assert.deepEqual(
    [alone.status, alone.body.code, alone.body.pointers],
    [403, "tenant-forbidden", ["/tenantid"]],
  );
  const own = await post(sampleEvent, bearer(secret));
  assert.deepEqual([own.status, own.body.code], [400, "tenant-not-allowed"]);
  const both = await post([sampleEvent, eventFor({ tenantid: other })], bearer(secret), batch);
  assert.equal(both.status, 403);
  assert.equal(memory.appends.length, 0);
});

test("the status of another tenant's enrollment is that of none: the same answer", async (t) => {
  const { store } = storeFor(t, [
    entry({ tenants: [other] }),
    entry({ name: "all", sha256: tokenHash("crt_all"), tenants: ["*"] }),
  ]);
  const { ask, index } = await serviceFor(t, { doors: { tokens: store, entra: null } });
  index.known.set(keyOf(), registered(keyOf(), "g"));
  const unknown = keyOf({ machineName: "unknown" });
  const [foreign, none, all] = await Promise.all([
    ask(`/enrollments/${keyOf()}`, { headers: bearer(secret) }),
    ask(`/enrollments/${unknown}`, { headers: bearer(secret) }),
    ask(`/enrollments/${keyOf()}`, { headers: bearer("crt_all") }),
  ]);
  assert.equal(foreign.status, 404);
  assert.deepEqual([foreign.status, foreign.body], [none.status, none.body]);
  assert.equal(all.status, 200);
});

test("what is removed from the file counts no longer within a second; a slip of the pen changes nothing and is said", (t) => {
  const { path, clock, store, problems } = storeFor(t, [entry()]);
  const accepted = () => store.principalOf(secret) !== null;
  assert.ok(accepted());
  writeFileSync(path, "{");
  clock.advance(1_000);
  assert.ok(accepted());
  assert.match(problems[0]!.message, /is not JSON/);
  assert.notEqual(store.problem(), null);
  writeFileSync(path, tokensText([]));
  clock.advance(999);
  assert.ok(accepted());
  clock.advance(1);
  assert.ok(!accepted());
  assert.equal(store.problem(), null);
});

test("without its file no token is accepted: 503, until it is back", async (t) => {
  const { path, clock, store } = storeFor(t, [entry()]);
  const { post } = await serviceFor(t, { doors: { tokens: store, entra: null } });
  assert.equal((await post(sampleEvent, bearer(secret))).status, 202);
  rmSync(path);
  clock.advance(1_000);
  const gone = await post(sampleEvent, bearer(secret));
  assert.deepEqual([gone.status, gone.body.code], [503, "tokens-unavailable"]);
  writeFileSync(path, tokensText([entry()]));
  clock.advance(1_000);
  assert.equal((await post(sampleEvent, bearer(secret))).status, 202);
});

test("figures and reasons are for tokens for all tenants; liveness is for everyone", async (t) => {
  const { store } = storeFor(t, [
    entry(),
    entry({ name: "all", sha256: tokenHash("crt_all"), tenants: ["*"] }),
  ]);
  const { ask } = await serviceFor(t, { doors: { tokens: store, entra: null } });
  assert.equal((await ask("/livez")).status, 200);
  assert.deepEqual((await ask("/readyz")).body, { ready: true });
  assert.deepEqual((await ask("/readyz", { headers: bearer("crt_all") })).body, {
    ready: true,
    notReady: [],
  });
  assert.equal((await ask("/metrics")).status, 401);
  assert.equal((await ask("/metrics", { headers: bearer(secret) })).status, 404);
  assert.equal((await ask("/metrics", { headers: bearer("crt_all") })).status, 200);
});

for (const [host, asksWho, hasTls, behindProxy, code] of [
  ["127.0.0.1", false, false, false, null],
  ["::1", false, false, false, null],
  ["localhost", false, false, false, null],
  ["0.0.0.0", false, true, true, "serve-open"],
  ["::", false, false, false, "serve-open"],
  ["127.0.0.1.evil.example", false, false, false, "serve-open"],
  ["0.0.0.0", true, false, false, "serve-plain"],
  ["192.168.1.2", true, true, false, null],
  ["0.0.0.0", true, false, true, null],
] as const) {
  test(`listening on ${host}, asks who: ${asksWho}, TLS: ${hasTls}, proxy: ${behindProxy} is ${code ?? "allowed"}`, () => {
    assert.equal(bindProblem({ host, asksWho, hasTls, behindProxy })?.code ?? null, code);
  });
}

const audience = "api://connector-registrar";
const role = "Enrollments.Write";

/** An authority that signs as Entra does, and the service that believes it. */
async function entraFor(t: TestContext) {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const pssKey = await importJWK(await exportJWK(privateKey), "PS256");
  // As Entra publishes them: without an algorithm.
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", use: "sig" }] };
  let asked = 0;
  const authority = createServer((request, response) => {
    asked += 1;
    if (request.url !== "/common/discovery/v2.0/keys") return void response.writeHead(404).end();
    response.setHeader("content-type", "application/json").end(JSON.stringify(keys));
  });
  await new Promise((resolve) => authority.listen(0, "127.0.0.1", () => resolve(null)));
  t.after(() => {
    authority.closeAllConnections();
    authority.close();
  });
  const authorityHost = `http://127.0.0.1:${(authority.address() as AddressInfo).port}`;
  const clock = virtualClock();
  const entra = openEntra({ authorityHost, audience, role }, clock);
  const nowS = clock.wallMs() / 1_000;
  const sign = (claims: JWTPayload = {}, key: Parameters<SignJWT["sign"]>[0] = privateKey, alg = "RS256") =>
    new SignJWT({
      ...{
        aud: audience,
        iss: `${authorityHost}/${other}/v2.0`,
        tid: other,
        roles: [role],
        exp: nowS + 3_600,
        nbf: nowS,
      },
      ...claims,
    })
      .setProtectedHeader({ alg, kid: "k1" })
      .sign(key);
  const { post } = await serviceFor(t, { doors: { tokens: null, entra } });
  const status = async (token: string, tenantid = other) => {
    const answer = await post(eventFor({ tenantid }), bearer(token));
    return `${answer.status} ${answer.body.code ?? answer.body.state}`;
  };
  return { sign, status, authorityHost, pssKey, nowS, clock, asked: () => asked };
}

test("an access token of Entra enrolls for its own tenant, and keys are asked for once", async (t) => {
  const { sign, status, asked } = await entraFor(t);
  assert.equal(await status(await sign()), "202 waiting");
  assert.equal(await status(await sign({ iss: `https://sts.windows.net/${other}/` })), "202 waiting");
  assert.equal(await status(await sign(), sampleEvent.tenantid), "403 tenant-forbidden");
  assert.equal(asked(), 1);
});

test("access tokens that prove nothing: another audience, issuer, tenant, key, algorithm, time, or no role", async (t) => {
  const { sign, status, authorityHost, pssKey, nowS } = await entraFor(t);
  const { privateKey: foreignKey } = await generateKeyPair("RS256");
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await sign()).split(".")[1]}.`;
  for (const [why, token] of [
    ["audience", await sign({ aud: "api://another" })],
    ["issuer", await sign({ iss: `https://evil.example/${other}/v2.0` })],
    ["a tenant that its issuer is not", await sign({ tid: sampleEvent.tenantid })],
    ["no tenant", await sign({ tid: undefined, iss: `${authorityHost}/undefined/v2.0` })],
    ["key", await sign({}, foreignKey)],
    ["a secret for a key", await sign({}, new TextEncoder().encode("k".repeat(32)), "HS256")],
    ["another algorithm with the right key", await sign({}, pssKey, "PS256")],
    ["no signature", unsigned],
    ["expired", await sign({ exp: nowS - 61 })],
    ["not yet", await sign({ nbf: nowS + 120 })],
    ["no JWT", "a.b.c"],
  ] as const)
    assert.equal(await status(token), "401 token-unknown", why);
  assert.equal(await status(await sign({ roles: ["Other"] })), "403 role-missing");
  assert.equal(await status(await sign({ roles: undefined })), "403 role-missing");
});

test("a token that was found good is not remembered beyond its end; an authority that is silent is 503", async (t) => {
  const { sign, status, clock, nowS } = await entraFor(t);
  const token = await sign({ exp: nowS + 30 });
  assert.equal(await status(token), "202 waiting");
  clock.advance(30_000 + 61_000);
  assert.equal(await status(token), "401 token-unknown");
  const entra = openEntra({ authorityHost: "http://127.0.0.1:1", audience, role }, clock);
  const verdict = await entra.verify(token);
  assert.ok(!verdict.ok && verdict.failure.code === "tokens-unavailable");
});
