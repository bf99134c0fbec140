/** What the emulator's Entra makes of client assertions, signed here as a client would sign them. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { type JWTHeaderParameters, SignJWT } from "jose";
import { serviceAccountToken, serviceAccountTrust } from "../../lab/testkit/service-account.ts";
import { certificate, type TestCertificate } from "../support/certificates.ts";
import { type Client, clientId, collection, emulatorFor, tenantA, tenantB } from "./support.ts";

const minute = 60_000;
const [own, other, ca] = await Promise.all([
  certificate("app"),
  certificate("another"),
  certificate("authority", { isCa: true }),
]);
const signedByCa = await certificate("signed", { issuer: ca });
const expired = await certificate("expired", { notAfterMs: Date.now() - minute });

interface Changes {
  readonly by?: TestCertificate;
  /** The thumbprint of another one. */
  readonly named?: TestCertificate;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

function keyOf({ key }: TestCertificate) {
  return crypto.subtle.importKey(
    "pkcs8",
    Buffer.from(key.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64"),
    { name: "RSA-PSS", hash: "SHA-256" },
    false,
    ["sign"],
  );
}

function der({ cert }: TestCertificate): Buffer {
  return new X509Certificate(cert).raw;
}

async function assertionOf(url: string, { by = own, named = by, claims, header }: Changes = {}) {
  const seconds = Math.floor(Date.now() / 1000);
  const thumbprint = createHash("sha256").update(der(named)).digest("base64url");
  return new SignJWT({
    aud: `${url}/${tenantA}/oauth2/v2.0/token`,
    iss: clientId,
    sub: clientId,
    nbf: seconds,
    exp: seconds + 600,
    ...claims,
  })
    .setProtectedHeader({ alg: "PS256", "x5t#S256": thumbprint, ...header } as JWTHeaderParameters)
    .sign(await keyOf(by));
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** As `token` of support.ts, without a secret. */
function present({ sendWith }: Client, assertion: string, tenantId = tenantA) {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    client_assertion_type: assertionType,
    client_assertion: assertion,
    scope: "https://graph.microsoft.com/.default",
  });
  const type = { "content-type": "application/x-www-form-urlencoded" };
  return sendWith(type)("POST", `/${tenantId}/oauth2/v2.0/token`, form.toString());
}

async function emulatorWith(t: TestContext, certificates: readonly TestCertificate[]) {
  const client = await emulatorFor(
    t,
    { entra: { certificates: certificates.map(({ cert }) => cert) } },
    "http",
  );
  return { client, url: client.emulator.httpUrl! };
}

test("an assertion by the app's certificate has a token that Graph takes", async (t) => {
  const { client, url } = await emulatorWith(t, [other, own]);
  const reply = await present(client, await assertionOf(url));
  assert.equal(reply.status, 200, reply.text);
  const authorization = `Bearer ${reply.json.access_token}`;
  assert.equal((await client.sendWith({ authorization })("GET", collection)).status, 200);
});

test("a certificate that the app's CA signed counts, where it comes with its chain", async (t) => {
  const { client, url } = await emulatorWith(t, [ca]);
  const x5c = [der(signedByCa), der(ca)].map((bytes) => bytes.toString("base64"));
  const reply = await present(client, await assertionOf(url, { by: signedByCa, header: { x5c } }));
  assert.equal(reply.status, 200, reply.text);
  const foreign = [der(other)].map((bytes) => bytes.toString("base64"));
  for (const changes of [{ by: signedByCa }, { by: other, header: { x5c: foreign } }]) {
    assert.deepEqual((await present(client, await assertionOf(url, changes))).json.error_codes, [700027]);
  }
});

const seconds = Math.floor(Date.now() / 1000);
const refusals: [string, Changes, number][] = [
  ["of a certificate that the app does not have", { by: other }, 700027],
  ["that another key signed", { by: other, named: own }, 700027],
  ["of a certificate that has expired", { by: expired }, 700027],
  ["whose time is over", { claims: { exp: seconds - 3_600 } }, 700024],
  ["whose time has not come", { claims: { nbf: seconds + 3_600 } }, 700024],
  ["without an end", { claims: { exp: undefined } }, 700024],
  [
    "for another tenant's address",
    { claims: { aud: `https://localhost/${tenantB}/oauth2/v2.0/token` } },
    700023,
  ],
  ["of another app", { claims: { iss: tenantB, sub: tenantB } }, 700021],
  ["about another app", { claims: { sub: tenantB } }, 700021],
];
for (const [what, changes, code] of refusals) {
  test(`no token for an assertion ${what}: AADSTS${code}`, async (t) => {
    const { client, url } = await emulatorWith(t, [own, expired]);
    const reply = await present(client, await assertionOf(url, changes));
    assert.deepEqual(
      [reply.status, reply.json.error, reply.json.error_codes],
      [401, "invalid_client", [code]],
    );
    assert.ok(reply.json.error_description.startsWith(`AADSTS${code}: `));
  });
}

test("no token for an assertion that is not a JSON web token", async (t) => {
  const { client } = await emulatorWith(t, [own]);
  assert.deepEqual((await present(client, "nonsense")).json.error_codes, [50027]);
});

const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });

const federated: [string, Promise<string>, number | null][] = [
  ["of the issuer and subject that the app trusts", serviceAccountToken(), null],
  ["of another issuer", serviceAccountToken({ iss: "https://oidc.example/another/" }), 700211],
  ["of another subject", serviceAccountToken({ sub: "system:serviceaccount:apps:Registrar" }), 700213],
  ["for another audience", serviceAccountToken({ aud: "https://kubernetes.default.svc" }), 700212],
  ["that another key signed", serviceAccountToken({}, stranger.privateKey), 50013],
  ["whose time is over", serviceAccountToken({ exp: seconds - 3_600 }), 700024],
];
for (const [what, token, code] of federated) {
  test(`a federated token ${what}: ${code === null ? "taken" : `AADSTS${code}`}`, async (t) => {
    const client = await emulatorFor(t, { entra: { federated: [serviceAccountTrust] } }, "http");
    const reply = await present(client, await token);
    assert.deepEqual(reply.json.error_codes, code === null ? undefined : [code], reply.text);
    assert.equal(reply.status, code === null ? 200 : 401);
  });
}
