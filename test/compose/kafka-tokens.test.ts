/** Tokens for Kafka out of the settings: of Entra, as the emulator stands for it, by the real @azure/identity. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { kafkaExtensions, kafkaTokens } from "../../src/compose/kafka-tokens.ts";
import { loadSettings } from "../../src/config/load.ts";
import { clientId, clientSecret, emulatorFor, homeTenant } from "../graph/credentials/fixtures.ts";

async function settingsFor(t: TestContext, changes: Record<string, string> = {}) {
  const emulator = await emulatorFor(t);
  const loaded = loadSettings({
    groups: ["log"],
    environment: {
      KAFKA_BROKERS: "ns.servicebus.windows.net:9093",
      KAFKA_SSL: "true",
      KAFKA_SASL_MECHANISM: "oauthbearer",
      AZURE_TENANT_ID: homeTenant,
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: clientSecret,
      AZURE_AUTHORITY_HOST: emulator.authorityHost,
      GRAPH_CA_FILE: emulator.caFile,
      ...changes,
    },
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.settings;
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString("utf8")) as { aud: string; tid: string };

test("the worker's application gets a token for the namespace that KAFKA_BROKERS names, in its own tenant", async (t) => {
  const settings = await settingsFor(t);
  const got = await kafkaTokens(settings, systemClock).get();
  assert.ok(got.ok, JSON.stringify(got));
  const { aud, tid } = claimsOf(got.token);
  assert.deepEqual([aud, tid], ["https://ns.servicebus.windows.net", homeTenant]);
});

test("KAFKA_OAUTH_SCOPE names another resource", async (t) => {
  const settings = await settingsFor(t, {
    KAFKA_OAUTH_SCOPE: "https://other.servicebus.windows.net/.default",
  });
  const got = await kafkaTokens(settings, systemClock).get();
  assert.ok(got.ok, JSON.stringify(got));
  assert.equal(claimsOf(got.token).aud, "https://other.servicebus.windows.net");
});

test("a secret that Entra refuses is a refusal with what to type, and is not shown", async (t) => {
  const settings = await settingsFor(t, { AZURE_CLIENT_SECRET: "wrong-s3cret" });
  const got = await kafkaTokens(settings, systemClock).get();
  assert.ok(!got.ok);
  assert.equal(got.refused, true);
  assert.match(got.fix ?? "", /AZURE_CLIENT_SECRET/);
  assert.ok(!JSON.stringify(got).includes("wrong-s3cret"));
});

test("what is opened again with the same settings shares the token", async (t) => {
  const settings = await settingsFor(t);
  assert.equal(kafkaTokens(settings, systemClock), kafkaTokens(settings, systemClock));
});

test("extensions are split at their first equals sign", async (t) => {
  const settings = await settingsFor(t, {
    KAFKA_OAUTH_EXTENSIONS: "logicalCluster=lkc-1,identityPoolId=pool=a",
  });
  assert.deepEqual(
    [...kafkaExtensions(settings)],
    [
      ["logicalCluster", "lkc-1"],
      ["identityPoolId", "pool=a"],
    ],
  );
});
