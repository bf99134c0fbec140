/**
 * Managed identities by App Service's endpoint. MSAL keeps their tokens, and which endpoint it found first, for the
 * process: so there is one emulator, and each test that must ask the machine has an identity of its own.
 */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { startEmulator } from "../../../emulator/server.ts";
import {
  clientId,
  clientSecret,
  graphWith,
  homeTenant,
  identity,
  identityHeader,
  otherTenant,
} from "./fixtures.ts";

const emulator = await startEmulator({ clientId, clientSecret, httpPort: 0 });
after(emulator.close);
process.env.IDENTITY_ENDPOINT = `${emulator.httpUrl}/msi/token`;
process.env.IDENTITY_HEADER = identityHeader;
const issuer = `https://login.microsoftonline.com/${homeTenant}/v2.0`;
const trust = { issuer, subject: identity.principalId, audience: "api://AzureADTokenExchange", keys: null };

/** An identity that was not used before. */
function newIdentity(): string {
  const clientId = crypto.randomUUID();
  emulator.setEntra({ identities: [{ ...identity, clientId, tenantId: homeTenant }] });
  return clientId;
}

beforeEach(() => {
  emulator.reset();
  emulator.setEntra({ federated: [trust], identities: [] });
});

const federated = (identityClientId: string) =>
  ({ kind: "managed-identity-federated", identityClientId }) as const;

test("a machine that does not answer may pass; once it answers, all is well", async (t) => {
  const credential = federated(newIdentity());
  await emulator.suspend();
  const { tokenOf } = graphWith(t, emulator, credential);
  const token = await tokenOf(homeTenant);
  await emulator.resume();
  assert.ok(!token.ok && token.reason === "connect", JSON.stringify(token));
  assert.match(token.detail, /localhost:\d+ can't be reached: .*ECONNREFUSED/);
  assert.equal(await graphWith(t, emulator, credential).ask(homeTenant), "listed");
});

test("an acquisition that was given up, the first of the process or not, ends none of the later ones", async (t) => {
  const credential = federated(newIdentity());
  emulator.setBehaviour({ outage: "silence" });
  const first = graphWith(t, emulator, credential);
  const givenUp = first.tokenOf(homeTenant);
  await first.close();
  const token = await givenUp;
  assert.ok(!token.ok && token.reason === "connect", JSON.stringify(token));
  emulator.setBehaviour({ outage: "none" });
  assert.equal(await graphWith(t, emulator, credential).ask(homeTenant), "listed");
});

test("a managed identity in place of the application's secret: any tenant, and the machine is asked once", async (t) => {
  const { ask } = graphWith(t, emulator, federated(newIdentity()));
  const tenants = [homeTenant, otherTenant, ...Array.from({ length: 8 }, () => crypto.randomUUID())];
  assert.deepEqual([...new Set(await Promise.all(tenants.map(ask)))], ["listed"]);
  // One answer of the machine, one of the authority with its addresses, and the token of each tenant.
  assert.deepEqual(emulator.stats().requests.entra, { 200: 2 + tenants.length });
});

test("an application that does not trust the identity concerns all tenants, and says what to compare", async (t) => {
  emulator.setEntra({ federated: [] });
  const { ask } = graphWith(t, emulator, federated(newIdentity()));
  assert.match(await ask(homeTenant), /^application: .*AADSTS700211.*Compare issuer/);
});

test("a managed identity by itself serves its home tenant, and no other", async (t) => {
  const { ask } = graphWith(t, emulator, { kind: "managed-identity", identityClientId: newIdentity() });
  assert.equal(await ask(homeTenant), "listed");
  const answer = await ask(otherTenant);
  assert.match(
    answer,
    new RegExp(`^credential: the token is of tenant ${homeTenant}, not of tenant ${otherTenant}\\. `),
  );
  assert.equal(emulator.stats().requests.list?.[200], 1);
});

test("an identity that the machine does not have concerns all tenants, and its setting is named", async (t) => {
  const identityClientId = crypto.randomUUID();
  for (const kind of ["managed-identity", "managed-identity-federated"] as const) {
    const answer = await graphWith(t, emulator, { kind, identityClientId }).ask(homeTenant);
    assert.match(answer, /^application: the machine gives no token of the managed identity [0-9a-f-]{36}: /);
    assert.match(answer, /HTTP 400, No User Assigned.*correct AZURE_MANAGED_IDENTITY_CLIENT_ID\.$/);
  }
});
