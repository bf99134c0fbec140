/** `doctor` against a broker that asks for tokens: there is none, or the wrong one. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { skipWithout } from "../../lab/testkit/broker.ts";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { startOauthBroker } from "../log/kafka/oauth-broker.ts";
import { type Environment, findingOf } from "./doctor-finding.ts";

const oauth = await startOauthBroker();
after(oauth.stop);
const tokens = { skip: skipWithout(oauth.broker), timeout: 120_000 };
const given = { status: 200, token: "" };
const endpoint = createServer((_, answer) => {
  answer.writeHead(given.status, { "content-type": "application/json" });
  const refusal = { error: "invalid_client", error_description: "no such client" };
  answer.end(
    JSON.stringify(given.status === 200 ? { access_token: given.token, expires_in: 3600 } : refusal),
  );
});
await new Promise<void>((resolve) => void endpoint.listen(0, "127.0.0.1", resolve));
after(() => endpoint.close());
const withToken: Environment = {
  KAFKA_BROKERS: oauth.address,
  KAFKA_SASL_MECHANISM: "oauthbearer",
  KAFKA_OAUTH_TOKEN_ENDPOINT: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`,
  KAFKA_OAUTH_CLIENT_ID: "registrar",
  KAFKA_OAUTH_CLIENT_SECRET: "secret-of-the-client",
};

test("doctor: with a good token, only the topics are not there", tokens, async () => {
  Object.assign(given, { status: 200, token: await oauth.sign() });
  assert.equal((await findingOf(withToken)).status, "note");
});

test("doctor: a token of another audience", tokens, async () => {
  Object.assign(given, { status: 200, token: await oauth.sign({ audience: "other" }) });
  const found = await findingOf(withToken);
  assert.deepEqual([found.status, found.retryable], ["wrong", false]);
  assert.match(found.text, /^Kafka at 127\.0\.0\.1:\d+ refuses the token: /);
  assert.match(found.fix, /audience.*KAFKA_OAUTH_SCOPE/);
  assert.ok(!found.text.includes(given.token));
});

test("doctor: a client to which no token is given", tokens, async () => {
  Object.assign(given, { status: 401, token: "" });
  const found = await findingOf(withToken);
  assert.deepEqual([found.status, found.retryable], ["wrong", false]);
  assert.match(found.text, /^No token for the login to Kafka at 127\.0\.0\.1:\d+: /);
  assert.match(found.fix, /KAFKA_OAUTH_/);
  assert.ok(!(found.text + found.fix).includes("secret-of-the-client"));
});

test("doctor: a token endpoint that does not answer", tokens, async () => {
  const closed = `http://127.0.0.1:${await freePort()}/token`;
  const found = await findingOf({ ...withToken, KAFKA_OAUTH_TOKEN_ENDPOINT: closed });
  assert.deepEqual([found.status, found.retryable], ["wrong", true]);
  assert.match(found.text, /^No token for the login to Kafka at /);
  assert.notEqual(found.fix, "");
});
