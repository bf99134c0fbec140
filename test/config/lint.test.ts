import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";

const warningsOf = (environment: Record<string, string>) => {
  const loaded = loadSettings({ environment });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.warnings;
};

test("a settle time that requests can outlive is refused", () => {
  const loaded = loadSettings({ environment: { SETTLE_MS: "17999" } });
  assert.ok(!loaded.ok);
  assert.deepEqual(
    loaded.problems.map(({ variable, fix }) => [variable, fix]),
    [["SETTLE_MS", "export SETTLE_MS=20000"]],
  );
  assert.ok(loadSettings({ environment: { SETTLE_MS: "18000" } }).ok);
});

for (const [what, environment, expected] of [
  [
    "a request that outlives the session",
    { KAFKA_BROKERS: "a:1", KAFKA_SESSION_TIMEOUT_MS: "8000" },
    /^GRAPH_REQUEST_TIMEOUT_MS=8000 is not below KAFKA_SESSION_TIMEOUT_MS=8000/,
  ],
  [
    "a session below the broker's floor",
    { KAFKA_BROKERS: "a:1", KAFKA_SESSION_TIMEOUT_MS: "5000", GRAPH_REQUEST_TIMEOUT_MS: "1000" },
    /^KAFKA_SESSION_TIMEOUT_MS=5000/,
  ],
  [
    "a request that outlives the shutdown",
    { GRAPH_REQUEST_TIMEOUT_MS: "9001" },
    /^GRAPH_REQUEST_TIMEOUT_MS=9001 is above SHUTDOWN_TIMEOUT_MS=9000/,
  ],
  ["a shutdown longer than containers wait", { SHUTDOWN_TIMEOUT_MS: "10000" }, /^SHUTDOWN_TIMEOUT_MS=10000/],
  ["batches that never fill", { GRAPH_WRITES_PER_20S: "10" }, /^GRAPH_BATCH_MAX=20/],
  ["a window that starves the requests", { WINDOW_RECORDS: "31" }, /^GRAPH_MAX_IN_FLIGHT=32/],
  ["tokens in the clear", { GRAPH_BASE_URL: "http://graph.example" }, /unencrypted/],
  ["Kafka settings without Kafka", { KAFKA_GROUP_ID: "g" }, /^KAFKA_GROUP_ID has no effect/],
  ["a host without a port", { HTTP_HOST: "0.0.0.0" }, /^HTTP_HOST has no effect/],
] as const) {
  test(`warns of ${what}`, () => {
    const warnings = warningsOf(environment);
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0]!, expected);
  });
}

test("without pacing there is no warning about batches; loopback needs no https", () => {
  assert.deepEqual(warningsOf({ GRAPH_WRITES_PER_20S: "0", GRAPH_BASE_URL: "http://127.0.0.1:8080/" }), []);
});
