import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AcquiredToken,
  createTokenCache,
  type TokenCacheSettings,
  type TokenSource,
} from "../../../src/graph/credentials/token-cache.ts";
import { createRequest, idOf, serve, tenantId } from "../fixtures.ts";
import { createManualClock, turn } from "../manual-clock.ts";
import { reply } from "../wire-server.ts";

const hourMs = 3_600_000;
const settings: TokenCacheSettings = {
  acquireTimeoutMs: 1_000,
  maxTenants: 3,
  credentialHoldMs: 5_000,
  invalidateEveryMs: 60_000,
};

/** A source that numbers its tokens; `fail` is given once instead of the next one. */
function numbered(lifeMs = hourMs) {
  const clock = createManualClock();
  const asked: string[] = [];
  const state: { fail: AcquiredToken | null; hang: boolean } = { fail: null, hang: false };
  const cache = createTokenCache(
    async (tenant) => {
      asked.push(tenant);
      if (state.hang) await new Promise(() => {});
      const { fail } = state;
      state.fail = null;
      return (
        fail ?? { ok: true, token: `${tenant}-${asked.length}`, expiresAtWallMs: clock.wallMs() + lifeMs }
      );
    },
    settings,
    clock,
  );
  const tokenOf = async (tenant: string) => {
    const result = await cache.get(tenant);
    return result.ok ? result.token : result.reason;
  };
  return { clock, asked, state, cache, tokenOf };
}

test("all who ask at the same time share one acquisition, and later ones need none", async () => {
  const { asked, tokenOf } = numbered();
  assert.deepEqual(await Promise.all(["a", "a", "b", "a"].map(tokenOf)), ["a-1", "a-1", "b-2", "a-1"]);
  assert.equal(await tokenOf("a"), "a-1");
  assert.equal(asked.length, 2);
});

test("ahead of expiry the old token is handed out while one new one is fetched", async () => {
  const { clock, cache, asked, tokenOf } = numbered();
  await tokenOf("a");
  clock.advance(hourMs - 300_000);
  const [first, second] = [cache.get("a"), cache.get("a")];
  assert.deepEqual(
    [first, second],
    [
      { ok: true, token: "a-1" },
      { ok: true, token: "a-1" },
    ],
  );
  await turn();
  assert.equal(await tokenOf("a"), "a-2");
  assert.equal(asked.length, 2);
});

test("a refresh that fails leaves the old token, and is repeated later, not immediately", async () => {
  const { clock, state, asked, tokenOf } = numbered();
  await tokenOf("a");
  clock.advance(hourMs - 300_000);
  state.fail = { ok: false, reason: "connect", detail: "down" };
  for (let i = 0; i < 3; i++) {
    assert.equal(await tokenOf("a"), "a-1");
    await turn();
  }
  assert.equal(asked.length, 2);
  clock.advance(30_000);
  await tokenOf("a");
  await turn();
  assert.equal(await tokenOf("a"), "a-3");
});

test("an expired token is never handed out", async () => {
  const { clock, tokenOf } = numbered();
  await tokenOf("a");
  clock.advance(hourMs);
  assert.equal(await tokenOf("a"), "a-2");
});

test("a short-lived token serves too", async () => {
  const { clock, asked, tokenOf } = numbered(2_000);
  await tokenOf("a");
  clock.advance(1_000);
  await tokenOf("a");
  assert.equal(asked.length, 1);
});

test("a refused credential is not tried again for a while; a failed connection is", async () => {
  const { clock, state, asked, tokenOf } = numbered();
  state.fail = { ok: false, reason: "credential", detail: "no" };
  assert.equal(await tokenOf("a"), "credential");
  assert.equal(await tokenOf("a"), "credential");
  assert.equal(asked.length, 1);
  clock.advance(5_000);
  state.fail = { ok: false, reason: "connect", detail: "down" };
  assert.equal(await tokenOf("a"), "connect");
  assert.equal(await tokenOf("a"), "a-3");
});

