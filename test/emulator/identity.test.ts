/** The machine's token addresses, and the switches of /_control/entra. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { emulatorCredential } from "../../emulator/credential.ts";
import { certificate } from "../support/certificates.ts";
import { clientSecret, collection, emulatorFor, tenantA, tenantB } from "./support.ts";

const graph = "https://graph.microsoft.com";
const imds = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${graph}`;
const appService = `/msi/token?api-version=2019-08-01&resource=${graph}`;
const { identity, identityHeader } = emulatorCredential;

for (const [name, path, headers] of [
  ["the metadata service", imds, { metadata: "true" }],
  ["App Service's endpoint", appService, { "x-identity-header": identityHeader }],
] as const) {
  test(`${name} has a token that Graph takes, for the identity's home tenant`, async (t) => {
    const { sendWith } = await emulatorFor(t, { allowedTenants: [tenantA, tenantB] }, "http");
    const reply = await sendWith(headers)("GET", `${path}&client_id=${identity.clientId}`);
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.json.client_id, identity.clientId);
    assert.match(reply.json.expires_on, /^\d{10}$/);
    const authorization = `Bearer ${reply.json.access_token}`;
    assert.equal((await sendWith({ authorization })("GET", collection)).status, 200);
    const claims = JSON.parse(Buffer.from(reply.json.access_token.split(".")[1], "base64url").toString());
    assert.equal(claims.tid, tenantA);
  });

  test(`${name} refuses an identity that the machine does not have, and a request without its header`, async (t) => {
    const { send, sendWith, emulator } = await emulatorFor(t, {}, "http");
    assert.equal((await sendWith(headers)("GET", `${path}&client_id=${tenantB}`)).status, 400);
    const bare = await send("GET", path);
    assert.equal(bare.status, path === imds ? 400 : 401);
    emulator.setEntra({ identities: [] });
    assert.equal((await sendWith(headers)("GET", path)).status, 400);
  });
}

const appRefusals = [
  ["an expired secret", { secret: "expired" }, 401, "invalid_client", 7000222],
  ["a revoked secret", { secret: "revoked" }, 401, "invalid_client", 7000215],
  ["a secret that was replaced", { secrets: ["another"] }, 401, "invalid_client", 7000215],
  ["a tenant without consent", { tenants: { "*": "no-consent" } }, 401, "invalid_client", 7000229],
  [
    "a disabled app",
    { tenants: { [tenantA.toUpperCase()]: "disabled" } },
    400,
    "unauthorized_client",
    7000112,
  ],
  ["conditional access", { tenants: { [tenantA]: "conditional-access" } }, 400, "invalid_grant", 53003],
  ["an unknown tenant", { tenants: { [tenantA]: "unknown" } }, 400, "invalid_tenant", 90002],
] as const;
for (const [what, changes, status, error, code] of appRefusals) {
  test(`${what}, set by PUT /_control/entra: ${status} AADSTS${code}`, async (t) => {
    const { send, token } = await emulatorFor(t, {}, "http");
    assert.equal((await token(tenantA)).status, 200);
    const put = await send("PUT", "/_control/entra", changes);
    assert.equal(put.status, 200, put.text);
    const reply = await token(tenantA);
    assert.deepEqual([reply.status, reply.json.error, reply.json.error_codes], [status, error, [code]]);
    const isOfTenant = "tenants" in changes && !("*" in changes.tenants);
    assert.equal((await token(tenantB)).status, isOfTenant ? 200 : status);
  });
}

test("what Entra knows is shown without the secrets", async (t) => {
  const { send } = await emulatorFor(t, {}, "http");
  const reply = await send("GET", "/_control/entra");
  assert.deepEqual(reply.json.secrets, ["***"]);
  assert.equal(reply.text.includes(clientSecret), false);
});

const badInputs = [
  ["an unknown switch", { secrit: "expired" }],
  ["an unknown state of a tenant", { tenants: { [tenantA]: "gone" } }],
  ["a certificate that is none", { certificates: ["-----BEGIN CERTIFICATE-----"] }],
  ["a federated credential without a subject", { federated: [{ issuer: "i", audience: "a", keys: null }] }],
] as const;
for (const [what, changes] of badInputs) {
  test(`PUT /_control/entra refuses ${what}, and changes nothing`, async (t) => {
    const { send } = await emulatorFor(t, {}, "http");
    const before = (await send("GET", "/_control/entra")).json;
    const reply = await send("PUT", "/_control/entra", changes);
    assert.equal(reply.status, 400);
    assert.match(reply.json.error, /^Not taken: /);
    assert.deepEqual((await send("GET", "/_control/entra")).json, before);
  });
}

test("an emulator of one cloud has no tokens for Graph of another one", async (t) => {
  const { token, sendWith } = await emulatorFor(t, { cloud: "us-gov" }, "http");
  assert.deepEqual((await token(tenantA)).json.error_codes, [500011]);
  const reply = await token(tenantA, { scope: "https://graph.microsoft.us/.default" });
  const authorization = `Bearer ${reply.json.access_token}`;
  assert.equal((await sendWith({ authorization })("GET", collection)).status, 200);
});

test("a certificate is registered while it runs", async (t) => {
  const { send } = await emulatorFor(t, {}, "http");
  const { cert } = await certificate("late");
  const reply = await send("PUT", "/_control/entra", { certificates: [cert] });
  assert.deepEqual([reply.status, reply.json.certificates], [200, [cert]]);
});
