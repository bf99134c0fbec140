import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";

const oauth = { KAFKA_SSL: "true", KAFKA_SASL_MECHANISM: "oauthbearer" };
const eventHubs = { ...oauth, KAFKA_BROKERS: "ns.servicebus.windows.net:9093" };
const elsewhere = { ...oauth, KAFKA_BROKERS: "kafka.example:9093" };
const endpoint = {
  ...elsewhere,
  KAFKA_OAUTH_TOKEN_ENDPOINT: "https://issuer.example/token",
  KAFKA_OAUTH_CLIENT_ID: "registrar",
  KAFKA_OAUTH_CLIENT_SECRET: "s3cret",
};
const app = {
  AZURE_TENANT_ID: "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5",
  AZURE_CLIENT_ID: "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c6",
  AZURE_CLIENT_SECRET: "app-s3cret",
};

/** As a command on the log alone reads them. */
const load = (environment: Record<string, string>) => loadSettings({ environment, groups: ["log"] });

for (const [what, environment] of [
  ["a token of the worker's application", { ...eventHubs, ...app }],
  ["a managed identity's", { ...eventHubs, KAFKA_OAUTH_CREDENTIAL: "managed-identity" }],
  ["the Azure CLI's", { ...eventHubs, KAFKA_OAUTH_CREDENTIAL: "azure-cli" }],
  ["one from an endpoint", endpoint],
  [
    "an Entra token for another resource",
    { ...elsewhere, ...app, KAFKA_OAUTH_SCOPE: "api://kafka/.default" },
  ],
  ["extensions", { ...endpoint, KAFKA_OAUTH_EXTENSIONS: "logicalCluster=lkc-1,identityPoolId=pool-a==" }],
] as const) {
  test(`${what} is all that a login needs`, () => {
    const loaded = load(environment);
    assert.ok(loaded.ok, JSON.stringify(loaded));
    assert.deepEqual(loaded.warnings, []);
  });
}

for (const [what, environment, expected] of [
  [
    "a credential and an endpoint",
    { ...endpoint, KAFKA_OAUTH_CREDENTIAL: "worker" },
    ["KAFKA_OAUTH_TOKEN_ENDPOINT and KAFKA_OAUTH_CREDENTIAL", "unset KAFKA_OAUTH_CREDENTIAL"],
  ],
  [
    "a credential and the client id of an endpoint",
    { ...eventHubs, KAFKA_OAUTH_CREDENTIAL: "azure-cli", KAFKA_OAUTH_CLIENT_ID: "registrar" },
    ["KAFKA_OAUTH_CREDENTIAL and KAFKA_OAUTH_CLIENT_ID", "unset KAFKA_OAUTH_CLIENT_ID"],
  ],
  [
    "a token and a password",
    { ...endpoint, KAFKA_SASL_PASSWORD: "p4ssw0rd" },
    ["KAFKA_SASL_MECHANISM and KAFKA_SASL_PASSWORD", "unset KAFKA_SASL_PASSWORD"],
  ],
  [
    "an endpoint without a client",
    { ...elsewhere, KAFKA_OAUTH_TOKEN_ENDPOINT: "https://issuer.example/token", KAFKA_OAUTH_CLIENT_ID: "a" },
    ["KAFKA_OAUTH_CLIENT_SECRET", "export KAFKA_OAUTH_CLIENT_SECRET='<the client secret>'"],
  ],
  [
    "a client without an endpoint",
    { ...eventHubs, ...app, KAFKA_OAUTH_CLIENT_ID: "a" },
    ["KAFKA_OAUTH_TOKEN_ENDPOINT", "export KAFKA_OAUTH_TOKEN_ENDPOINT='https://<issuer>/oauth2/token'"],
  ],
  [
    "an Entra token for brokers that are not Event Hubs",
    { ...elsewhere, ...app },
    ["KAFKA_OAUTH_SCOPE", "export KAFKA_OAUTH_SCOPE='https://<namespace>.servicebus.windows.net/.default'"],
  ],
  [
    "an application without its tenant",
    { ...eventHubs, AZURE_CLIENT_ID: app.AZURE_CLIENT_ID, AZURE_CLIENT_SECRET: "app-s3cret" },
    ["AZURE_TENANT_ID", "export AZURE_TENANT_ID='<Directory (tenant) ID of your tenant>'"],
  ],
] as const) {
  test(`${what}: said with both names where two contradict, and with what to type`, () => {
    const loaded = load(environment);
    assert.ok(!loaded.ok);
    assert.deepEqual(
      loaded.problems.map(({ variable, fix }) => [variable, fix]),
      [expected],
    );
  });
}

test("a command on the log needs the worker's credential where the login shows its token, and only there", () => {
  const without = load(eventHubs);
  assert.ok(!without.ok);
  assert.deepEqual(
    without.problems.map(({ variable }) => variable),
    ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID"],
  );
  const cli = load({ ...eventHubs, KAFKA_OAUTH_CREDENTIAL: "azure-cli" });
  assert.ok(cli.ok && cli.settings.azureClientSecret === null);
});

test("extensions are names and values, and none of them is the token itself", () => {
  for (const wrong of ["logicalCluster", "a b=c", "auth=Bearer x", "1a=b"])
    assert.equal(load({ ...endpoint, KAFKA_OAUTH_EXTENSIONS: wrong }).ok, false, wrong);
});

test("what has no effect, and what travels unencrypted, is said", () => {
  const unused = load({ KAFKA_BROKERS: "a:1", KAFKA_OAUTH_SCOPE: "x" });
  assert.ok(unused.ok);
  assert.deepEqual(unused.warnings, [
    "KAFKA_OAUTH_SCOPE has no effect without KAFKA_SASL_MECHANISM=oauthbearer",
  ]);
  const plain = load({
    ...endpoint,
    KAFKA_SSL: "false",
    KAFKA_OAUTH_TOKEN_ENDPOINT: "http://issuer.example/token",
  });
  assert.ok(plain.ok);
  assert.match(plain.warnings.join("\n"), /without TLS: the token.*client secret travels unencrypted/s);
});
