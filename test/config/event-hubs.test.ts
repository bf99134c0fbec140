import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";

const connectionString = {
  KAFKA_BROKERS: "ns.servicebus.windows.net:9093",
  KAFKA_SSL: "true",
  KAFKA_SASL_MECHANISM: "plain",
  KAFKA_SASL_USERNAME: "$ConnectionString",
  KAFKA_SASL_PASSWORD: "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=b=",
};
const load = (environment: Record<string, string>) =>
  loadSettings({ environment, groups: ["log", "worker", "graph"] });

function settingsOf(environment: Record<string, string>) {
  const loaded = load(environment);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.settings;
}

for (const host of [
  "ns.servicebus.windows.net",
  "NS.ServiceBus.Windows.Net",
  "ns.servicebus.usgovcloudapi.net",
  "ns.servicebus.chinacloudapi.cn",
]) {
  test(`${host} is an Event Hubs namespace, with the times that it asks for`, () => {
    const s = settingsOf({ ...connectionString, KAFKA_BROKERS: `${host}:9093` });
    assert.equal(s.kafkaFlavor, "event-hubs");
    assert.deepEqual(
      [s.publishTimeoutMs, s.commitIntervalMs, s.topicsCreate, s.settleMs],
      [60_000, 1_000, false, s.graphRequestTimeoutMs + 62_000],
    );
  });
}

for (const host of [
  "kafka.example",
  "servicebus.windows.net.example",
  "evilservicebus.windows.net.example",
]) {
  test(`${host} is none`, () => {
    const s = settingsOf({ KAFKA_BROKERS: `${host}:9093` });
    assert.equal(s.kafkaFlavor, "kafka");
    assert.deepEqual([s.publishTimeoutMs, s.commitIntervalMs, s.topicsCreate], [10_000, 100, true]);
  });
}

test("what is set counts, whatever the flavour", () => {
  const set = { PUBLISH_TIMEOUT_MS: "30000", COMMIT_INTERVAL_MS: "500", TOPICS_CREATE: "true" };
  const s = settingsOf({ ...connectionString, ...set });
  assert.deepEqual([s.publishTimeoutMs, s.commitIntervalMs, s.topicsCreate], [30_000, 500, true]);
  assert.equal(settingsOf({ ...connectionString, KAFKA_FLAVOR: "kafka" }).kafkaFlavor, "kafka");
  assert.equal(settingsOf({ KAFKA_BROKERS: "a:1", KAFKA_FLAVOR: "event-hubs" }).kafkaFlavor, "event-hubs");
});

test("the embedded log is of no flavour", () => {
  const loaded = load({ KAFKA_FLAVOR: "event-hubs" });
  assert.ok(loaded.ok);
  assert.equal(loaded.settings.commitIntervalMs, 100);
  assert.match(loaded.warnings.join(), /KAFKA_FLAVOR has no effect without KAFKA_BROKERS/);
});

for (const [what, changes, variable, fix] of [
  ["TLS", { KAFKA_SSL: "" }, "KAFKA_SSL", "export KAFKA_SSL=true"],
  [
    "a login",
    { KAFKA_SASL_MECHANISM: "", KAFKA_SASL_USERNAME: "", KAFKA_SASL_PASSWORD: "" },
    "KAFKA_SASL_MECHANISM",
    "export KAFKA_SASL_MECHANISM=oauthbearer",
  ],
  [
    "one of two logins",
    { KAFKA_SASL_MECHANISM: "scram-sha-512" },
    "KAFKA_SASL_MECHANISM",
    "export KAFKA_SASL_MECHANISM=oauthbearer",
  ],
  [
    "its own name for a connection string",
    { KAFKA_SASL_USERNAME: "RootManageSharedAccessKey" },
    "KAFKA_SASL_USERNAME",
    "export KAFKA_SASL_USERNAME='$ConnectionString'",
  ],
  [
    "that name also where a shell has taken it for a variable",
    { KAFKA_SASL_USERNAME: "" },
    "KAFKA_SASL_USERNAME",
    "export KAFKA_SASL_USERNAME='$ConnectionString' (or: unset KAFKA_SASL_MECHANISM)",
  ],
] as const) {
  test(`a namespace asks for ${what}: said before the first connection`, () => {
    const loaded = load({ ...connectionString, ...changes });
    assert.ok(!loaded.ok);
    assert.deepEqual(
      loaded.problems.map((problem) => [problem.variable, problem.fix]),
      [[variable, fix]],
    );
  });
}
