import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type LoadedSettings, loadSettings, type SettingSources } from "../../src/config/load.ts";
import { settingFlags, settingsMarkdown } from "../../src/config/reference.ts";
import { settingNames, table } from "../../src/config/table.ts";

const tenant = "5F0C1D2E-3A4B-4C5D-8E6F-708192A3B4C5";
const complete = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: tenant, AZURE_CLIENT_SECRET: "s3cret-value" };
const required = ["allowedTenants", "graphCredential"] as const;

const load = (environment: Record<string, string>, more: Partial<SettingSources> = {}) =>
  loadSettings({ environment, required, ...more });

function settingsOf(loaded: LoadedSettings) {
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.settings;
}

function problemsOf(loaded: LoadedSettings) {
  assert.ok(!loaded.ok);
  return loaded.problems;
}

test("defaults are complete, consistent and silent", () => {
  const loaded = load(complete);
  const settings = settingsOf(loaded);
  assert.deepEqual(loaded.warnings, []);
  assert.deepEqual(settings.allowedTenants, [tenant.toLowerCase()]);
  assert.equal(settings.kafkaBrokers, null);
  assert.equal(settings.graphMaxInFlight, 32);
  assert.equal(settings.kafkaSessionTimeoutMs, 30_000);
  assert.equal(settings.settleMs, settings.graphRequestTimeoutMs + settings.publishTimeoutMs + 2_000);
});

test("a flag wins over the environment, an empty variable counts as unset", () => {
  const environment = {
    ...complete,
    KAFKA_BROKERS: "a:1, b:2",
    HTTP_PORT: "",
    KAFKA_GROUP_ID: "from-environment",
  };
  const settings = settingsOf(load(environment, { flags: { "kafka-group-id": "from-flag" } }));
  assert.deepEqual(settings.kafkaBrokers, ["a:1", "b:2"]);
  assert.equal(settings.kafkaGroupId, "from-flag");
  assert.equal(settings.httpPort, null);
});

test("all problems come together, each with what was given and what to type", () => {
  const problems = problemsOf(
    load({
      KAFKA_BROKERS: "localhost",
      GRAPH_REQUEST_TIMEOUT_MS: "30s",
      GRAPH_CLOUD: "mars",
      AZURE_CLIENT_SECRET: "x",
      HTTP_PORT: "70000",
    }),
  );
  assert.deepEqual(
    problems.map((problem) => problem.variable),
    [
      "KAFKA_BROKERS",
      "ALLOWED_TENANTS",
      "GRAPH_CLOUD",
      "GRAPH_REQUEST_TIMEOUT_MS",
      "HTTP_PORT",
      "AZURE_CLIENT_ID",
    ],
  );
  const [brokers, , cloud, , , clientId] = problems;
  assert.equal(brokers!.given, '"localhost"');
  assert.equal(brokers!.fix, "export KAFKA_BROKERS=localhost:9092");
  assert.equal(clientId!.given, "nothing");
  assert.match(cloud!.problem, /one of global, us-gov, us-dod, china/);
});

test("without any tenant, what to type names the setting for one", () => {
  const { AZURE_TENANT_ID: _, ...others } = complete;
  const [problem, ...more] = problemsOf(load(others));
  assert.deepEqual(more, []);
  assert.equal(problem!.variable, "ALLOWED_TENANTS");
  assert.match(problem!.problem, /Where it is not set: AZURE_TENANT_ID\./);
  assert.match(problem!.fix, /^export AZURE_TENANT_ID='<[^>]+>'$/);
});

for (const [variable, value] of [
  ["KAFKA_BROKERS", ","],
  ["TOPICS_CREATE", "yes"],
  ["TOPICS_PARTITIONS", "0"],
  ["TOPICS_PARTITIONS", "1.5"],
  ["KAFKA_TOPIC_PREFIX", "a b"],
  ["GRAPH_BASE_URL", "graph.example"],
  ["AZURE_AUTHORITY_HOST", "http://login.example"],
  ["ALLOWED_TENANTS", `${tenant},contoso`],
  ["GRAPH_SEND_ID", "Deterministic"],
  ["LOG_LEVEL", "verbose"],
] as const) {
  test(`${variable}=${value} is refused`, () => {
    assert.deepEqual(
      problemsOf(load({ ...complete, [variable]: value })).map((problem) => problem.variable),
      [variable],
    );
  });
}

test("secrets are masked: the client secret, and a password inside an address", () => {
  const secret = "very-secret".repeat(200);
  const text = JSON.stringify(
    load({ ...complete, AZURE_CLIENT_SECRET: secret, GRAPH_BASE_URL: "https://user:hunter2@proxy.example" }),
  );
  assert.ok(!text.includes("very-secret"), text);
  assert.ok(!text.includes("hunter2"), text);
  assert.match(text, /\*\*\* \(2200 characters\)/);
});

test("there is no flag for a secret, and none is accepted", () => {
  const flags = settingFlags(["azure"]).map(({ flag }) => flag);
  assert.ok(flags.includes("--azure-client-id <value>"));
  assert.ok(!flags.some((flag) => /secret |password /.test(flag)));
  const { AZURE_CLIENT_SECRET: _, ...without } = complete;
  assert.equal(
    problemsOf(load(without, { flags: { "azure-client-secret": "x" } }))[0]!.variable,
    "AZURE_CLIENT_SECRET",
  );
});

test("ALLOWED_TENANTS is lower-cased, and makes AZURE_TENANT_ID needless", () => {
  const { AZURE_TENANT_ID: _, ...without } = complete;
  const settings = settingsOf(load({ ...without, ALLOWED_TENANTS: `${tenant}, ${tenant.toLowerCase()}` }));
  assert.deepEqual(settings.allowedTenants, [tenant.toLowerCase()]);
});

