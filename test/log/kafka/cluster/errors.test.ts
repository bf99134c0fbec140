import assert from "node:assert/strict";
import { test } from "node:test";
import { isRefusal } from "../../../../src/log/kafka/cluster/errors.ts";

const failedLogin = (text: string) =>
  Object.assign(new Error(`SASL SCRAM SHA256 authentication failed: ${text}`), {
    name: "KafkaJSSASLAuthenticationError",
  });

test("a login that the broker refuses is a refusal", () => {
  assert.ok(isRefusal(failedLogin("Authentication failed: Invalid username or password")));
  assert.ok(isRefusal(Object.assign(new Error("wrapped"), { cause: failedLogin("Authentication failed") })));
});

for (const text of [
  "Closed connection",
  "Connection error: read ECONNRESET",
  "Connection timeout",
  "Not connected",
  "Request SaslAuthenticate(key: 36, version: 1) timed out",
]) {
  test(`a login that breaks off is an outage: ${text}`, () => {
    assert.equal(isRefusal(failedLogin(text)), false);
  });
}
