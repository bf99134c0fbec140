/** What @azure/identity makes of an authority's answers, and what is made of that. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import { createSecureContext } from "node:tls";
import { faultProfile } from "../../../emulator/faults.ts";
import { type Emulator, startEmulator } from "../../../emulator/server.ts";
import {
  authorityOfOtherCloud,
  type CloudName,
  clouds,
  isCloudAuthority,
  scopeOf,
} from "../../../src/graph/clouds.ts";
import { createConnector } from "../../../src/graph/connector.ts";
import { createAppCredential } from "../../../src/graph/credentials/app-credential.ts";
import { openAuthority } from "../../../src/graph/credentials/authority-client.ts";
import { classifyCredentialError } from "../../../src/graph/credentials/failure.ts";
import type { GraphReply } from "../../../src/graph-port.ts";
import { createRequest, openAgainst, requestTimeoutMs, tenantId } from "../fixtures.ts";
import { createManualClock } from "../manual-clock.ts";

const clientId = "3f1d6f9e-0000-4000-8000-000000000001";
const clientSecret = "the-right/one+x";
const asked = { tenantId, answer: null, secrets: [clientSecret], shown: "" };
const neverAborted = new AbortController().signal;

interface Changes {
  readonly clientId?: string;
  readonly secret?: string;
  readonly cloud?: "global" | "china";
  readonly trustsEmulator?: boolean;
}

function appOf(context: TestContext, { authorityHost, caPem }: Emulator, changes: Changes = {}) {
  const clock = createManualClock();
  const secureContext = changes.trustsEmulator === false ? null : createSecureContext({ ca: caPem });
  const connector = createConnector(
    { connectTimeoutMs: requestTimeoutMs, secureContext, proxy: null },
    clock,
  );
  const authority = openAuthority(connector, 4, clock);
  context.after(() => {
    connector.close();
    return authority.close();
  });
  return createAppCredential(
    {
      cloud: changes.cloud ?? "global",
      clientId: changes.clientId ?? clientId,
      credential: { kind: "client-secret", secret: { from: "text", text: changes.secret ?? clientSecret } },
      authorityHost,
    },
    { authority, clock },
  );
}

async function authority(context: TestContext, allowedTenants: string[] | null = null) {
  const emulator = await startEmulator({ clientId, clientSecret, allowedTenants, cloud: "global" });
  context.after(emulator.close);
  const ask = (changes: Changes & { tenant?: string } = {}) =>
    appOf(context, emulator, changes).token(changes.tenant ?? tenantId, neverAborted);
  return { emulator, ask };
}

test("a token with its expiry", async (context) => {
  const { ask } = await authority(context);
  const result = await ask();
  assert.ok(result.ok, JSON.stringify(result));
  assert.ok(Math.abs(result.expiresAtWallMs - Date.now() - 3_600_000) < 60_000);
});

test("refusals name Entra's number and the variable to check, and never the secret", async (context) => {
  const { ask } = await authority(context, [tenantId]);
  const cases = [
    [{ secret: "a-wrong-secret" }, "application", /AADSTS7000215.*AZURE_CLIENT_SECRET/],
    [{ clientId: randomUUID() }, "credential", /AADSTS700016.*AZURE_CLIENT_ID/],
    [{ tenant: randomUUID() }, "credential", /AADSTS90002.*GRAPH_CLOUD/],
    [{ cloud: "china" }, "credential", /AADSTS500011.*GRAPH_CLOUD/],
  ] as const;
  for (const [changes, reason, expected] of cases) {
    const result = await ask(changes);
    assert.ok(!result.ok && result.reason === reason, JSON.stringify([changes, result]));
    assert.match(`${result.detail}. ${result.fix}`, expected);
    assert.doesNotMatch(`${result.detail}. ${result.fix}`, /a-wrong-secret|the-right|\n/);
  }
});

test("an authority that is down, or away, has refused nothing", async (context) => {
  const { emulator, ask } = await authority(context);
  emulator.setFaults({ ...faultProfile("none"), tokenUnavailable: 1 });
  const host = new URL(emulator.authorityHost).host;
  const down = await ask();
  assert.equal(!down.ok && down.reason, "connect", JSON.stringify(down));
  assert.match(JSON.stringify(down), new RegExp(`the authority ${host} answers HTTP 503"`));
  await emulator.suspend();
  const away = await ask();
  assert.equal(!away.ok && away.reason, "connect", JSON.stringify(away));
  assert.match(JSON.stringify(away), new RegExp(`the authority ${host} can't be reached: .*ECONNREFUSED`));
  for (const result of [down, away]) assert.doesNotMatch(JSON.stringify(result), /aka\.ms|REQUEST_SEND/);
  await emulator.resume();
});

test("an acquisition that was given up ends", async (context) => {
  const { emulator } = await authority(context);
  const { token: source } = appOf(context, emulator);
  const result = await source(tenantId, AbortSignal.abort());
  assert.equal(!result.ok && result.reason, "connect", JSON.stringify(result));
});

test("an untrusted authority is reported with a code and what to do", async (context) => {
  const { emulator } = await authority(context);
  const { token: ask } = appOf(context, emulator, { trustsEmulator: false });
  const result = await ask(tenantId, neverAborted);
  assert.ok(
    !result.ok && result.reason === "connect" && result.code === "untrusted-ca",
    JSON.stringify(result),
  );
  assert.match(result.detail, /the authority localhost:\d+ can't be reached.*GRAPH_CA_FILE/);
});

test("an untrusted server gets nothing, and the way out is named", async (context) => {
  const { emulator } = await authority(context);
  const { graph, close } = openAgainst(emulator.httpsUrl, createManualClock());
  context.after(close);
  const [reply] = (await graph.create(tenantId, [createRequest()])) as [GraphReply];
  assert.equal(reply.kind === "silence" && !reply.sent && reply.reason, "connect", JSON.stringify(reply));
  assert.match(JSON.stringify(reply), /NODE_EXTRA_CA_CERTS/);
  assert.equal(reply.kind === "silence" && reply.code, "untrusted-ca");
});

test("every cloud has its own Graph, and a scope on it", () => {
  for (const [name, { graphUrl, authorityHost }] of Object.entries(clouds)) {
    assert.equal(scopeOf(name as keyof typeof clouds), `${graphUrl}/.default`);
    for (const url of [graphUrl, authorityHost]) assert.equal(new URL(url).origin, url);
  }
  assert.equal(new Set(Object.values(clouds).map(({ graphUrl }) => graphUrl)).size, 4);
});

test("an authority host that is one of the clouds' own, in any spelling, is not a custom one", () => {
  for (const { authorityHost } of Object.values(clouds)) assert.ok(isCloudAuthority(authorityHost));
  // As the webhook of AKS writes it.
  assert.ok(isCloudAuthority("https://login.microsoftonline.com/"));
  assert.ok(isCloudAuthority("https://LOGIN.partner.microsoftonline.cn"));
  for (const other of ["https://localhost:8443", "https://login.microsoftonline.com.example"])
    assert.ok(!isCloudAuthority(other), other);
});

test("an authority of another cloud than Graph's is reported; two clouds share one, China has two", () => {
  const mixed = (cloud: CloudName, authorityHost: string | null) =>
    authorityOfOtherCloud({ cloud, authorityHost });
  assert.deepEqual(mixed("global", "https://login.microsoftonline.us"), ["us-gov", "us-dod"]);
  assert.deepEqual(mixed("us-gov", "https://login.microsoftonline.com/"), ["global"]);
  assert.deepEqual(mixed("global", "https://login.partner.microsoftonline.cn"), ["china"]);
  for (const [cloud, host] of [
    ["us-dod", "https://login.microsoftonline.us"],
    ["china", "https://login.partner.microsoftonline.cn"],
    ["china", "https://login.chinacloudapi.cn"],
    ["global", "https://localhost:8443"],
    ["china", null],
  ] as const)
    assert.deepEqual(mixed(cloud, host), [], `${cloud} ${host}`);
});

test("a throttled authority is not a refusal, whatever its body says", () => {
  const cause = Object.assign(new Error("AADSTS50196: loop"), { errorCode: "invalid_client", status: 429 });
  const failure = classifyCredentialError(new Error("wrapped", { cause }), asked);
  assert.equal(failure.reason, "connect");
});

test("a secret that an answer echoes is cut out", () => {
  const failure = classifyCredentialError(
    new Error(`sent ${clientSecret}\n(${encodeURIComponent(clientSecret)}) and failed`),
    asked,
  );
  assert.match(failure.detail, /sent \*\*\* \(\*\*\*\) and failed/);
});

test("requestTimeoutMs bounds the wait for an authority that never answers", async (context) => {
  const clock = createManualClock();
  const { graph, close } = openAgainst("http://127.0.0.1:9", clock, {
    tokens: () => new Promise(() => {}),
  });
  context.after(close);
  const work = graph.create(tenantId, [createRequest()]);
  clock.advance(requestTimeoutMs);
  const [reply] = await work;
  assert.deepEqual(reply?.kind === "silence" && [reply.reason, reply.sent], ["timeout", false]);
});
