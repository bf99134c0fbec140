import assert from "node:assert/strict";
import { test } from "node:test";
import { seedsOf, withoutBrackets } from "../../../../src/log/kafka/cluster/addresses.ts";

test("addresses are split at the port, also those of IPv6, which keep their brackets for people", () => {
  assert.deepEqual(seedsOf(["kafka:9093", "[::1]:9092", "10.0.0.1:1", "[fe80::1]", " kafka "]), [
    { host: "kafka", port: 9093 },
    { host: "[::1]", port: 9092 },
    { host: "10.0.0.1", port: 1 },
    { host: "[fe80::1]", port: 9092 },
    { host: "kafka", port: 9092 },
  ]);
  assert.deepEqual(["[::1]", "kafka"].map(withoutBrackets), ["::1", "kafka"]);
});
