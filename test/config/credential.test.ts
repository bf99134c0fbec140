/** Which credential is used, by what is set; and secrets in files. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { readKafkaSecurity } from "../../src/compose/kafka-settings.ts";
import { loadSettings } from "../../src/config/load.ts";
import { fileSettingOf } from "../../src/config/secret-files.ts";
import { settingNames, table } from "../../src/config/table.ts";

const tenant = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const app = "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9";
const identity = "7b6a5948-3726-4150-a4b3-c2d1e0f98877";
const base = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: app };
const secret = { AZURE_CLIENT_SECRET: "s3cret" };
const certificate = { AZURE_CLIENT_CERTIFICATE_PATH: "/c.pem" };
const federated = { AZURE_FEDERATED_TOKEN_FILE: "/token" };
const machine = { AZURE_MANAGED_IDENTITY_CLIENT_ID: identity };
const platform = { IDENTITY_ENDPOINT: "http://localhost:42356/msi/token", IDENTITY_HEADER: "header" };

const load = (environment: Record<string, string>) =>
  loadSettings({ environment, required: ["allowedTenants", "graphCredential"] });

const { AZURE_CLIENT_ID: _, ...withoutApp } = base;
const chosen: [Record<string, string>, string, RegExp][] = [
  [{ ...base, ...secret }, "client-secret", /^AZURE_CLIENT_SECRET is set$/],
  [{ ...base, ...certificate }, "client-certificate", /^AZURE_CLIENT_CERTIFICATE_PATH is set$/],
  [{ ...base, ...federated }, "workload-identity", /^AZURE_FEDERATED_TOKEN_FILE is set$/],
  [{ ...base, ...machine }, "managed-identity-federated", /^AZURE_MANAGED_IDENTITY_CLIENT_ID is set$/],
  [{ ...withoutApp, ...machine }, "managed-identity", /^AZURE_MANAGED_IDENTITY_CLIENT_ID is set$/],
  [{ ...base, ...machine, AZURE_CLIENT_ID: identity.toUpperCase() }, "managed-identity", /is set$/],
  [{ ...withoutApp, ...platform }, "managed-identity", /^IDENTITY_ENDPOINT is set, and nothing/],
  [{ ...base, ...secret, ...platform }, "client-secret", /^AZURE_CLIENT_SECRET is set$/],
  [{ ...base, GRAPH_CREDENTIAL: "managed-identity" }, "managed-identity", /^GRAPH_CREDENTIAL says so$/],
  [{ ...withoutApp, GRAPH_CREDENTIAL: "azure-cli" }, "azure-cli", /^GRAPH_CREDENTIAL says so$/],
];
for (const [environment, kind, why] of chosen) {
  test(`${Object.keys(environment).join(", ")}: ${kind}`, () => {
    const loaded = load(environment);
    assert.ok(loaded.ok, JSON.stringify(loaded));
    assert.equal(loaded.settings.credential?.kind, kind);
    assert.match(loaded.settings.credential?.why ?? "", why);
    assert.deepEqual(loaded.warnings, []);
  });
}

const refused: [string, Record<string, string>, RegExp, RegExp][] = [
  [
    "a secret and a certificate",
    { ...base, ...secret, ...certificate },
    /^AZURE_CLIENT_SECRET and AZURE_CLIENT_CERTIFICATE_PATH$/,
    /^unset AZURE_CLIENT_CERTIFICATE_PATH .*GRAPH_CREDENTIAL=client-secret$/,
  ],
  [
    "a secret twice",
    { ...base, ...secret, AZURE_CLIENT_SECRET_FILE: "/secret" },
    /^AZURE_CLIENT_SECRET and AZURE_CLIENT_SECRET_FILE$/,
    /^unset AZURE_CLIENT_SECRET$/,
  ],
  ["nothing", base, /^AZURE_CLIENT_SECRET$/, /^export AZURE_CLIENT_SECRET=/],
  [
    "a kind without what it needs",
    { ...base, ...secret, GRAPH_CREDENTIAL: "workload-identity" },
    /^AZURE_FEDERATED_TOKEN_FILE$/,
    /^export AZURE_FEDERATED_TOKEN_FILE=/,
  ],
  [
    "a certificate of no app",
    { ...withoutApp, ...certificate },
    /^AZURE_CLIENT_ID$/,
    /^export AZURE_CLIENT_ID=/,
  ],
  [
    "two tenants and a managed identity",
    { ...withoutApp, ...machine, ALLOWED_TENANTS: `${tenant},${app}` },
    /^ALLOWED_TENANTS$/,
    /^export GRAPH_CREDENTIAL=managed-identity-federated$/,
  ],
];
for (const [what, environment, variable, fix] of refused) {
  test(`refused, with what to type: ${what}`, () => {
    const loaded = load(environment);
    assert.ok(!loaded.ok, JSON.stringify(loaded));
    assert.equal(loaded.problems.length, 1, JSON.stringify(loaded.problems));
    assert.match(loaded.problems[0]!.variable, variable);
    assert.match(loaded.problems[0]!.fix, fix);
  });
}

test("GRAPH_CREDENTIAL resolves a contradiction, and what is not used is said", () => {
  const loaded = load({ ...base, ...secret, ...certificate, GRAPH_CREDENTIAL: "client-certificate" });
  assert.ok(loaded.ok && loaded.settings.credential?.kind === "client-certificate", JSON.stringify(loaded));
  assert.deepEqual(loaded.warnings, [
    "AZURE_CLIENT_SECRET has no effect: the credential is client-certificate",
  ]);
});

test("a certificate's details without a certificate are said", () => {
  const details = { AZURE_CLIENT_CERTIFICATE_PASSWORD: "p", AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: "1" };
  const loaded = load({ ...base, ...secret, ...details });
  assert.equal(loaded.warnings.length, 2, JSON.stringify(loaded));
});

test("a command that needs no credential is not asked for one, but hears of a contradiction", () => {
  assert.ok(loadSettings({ environment: base }).ok);
  assert.ok(!loadSettings({ environment: { ...base, ...secret, ...certificate } }).ok);
  assert.ok(loadSettings({ environment: { ...secret, ...certificate }, groups: ["log"] }).ok);
});

function fileWith(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "secret-"));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "secret"), text);
  return join(directory, "secret");
}

test("each secret may stand in a file", () => {
  const secrets = settingNames.filter((name) => table[name].secret);
  assert.ok(secrets.length >= 3);
  for (const name of secrets) {
    const file = fileSettingOf(name);
    assert.ok(file !== null, `${table[name].variable}_FILE is a setting`);
    assert.equal(table[file].group, table[name].group);
  }
});

test("a secret's file is read without the line break at its end", (t) => {
  const path = fileWith(t, "s3cret\r\n");
  const loaded = load({ ...base, AZURE_CLIENT_SECRET_FILE: path });
  assert.ok(loaded.ok && loaded.settings.azureClientSecret === "s3cret", JSON.stringify(loaded));
  assert.deepEqual([loaded.settings.azureClientSecretFile, loaded.warnings], [path, []]);
});

test("a secret's file and what the webhook of AKS sets: both are named", (t) => {
  const loaded = load({ ...base, AZURE_CLIENT_SECRET_FILE: fileWith(t, "s3cret"), ...federated });
  assert.ok(!loaded.ok && loaded.problems.length === 1, JSON.stringify(loaded));
  assert.equal(loaded.problems[0]!.variable, "AZURE_CLIENT_SECRET_FILE and AZURE_FEDERATED_TOKEN_FILE");
  assert.match(loaded.problems[0]!.fix, /^unset AZURE_FEDERATED_TOKEN_FILE/);
});

for (const [what, text, problem] of [
  ["is empty", "\n", /is empty/],
  ["is not there", null, /can't be read \(ENOENT\)/],
  ["has a line break inside", "a\nb", /is not a text without line breaks/],
] as const) {
  test(`a secret's file that ${what} is refused by its own name, without what it holds`, (t) => {
    const path = text === null ? "/nonexistent/secret" : fileWith(t, text);
    const loaded = load({ ...base, AZURE_CLIENT_SECRET_FILE: path });
    assert.ok(!loaded.ok && loaded.problems.length === 1, JSON.stringify(loaded));
    const [found] = loaded.problems;
    assert.equal(found!.variable, "AZURE_CLIENT_SECRET_FILE");
    assert.match(found!.problem, problem);
    assert.doesNotMatch(found!.given, /a\\nb/);
  });
}

test("Kafka's password is read again at each login; a file that can't serve leaves the former one", async (t) => {
  const path = fileWith(t, "first\n");
  const loaded = loadSettings({
    environment: {
      KAFKA_BROKERS: "a:1",
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: "u",
      KAFKA_SASL_PASSWORD_FILE: path,
    },
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const security = await readKafkaSecurity(loaded.settings, systemClock);
  assert.ok(security.ok);
  const passwordNow = () => (security.kafkajs.sasl as { password: string }).password;
  assert.equal(passwordNow(), "first");
  writeFileSync(path, "second\n");
  assert.equal(passwordNow(), "second");
  rmSync(path);
  assert.equal(passwordNow(), "second");
});
