/** Connections to the authority, and what is remembered of it. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { createConnector } from "../../../src/graph/connector.ts";
import { openAuthority } from "../../../src/graph/credentials/authority-client.ts";
import { createDiscovery } from "../../../src/graph/credentials/discovery.ts";
import type { Acquisition } from "../../../src/graph/credentials/http-client.ts";
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

test("an authority that breaks every connection is asked twice and no more, and it is told what happened", async (t) => {
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

const documentUrl = (tenantId: string, origin = "https://login.example") =>
  new URL(`${origin}/${tenantId}/v2.0/.well-known/openid-configuration`);

test("one tenant's document stands for the others of the same authority, for a day", () => {
  const clock = createManualClock();
  const discovery = createDiscovery(clock);
  assert.equal(discovery.known(documentUrl(homeTenant)), null);
  discovery.learn(
    documentUrl(homeTenant.toUpperCase()),
    `{"issuer":"https://login.example/${homeTenant}/v2.0"}`,
  );
  const expected = `{"issuer":"https://login.example/${otherTenant}/v2.0"}`;
  assert.equal(discovery.known(documentUrl(otherTenant)), expected);
  assert.equal(discovery.known(documentUrl(otherTenant, "https://login.elsewhere")), null);
  assert.equal(discovery.known(documentUrl("contoso.example")), null);
  clock.advance(24 * 3_600_000);
  assert.equal(discovery.known(documentUrl(otherTenant)), null);
});

test("a document that does not name its tenant stands for no other", () => {
  const discovery = createDiscovery(createManualClock());
  discovery.learn(documentUrl(homeTenant), `{"issuer":"https://login.example/adfs"}`);
  discovery.learn(documentUrl("contoso.example"), `{"issuer":"https://login.example/contoso.example/v2.0"}`);
  assert.equal(discovery.known(documentUrl(otherTenant)), null);
});