test("only the groups asked for are read", () => {
  const settings = settingsOf(
    loadSettings({ environment: { HTTP_PORT: "x", DATA_DIR: "here" }, groups: ["log"] }),
  );
  assert.equal(settings.dataDir, "here");
  assert.equal(settings.httpPort, null);
});

for (const [name, meant] of [
  ["KAFKA_BROKER", "KAFKA_BROKERS"],
  ["KAFAK_BROKERS", "KAFKA_BROKERS"],
  ["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS"],
  ["GRAPH_SENDID", "GRAPH_SEND_ID"],
  ["AZURE_TENANT", "AZURE_TENANT_ID"],
  ["GRAPH_REQUEST_TIMEOUT", "GRAPH_REQUEST_TIMEOUT_MS"],
  ["LOGLEVEL", "LOG_LEVEL"],
] as const) {
  test(`${name} is reported as a typo of ${meant}`, () => {
    const { [meant as keyof typeof complete]: _, ...others } = { ...complete, ALLOWED_TENANTS: tenant };
    const loaded = load({ ...others, [name]: "x" });
    assert.equal(loaded.warnings.length, 1);
    assert.match(loaded.warnings[0]!, new RegExp(`^${name} is not a setting; did you mean ${meant}\\?`));
  });
}

test("foreign variables stay quiet", () => {
  const foreign = {
    HTTP_PROXY: "x",
    AZURE_CONFIG_DIR: "x",
    AZURE_SUBSCRIPTION_ID: "x",
    KAFKA_HOME: "x",
    PATH: "x",
    KAFKA_HEAP_OPTS: "x",
  };
  assert.deepEqual(load({ ...complete, ...foreign }).warnings, []);
});

test("every default and every example passes its own schema", () => {
  for (const name of settingNames) {
    const { variable, example, secret } = table[name];
    // What only the user knows is a placeholder.
    if (secret || name === "settleMs" || /^<|\/<|=</.test(example)) continue;
    // A file of an example is on no machine.
    if (/^KAFKA_.*(PASSWORD|SECRET)_FILE$/.test(variable)) continue;
    const loaded = loadSettings({ environment: { [variable]: example } });
    assert.ok(loaded.ok, `${variable}=${example}`);
  }
});

test("docs/CONFIGURATION.md is what the table yields", () => {
  const page = readFileSync(new URL("../../docs/CONFIGURATION.md", import.meta.url), "utf8");
  assert.equal(
    page,
    settingsMarkdown(),
    "type: npx node src/cli/main.ts start --settings > docs/CONFIGURATION.md",
  );
});

test("a port is one that there is, in broker lists and addresses", () => {
  for (const [variable, right, wrong] of [
    [
      "KAFKA_BROKERS",
      ["a:1", "[::1]:9092", "a:65535,b:9092"],
      ["a:0", "a:65536", "a:99999", "::1:9092", "a:"],
    ],
    [
      "GRAPH_BASE_URL",
      ["https://a", "https://a:65535/x", "http://[::1]:8443"],
      ["https://a:65536", "https://a:0", "https://a:b", "https://[::1", "https://"],
    ],
    ["AZURE_AUTHORITY_HOST", ["https://a:8443/"], ["https://a:70000"]],
  ] as const) {
    for (const value of right) assert.ok(load({ ...complete, [variable]: value }).ok, value);
    for (const value of wrong) {
      assert.deepEqual(
        problemsOf(load({ ...complete, [variable]: value })).map((problem) => problem.variable),
        [variable],
        value,
      );
    }
    if (variable !== "KAFKA_BROKERS") for (const value of right) assert.ok(URL.canParse(value), value);
  }
});

const secrets = [
  ["AZURE_CLIENT_SECRET", "azureClientSecret", {}],
  [
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "azureClientCertificatePassword",
    { AZURE_CLIENT_CERTIFICATE_PATH: "/c.pem", AZURE_CLIENT_SECRET: "" },
  ],
  [
    "KAFKA_OAUTH_CLIENT_SECRET",
    "kafkaOauthClientSecret",
    {
      KAFKA_SASL_MECHANISM: "oauthbearer",
      KAFKA_OAUTH_TOKEN_ENDPOINT: "https://issuer.example/token",
      KAFKA_OAUTH_CLIENT_ID: "registrar",
    },
  ],
  ["KAFKA_SASL_PASSWORD", "kafkaSaslPassword", { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u" }],
] as const;

test("every secret: a line break at its end is left out and said; a blank there, or a line break inside, is refused", () => {
  assert.deepEqual(
    secrets.map(([variable]) => variable).sort(),
    Object.values(table)
      .filter(({ secret }) => secret)
      .map(({ variable }) => variable)
      .sort(),
  );
  for (const [variable, name, others] of secrets) {
    const given = { ...complete, ...others, KAFKA_BROKERS: "a:1", KAFKA_SSL: "true" };
    const loaded = load({ ...given, [variable]: "two words~\r\n" });
    assert.equal(settingsOf(loaded)[name], "two words~");
    assert.deepEqual(loaded.warnings, [`${variable} has a line break at its end, which is left out`]);
    for (const value of [" x", "x ", "x\t", "x \n", "a\nb"]) {
      const [problem, ...more] = problemsOf(load({ ...given, [variable]: value }));
      assert.deepEqual([problem!.variable, more], [variable, []]);
      assert.ok(!problem!.given.includes("x"));
    }
  }
});
