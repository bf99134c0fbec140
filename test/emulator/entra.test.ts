import assert from "node:assert/strict";
import { test } from "node:test";
import tls from "node:tls";
import { ClientSecretCredential } from "@azure/identity";
import { faultProfile } from "../../emulator/faults.ts";
import type { Emulator } from "../../emulator/server.ts";
import { clientId, clientSecret, collection, emulatorFor, manualClock, tenantA, tenantB } from "./support.ts";

function credential({ authorityHost, caPem }: Emulator, tenantId: string, secret = clientSecret) {
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), caPem]);
  const options = { authorityHost, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };
  return new ClientSecretCredential(tenantId, clientId, secret, options);
}

test("@azure/identity gets a token that Graph takes, for its own tenant", async (t) => {
  const { emulator, sendWith } = await emulatorFor(t);
  const { token, expiresOnTimestamp } = await credential(emulator, tenantA).getToken(
    "https://graph.microsoft.com/.default",
  );
  assert.ok(expiresOnTimestamp > Date.now() + 3_000_000);
  const reply = await sendWith({ authorization: `Bearer ${token}` })("GET", collection);
  assert.equal(reply.status, 200);
});

test("@azure/identity reports a wrong secret by its AADSTS code", async (t) => {
  const { emulator } = await emulatorFor(t);
  const wrong = credential(emulator, tenantA, "wrong");
  await assert.rejects(wrong.getToken("https://graph.microsoft.com/.default"), /AADSTS7000215/);
});

test("@azure/identity can't resolve the endpoints of an unknown tenant", async (t) => {
  const { emulator } = await emulatorFor(t, { allowedTenants: [tenantA] });
  const unknown = credential(emulator, tenantB);
  await assert.rejects(
    unknown.getToken("https://graph.microsoft.com/.default"),
    /endpoints_resolution_error/,
  );
});

const refusals: [string, string, Record<string, string>, number, string, number][] = [
  ["a wrong secret", tenantA, { client_secret: "wrong" }, 401, "invalid_client", 7000215],
  ["an unknown tenant", tenantB, {}, 400, "invalid_tenant", 90002],
  ["an unknown client", tenantA, { client_id: tenantB }, 400, "unauthorized_client", 700016],
  ["another grant", tenantA, { grant_type: "password" }, 400, "unsupported_grant_type", 70003],
  ["a scope without .default", tenantA, { scope: "User.Read" }, 400, "invalid_scope", 1002012],
];
for (const [what, tenantId, fields, status, error, code] of refusals) {
  test(`no token for ${what}: ${status} AADSTS${code}`, async (t) => {
    const { token } = await emulatorFor(t, { allowedTenants: [tenantA] }, "http");
    const reply = await token(tenantId, fields);
    assert.deepEqual([reply.status, reply.json.error, reply.json.error_codes], [status, error, [code]]);
    assert.ok(reply.json.error_description.startsWith(`AADSTS${code}: `));
    assert.equal(reply.text.includes(clientSecret), false);
  });
}

test("the configuration names the token endpoint of the host that was asked", async (t) => {
  const { send, emulator } = await emulatorFor(t);
  const reply = await send("GET", `/${tenantA}/v2.0/.well-known/openid-configuration`);
  assert.equal(reply.json.token_endpoint, `${emulator.httpsUrl}/${tenantA}/oauth2/v2.0/token`);
  assert.equal(reply.json.issuer, `${emulator.httpsUrl}/${tenantA}/v2.0`);
});

test("Graph refuses no token, a forged, a foreign and a misdirected one", async (t) => {
  const { sendWith, token } = await emulatorFor(t, {}, "http");
  const other = await emulatorFor(t, {}, "http");
  const good: string = (await token(tenantA)).json.access_token;
  const [head, , signature] = good.split(".");
  const claims = { aud: "https://graph.microsoft.com", tid: tenantB, exp: 9e9 };
  const forged = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  const foreign: string = (await other.token(tenantA)).json.access_token;
  const misdirected = (await token(tenantA, { scope: "https://vault.azure.net/.default" })).json.access_token;
  for (const authorization of [
    "",
    "Bearer x",
    `Basic ${good}`,
    `Bearer ${forged}`,
    `Bearer ${foreign}`,
    `Bearer ${misdirected}`,
  ]) {
    const reply = await sendWith({ authorization })("GET", collection);
    assert.deepEqual(
      [reply.status, reply.json.error.code],
      [401, "InvalidAuthenticationToken"],
      authorization,
    );
  }
  const reply = await sendWith({ authorization: `Bearer ${good}` })("GET", collection);
  assert.equal(reply.status, 200);
});

test("a token is refused from the moment that its lifetime is over, though it was taken before", async (t) => {
  const clock = manualClock();
  const { as } = await emulatorFor(t, { clock, tokenLifetimeMs: 60_000 }, "http");
  const send = await as(tenantA);
  clock.advance(59_999);
  assert.equal((await send("GET", collection)).status, 200);
  clock.advance(1);
  assert.equal((await send("GET", collection)).json.error.code, "InvalidAuthenticationToken");
});

test("the token endpoint can be unavailable on its own", async (t) => {
  const { token, emulator } = await emulatorFor(t, {}, "http");

  emulator.setFaults({ ...faultProfile("none"), tokenUnavailable: 1 });
  assert.equal((await token(tenantA)).status, 503);
});