test("a refused token is replaced once per interval", async () => {
  const { clock, cache, tokenOf } = numbered();
  await tokenOf("a");
  assert.equal(cache.invalidate("a", "a-1"), true);
  assert.equal(await tokenOf("a"), "a-2");
  // A late 401 of another request for the old token costs nothing.
  assert.equal(cache.invalidate("a", "a-1"), true);
  assert.equal(await tokenOf("a"), "a-2");
  assert.equal(cache.invalidate("a", "a-2"), false);
  assert.equal(await tokenOf("a"), "a-2");
  clock.advance(60_000);
  assert.equal(cache.invalidate("a", "a-2"), true);
  assert.equal(await tokenOf("a"), "a-3");
});

test("the least recently used tenant is forgotten first", async () => {
  const { asked, tokenOf } = numbered();
  for (const tenant of ["a", "b", "c", "a", "d", "a", "c", "d"]) await tokenOf(tenant);
  assert.deepEqual(asked, ["a", "b", "c", "d"]);
  await tokenOf("b");
  assert.equal(asked.length, 5);
});

test("an acquisition that hangs ends, and the next is tried", async () => {
  const { clock, state, tokenOf } = numbered();
  state.hang = true;
  const hanging = tokenOf("a");
  clock.advance(1_000);
  assert.equal(await hanging, "connect");
  state.hang = false;
  assert.equal(await tokenOf("a"), "a-2");
});

test("a 401 is answered with one new token and one repetition", async (context) => {
  const object = { id: idOf(1), ...createRequest().details };
  const answer = (authorization: string | undefined) =>
    authorization === "Bearer token-2" ? reply(201, object) : reply(401, { error: { code: "Expired" } });
  const { graph, server } = await serve(
    context,
    ({ socket, headers }) => socket.write(answer(headers.authorization)),
    {
      tokens: countedTokens().source,
    },
  );
  const [healed] = await graph.create(tenantId, [createRequest()]);
  assert.equal(healed?.kind === "answer" && healed.status, 201);
  assert.equal(server.requests.length, 2);
});

test("a tenant that always answers 401 costs one more token a minute, not one a request", async (context) => {
  const tokens = countedTokens();
  const refuse = reply(401, { error: { code: "No" } });
  const { graph, server } = await serve(context, ({ socket }) => socket.write(refuse), {
    tokens: tokens.source,
  });
  for (let n = 0; n < 10; n++) {
    const [result] = await graph.create(tenantId, [createRequest(n)]);
    assert.equal(result?.kind === "answer" && result.status, 401);
  }
  assert.equal(tokens.count(), 2);
  assert.equal(server.requests.length, 11);
});

function countedTokens(): { source: TokenSource; count: () => number } {
  let count = 0;
  const source: TokenSource = async () => {
    count++;
    return { ok: true, token: `token-${count}`, expiresAtWallMs: Date.now() + hourMs };
  };
  return { source, count: () => count };
}

test("once it is closed, what is under way ends, and so does what is asked for later", async () => {
  const ended: string[] = [];
  const source: TokenSource = (tenant, signal) => {
    const { promise, resolve } = Promise.withResolvers<AcquiredToken>();
    const end = () => {
      ended.push(tenant);
      resolve({ ok: false, reason: "connect", detail: "ended" });
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
    return promise;
  };
  const cache = createTokenCache(source, settings, createManualClock());
  const results = ["a", "b"].map((tenant) => cache.get(tenant));
  cache.close();
  results.push(cache.get("c"));
  assert.deepEqual(
    (await Promise.all(results)).map(({ ok }) => ok),
    [false, false, false],
  );
  assert.deepEqual(ended, ["a", "b", "c"]);
});

for (const lifeMs of [-hourMs, 0, Number.NaN])
  test(`a token that is over when it comes, by this machine's clock (${lifeMs} ms left), serves for half a minute`, async () => {
    const { clock, asked, tokenOf } = numbered(lifeMs);
    for (let second = 0; second < 60; second += 1) {
      await tokenOf("a");
      clock.advance(1_000);
    }
    assert.equal(asked.length, 2);
  });
