/** Each credential as users set it: variables in, a connector registered, by processes of their own. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import forge from "node-forge";
import { emulatorCredential } from "../../emulator/credential.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { serviceAccountToken, serviceAccountTrust } from "../../lab/testkit/service-account.ts";
import { certificate } from "../support/certificates.ts";
import { runCli, startCli, temporaryDirectory, waitUntil } from "./run-cli.ts";

type Emulator = Awaited<ReturnType<typeof emulatorFor>>["emulator"];
type Variables = Readonly<Record<string, string>>;

const { clientId, clientSecret, identity, identityHeader } = emulatorCredential;
const own = await certificate("app");
const password = "a password";

function pfx(): Buffer {
  const { asn1, pki, pkcs12 } = forge;
  const made = pkcs12.toPkcs12Asn1(
    pki.privateKeyFromPem(own.key),
    [pki.certificateFromPem(own.cert)],
    password,
    {
      algorithm: "3des",
    },
  );
  return Buffer.from(asn1.toDer(made).getBytes(), "binary");
}

async function cliToken(emulator: Emulator): Promise<string> {
  const url = `${emulator.httpUrl}/metadata/identity/oauth2/token?resource=https://graph.microsoft.com`;
  const answer = await fetch(url, { headers: { metadata: "true" } });
  return ((await answer.json()) as { access_token: string }).access_token;
}

interface Case {
  readonly kind: string;
  /** `file`: writes one, and says where it is. */
  variables(
    emulator: Emulator,
    file: (name: string, content: string | Buffer) => string,
  ): Promise<Variables> | Variables;
}

const app = { AZURE_CLIENT_ID: clientId };
const cases: Readonly<Record<string, Case>> = {
  "a secret": { kind: "client-secret", variables: () => ({ ...app, AZURE_CLIENT_SECRET: clientSecret }) },
  "a secret in a file": {
    kind: "client-secret",
    variables: (_, file) => ({ ...app, AZURE_CLIENT_SECRET_FILE: file("secret", `${clientSecret}\n`) }),
  },
  "a certificate, PEM": {
    kind: "client-certificate",
    variables: (_, file) => ({ ...app, AZURE_CLIENT_CERTIFICATE_PATH: file("app.pem", own.key + own.cert) }),
  },
  "a certificate, PFX, its password in a file": {
    kind: "client-certificate",
    variables: (_, file) => ({
      ...app,
      AZURE_CLIENT_CERTIFICATE_PATH: file("app.pfx", pfx()),
      AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE: file("password", `${password}\n`),
      AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: "1",
    }),
  },
  "workload identity": {
    kind: "workload-identity",
    variables: async (_, file) => ({
      ...app,
      AZURE_FEDERATED_TOKEN_FILE: file(
        "token",
        await serviceAccountToken({ aud: serviceAccountTrust.audience }),
      ),
    }),
  },
  "a managed identity as the app's credential": {
    kind: "managed-identity-federated",
    variables: (emulator) => ({
      ...app,
      AZURE_MANAGED_IDENTITY_CLIENT_ID: identity.clientId,
      IDENTITY_ENDPOINT: `${emulator.httpUrl}/msi/token`,
      IDENTITY_HEADER: identityHeader,
    }),
  },
  "a managed identity by itself, as the platform offers it": {
    kind: "managed-identity",
    variables: (emulator) => ({
      IDENTITY_ENDPOINT: `${emulator.httpUrl}/msi/token`,
      IDENTITY_HEADER: identityHeader,
    }),
  },
  "a managed identity by itself, of the metadata service": {
    kind: "managed-identity",
    variables: (emulator) => ({
      AZURE_CLIENT_ID: identity.clientId,
      GRAPH_CREDENTIAL: "managed-identity",
      AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.httpUrl!,
    }),
  },
  "the Azure CLI": {
    kind: "azure-cli",
    variables: async (emulator, file) => {
      const expires = Math.floor(Date.now() / 1000) + 3_600;
      const answer = JSON.stringify({ accessToken: await cliToken(emulator), expires_on: expires });
      const az = file("az", `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`);
      chmodSync(az, 0o755);
      return { GRAPH_CREDENTIAL: "azure-cli", PATH: [join(az, ".."), process.env.PATH].join(delimiter) };
    },
  },
};

for (const [what, { kind, variables }] of Object.entries(cases)) {
  test(`${what}: the start says ${kind}, and a connector is registered`, async (t) => {
    const directory = temporaryDirectory(t);
    const { emulator, environment } = await emulatorFor(t, {
      httpPort: 0,
      entra: { certificates: [own.cert], federated: [serviceAccountTrust] },
    });
    if (kind === "managed-identity-federated") {
      const issuer = `https://login.microsoftonline.com/${tenantId}/v2.0`;
      emulator.setEntra({
        federated: [{ ...serviceAccountTrust, issuer, subject: identity.principalId, keys: null }],
      });
    }
    const { AZURE_CLIENT_ID: _, AZURE_CLIENT_SECRET: __, ...rest } = environment;
    const file = (name: string, content: string | Buffer) => {
      writeFileSync(join(directory, name), content);
      return join(directory, name);
    };
    const settings = { ...rest, ...(await variables(emulator, file)), DATA_DIR: join(directory, "data") };
    const emitted = await runCli(["emit", "--count", "1", "--quiet"], settings);
    assert.equal(emitted.code, 0, emitted.stderr);
    const worker = startCli(["start"], settings);
    t.after(() => worker.child.kill("SIGKILL"));
    assert.match(await worker.line(/"msg":"/), new RegExp(`"msg":"credential: ${kind}, since `));
    await waitUntil(
      async () => emulator.inventory()[tenantId]?.length === 1,
      () => JSON.stringify(emulator.stats().requests),
    );
    worker.child.kill("SIGTERM");
    const { code, stdout, stderr } = await worker.ended;
    assert.equal(code, 0, stderr);
    for (const secret of [clientSecret, password, "PRIVATE KEY"]) assert.ok(!stdout.includes(secret), secret);
  });
}

test("a managed identity without the permission: whom to give it, and no address of consent", async (t) => {
  const { emulator, environment } = await emulatorFor(t, { httpPort: 0, behaviour: { permission: "none" } });
  const { AZURE_CLIENT_ID: _, AZURE_CLIENT_SECRET: __, ...rest } = environment;
  const { code, stdout } = await runCli(["doctor"], {
    ...rest,
    IDENTITY_ENDPOINT: `${emulator.httpUrl}/msi/token`,
    IDENTITY_HEADER: identityHeader,
    DATA_DIR: join(temporaryDirectory(t), "data"),
  });
  assert.equal(code, 2, stdout);
  assert.match(
    stdout,
    /lacks the role .*\n +Give the service principal of the managed identity the application permission /,
  );
  assert.doesNotMatch(stdout, /adminconsent|null/);
});
