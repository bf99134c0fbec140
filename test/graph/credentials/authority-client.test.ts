/** Connections to the authority, and what is remembered of it. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { createConnector } from "../../../src/graph/connector.ts";
import { openAuthority } from "../../../src/graph/credentials/authority-client.ts";
import { createDiscovery, type Turn } from "../../../src/graph/credentials/discovery.ts";
import type { Acquisition } from "../../../src/graph/credentials/http-client.ts";
import type { Clock } from "../../../src/ports.ts";
import { requestTimeoutMs } from "../fixtures.ts";
import { createManualClock } from "../manual-clock.ts";
import { emulatorFor, graphWith, homeTenant, otherTenant } from "./fixtures.ts";

/** A server that does as `answer` says to each request; `ask` sends one. */
async function authorityWith(
  t: TestContext,
  answer: (nth: number, request: IncomingMessage, response: ServerResponse) => void,
) {
  const seen = { requests: 0, sockets: new Set<Socket>() };
  const server = createServer((request, response) => {
    seen.requests += 1;
    seen.sockets.add(request.socket);
    request.resume().on("end", () => answer(seen.requests, request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const clock = createManualClock();
  const connector = createConnector(
    { connectTimeoutMs: requestTimeoutMs, secureContext: null, proxy: null },
    clock,
  );
  const authority = openAuthority(connector, 1, clock);
  t.after(async () => {
    await authority.close();
    connector.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant/oauth2/v2.0/token`;
  const ask = async (signal = new AbortController().signal) => {
    const acquisition: Acquisition = { signal, answer: null };
    const request = createPipelineRequest({ url, method: "POST", body: "grant_type=client_credentials" });
    const result = await authority
      .client(acquisition)
      .sendRequest(request)
      .catch((error: Error) => error);
    return { result, acquisition };
  };
  return { ask, seen };
}

const ok = (response: ServerResponse) => void response.end(`{"access_token":"t"}`);

test("requests share a connection that is kept", async (t) => {
  const { ask, seen } = await authorityWith(t, (_, __, response) => ok(response));
  for (let nth = 1; nth <= 3; nth += 1) {
    const { result, acquisition } = await ask();
    assert.ok(!(result instanceof Error) && result.status === 200);
    assert.equal(result.bodyAsText, `{"access_token":"t"}`);
    assert.deepEqual(
      acquisition.answer && "body" in acquisition.answer && acquisition.answer.body,
      result.bodyAsText,
    );
  }
  assert.deepEqual([seen.requests, seen.sockets.size], [3, 1]);
});

test("a kept connection that breaks without an answer costs no token: the request goes out once more", async (t) => {
  const { ask, seen } = await authorityWith(t, (nth, request, response) =>
    nth === 2 ? request.socket.resetAndDestroy() : ok(response),
  );
  for (let nth = 1; nth <= 2; nth += 1) assert.ok(!((await ask()).result instanceof Error));
  assert.deepEqual([seen.requests, seen.sockets.size], [3, 2]);
});

test("an authority that breaks every connection is asked twice and no more, and the error says what happened", async (t) => {
  const { ask, seen } = await authorityWith(t, (_, request) => void request.socket.resetAndDestroy());
  const { result, acquisition } = await ask();
  assert.ok(result instanceof Error);
  assert.ok(acquisition.answer !== null && "error" in acquisition.answer);
  assert.equal(seen.requests, 2);
});

test("a request ends with its acquisition, and is not sent again", async (t) => {
  const giveUp = new AbortController();
  const { ask, seen } = await authorityWith(t, () => giveUp.abort());
  const { result } = await ask(giveUp.signal);
  assert.ok(result instanceof Error);
  assert.equal(seen.requests, 1);
});

test("an authority is asked once where its endpoints are, then for tokens only", async (t) => {
  const emulator = await emulatorFor(t);
  const { tokenOf } = graphWith(t, emulator, {
    kind: "client-secret",
    secret: { from: "text", text: "emulator-only" },
  });
  for (const tenantId of [homeTenant, otherTenant]) assert.ok((await tokenOf(tenantId)).ok);
  assert.deepEqual(emulator.stats().requests.entra, { 200: 3 });
  const unknown = await tokenOf("99999999-9999-4999-8999-999999999999");
  assert.match(JSON.stringify(unknown), /AADSTS90002/);
  assert.deepEqual(emulator.stats().requests.entra, { 200: 3, 400: 1 });
});

test("many tenants at the same time ask for that once as well", async (t) => {
  const emulator = await emulatorFor(t);
  const { tokenOf } = graphWith(t, emulator, {
    kind: "client-secret",
    secret: { from: "text", text: "emulator-only" },
  });
  const unknown = "99999999-9999-4999-8999-999999999999";
  const [refused, ...tokens] = await Promise.all([unknown, homeTenant, otherTenant].map(tokenOf));
  assert.ok(tokens.every(({ ok }) => ok));
  assert.match(JSON.stringify(refused), /AADSTS90002/);
  // The first one's tenant does not exist, so a second one had to ask for its own.
  const { requests } = emulator.stats();
  assert.equal(requests.entra![200], 3);
  assert(requests.entra![400]! <= 2, JSON.stringify(requests));
});

const documentUrl = (tenantId: string, origin = "https://login.example") =>
  new URL(`${origin}/${tenantId}/v2.0/.well-known/openid-configuration`);
const neverAborted = new AbortController().signal;
const documentOf = (tenantId: string) => `{"issuer":"https://login.example/${tenantId}/v2.0"}`;

/** A discovery that has asked for this tenant's document. */
async function after(clock: Clock, url: URL, document: string) {
  const discovery = createDiscovery(clock);
  const turn = await discovery.find(url, neverAborted);
  assert(turn.document === null);
  turn.end(document);
  const find = async (of: URL) => (await discovery.find(of, neverAborted)).document;
  return { discovery, find };
}

test("one tenant's document stands for the others of the same authority, for a day", async () => {
  const clock = createManualClock();
  const { find } = await after(clock, documentUrl(homeTenant.toUpperCase()), documentOf(homeTenant));
  assert.equal(await find(documentUrl(otherTenant)), documentOf(otherTenant));
  assert.equal(await find(documentUrl("contoso.example")), null);
  clock.advance(24 * 3_600_000);
  assert.equal(await find(documentUrl(otherTenant)), null);
});

test("a document is of its own authority only", async () => {
  const { find } = await after(createManualClock(), documentUrl(homeTenant), documentOf(homeTenant));
  assert.equal(await find(documentUrl(otherTenant, "https://login.elsewhere")), null);
});

test("a document that does not name its tenant stands for no other, and holds none up", async () => {
  const clock = createManualClock();
  const { find } = await after(clock, documentUrl(homeTenant), `{"issuer":"https://login.example/adfs"}`);
  // Neither has ended its turn.
  assert.equal(await find(documentUrl(otherTenant)), null);
  assert.equal(await find(documentUrl(homeTenant)), null);
  const named = await after(clock, documentUrl("contoso.example"), documentOf("contoso.example"));
  assert.equal(await named.find(documentUrl(otherTenant)), null);
});

for (const [what, page] of [
  ["of HTML", `<html>Blocked: https://login.example/${homeTenant}/v2.0</html>`],
  ["of JSON", `{"blocked":"https://login.example/${homeTenant}/v2.0"}`],
  ["that is cut short", documentOf(homeTenant).slice(0, -1)],
  ["of nothing", ""],
])
  test(`a page ${what} in the document's place is not remembered, and the next one asks`, async () => {
    const { find, discovery } = await after(createManualClock(), documentUrl(homeTenant), page!);
    const turn = await discovery.find(documentUrl(otherTenant), neverAborted);
    assert(turn.document === null);
    turn.end(documentOf(otherTenant));
    assert.equal(await find(documentUrl(homeTenant)), documentOf(homeTenant));
  });

test("while one asks the others wait; each that fails lets the next one ask, and all get what one was answered", async () => {
  const discovery = createDiscovery(createManualClock());
  const giveUp = new AbortController();
  const turns: Turn[] = [];
  const documents: string[] = [];
  const asking = Array.from({ length: 32 }, async (_, nth) => {
    const signal = nth === 2 ? giveUp.signal : neverAborted;
    const found = await discovery.find(documentUrl(homeTenant), signal);
    if (found.document === null) turns.push(found);
    else documents.push(found.document);
  });
  await asking[0];
  assert.deepEqual([turns.length, documents.length], [1, 0]);
  giveUp.abort();
  await asking[2];
  assert.deepEqual([turns.length, documents.length], [2, 0], "who gives up waits no longer");
  turns[1]!.end(null);
  turns[0]!.end(null);
  await asking[1];
  assert.deepEqual([turns.length, documents.length], [3, 0], "one that failed is followed by one");
  turns[2]!.end(documentOf(homeTenant));
  await Promise.all(asking);
  assert.deepEqual([turns.length, documents.length], [3, 29]);
});
