/** Who may see the console, and that no other site's page can do anything in it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { sampleEvent } from "../../../lab/testkit/samples.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { openTokenStore } from "../../../src/server/auth/token-store.ts";
import { type TokenEntry, tokenHash, tokensText } from "../../../src/server/auth/tokens-file.ts";
import { temporaryDirectory } from "../../cli/run-cli.ts";
import { consoleFor } from "./harness.ts";

const operatorToken = "crt_operator";
const installerToken = "crt_installer";
const entry = (name: string, token: string, changes: Partial<TokenEntry> = {}): TokenEntry => ({
  ...{ name, sha256: tokenHash(token), tenants: ["*"], created: "2026-01-01T00:00:00Z" },
  ...changes,
});
const operator = entry("anna", operatorToken, { role: "operator" });
const installer = entry("site-1", installerToken);

async function guarded(t: TestContext, settings = {}) {
  const path = join(temporaryDirectory(t), "tokens.json");
  const write = (...entries: TokenEntry[]) => writeFileSync(path, tokensText(entries));
  write(operator, installer);
  const clock = virtualClock();
  const store = openTokenStore(path, clock, () => {});
  const console = await consoleFor(t, { doors: { tokens: store, entra: null }, settings, parts: { clock } });
  const signIn = (token: string, to = "/console/letters") => console.post("/console/sign-in", { token, to });
  return { ...console, clock, write, signIn };
}

function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]!.split(";", 1)[0]!;
}

test("without a session each page leads to signing in, and what changes something is refused", async (t) => {
  const { get, post, memory } = await guarded(t);
  for (const path of ["/console", "/console/enrollments?tenant=x", "/console/letters", "/console/tenants"]) {
    const { status, headers } = await get(path);
    assert.deepEqual(
      [status, headers.get("location")],
      [303, `/console/sign-in?to=${encodeURIComponent(path)}`],
    );
  }
  assert.equal((await get("/console/live")).status, 401);
  assert.equal((await post("/console/replays", { by: "reason" })).status, 401);
  assert.equal((await get("/console/style.css?v=1")).status, 200);
  assert.equal(memory.appends.length, 0);
});

test("an operator's token opens the console; one that enrolls, an unknown one and none do not", async (t) => {
  const { get, signIn } = await guarded(t);
  for (const token of [installerToken, "crt_other", ""]) {
    const refused = await signIn(token);
    assert.deepEqual([refused.status, refused.headers.getSetCookie()], [401, []], token);
    assert.match(await refused.text(), /not a token of an operator/);
  }
  const { status, headers } = await get("/console", {
    headers: { authorization: `Bearer ${installerToken}`, cookie: `console=${installerToken}` },
  });
  assert.deepEqual([status, headers.get("location")], [303, "/console/sign-in?to=%2Fconsole"]);
  const signedIn = await signIn(operatorToken);
  assert.deepEqual([signedIn.status, signedIn.headers.get("location")], [303, "/console/letters"]);
  const [setCookie] = signedIn.headers.getSetCookie();
  assert.match(setCookie!, /^console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  const page = await get("/console/letters", { headers: { cookie: cookieOf(signedIn) } });
  assert.equal(page.status, 200);
  assert.match(await page.text(), /anna/);
});

test("behind TLS the cookie travels over TLS alone", async (t) => {
  const { signIn } = await guarded(t, { behindProxy: true });
  const [cookie] = (await signIn(operatorToken)).headers.getSetCookie();
  assert.match(cookie!, /^__Host-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
});

test("a session ends with its token, by signing out, after an idle hour, and after twelve hours", async (t) => {
  const { get, post, signIn, write, clock } = await guarded(t);
  const begin = async () => ({ cookie: cookieOf(await signIn(operatorToken)) });
  const isIn = async (headers: { cookie: string }) => (await get("/console", { headers })).status === 200;
  const revoked = await begin();
  assert.ok(await isIn(revoked));
  write(installer);
  clock.advance(1_000);
  assert.ok(!(await isIn(revoked)), "revoked");
  write(operator, installer);
  clock.advance(1_000);
  const left = await begin();
  const out = await post("/console/sign-out", {}, left);
  assert.deepEqual(
    [out.status, out.headers.getSetCookie()[0]],
    [303, "console=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"],
  );
  assert.ok(!(await isIn(left)), "signed out");
  const idle = await begin();
  clock.advance(3_600_000);
  assert.ok(!(await isIn(idle)), "idle");
  const busy = await begin();
  for (let minutes = 0; minutes < 12 * 60 - 30; minutes += 30) {
    clock.advance(30 * 60_000);
    assert.ok(await isIn(busy), `after ${minutes} minutes`);
  }
  clock.advance(30 * 60_000);
  assert.ok(!(await isIn(busy)), "twelve hours");
});

test("after signing in one is redirected only to pages of the console", async (t) => {
  const { signIn } = await guarded(t);
  for (const to of [
    "https://evil.example/",
    "//evil.example",
    "/console//evil.example\\",
    "/events",
    "/console\nx",
    "",
  ]) {
    const { headers } = await signIn(operatorToken, to);
    assert.equal(headers.get("location"), "/console", to);
  }
  const kept = "/console/enrollments?tenant=1&state=waiting";
  assert.equal((await signIn(operatorToken, kept)).headers.get("location"), kept);
});

test("an operator's token can't enroll", async (t) => {
  const { get, memory } = await guarded(t);
  const send = (token: string) =>
    get("/events", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/cloudevents+json" },
      body: JSON.stringify(sampleEvent),
    });
  const refused = await send(operatorToken);
  assert.deepEqual(
    [refused.status, ((await refused.json()) as { code: string }).code],
    [403, "operator-token"],
  );
  assert.equal(memory.appends.length, 0);
  assert.equal((await send(installerToken)).status, 202);
});

test("what comes from another site's page, or from nowhere, changes nothing", async (t) => {
  const { url, get, signIn, memory } = await guarded(t);
  const cookie = cookieOf(await signIn(operatorToken));
  const cases: readonly Record<string, string>[] = [
    {},
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: url.replace("127.0.0.1", "localhost") },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: url },
    { "sec-fetch-site": "none" },
  ];
  const scansBefore = memory.scans.length;
  for (const headers of cases) {
    const body = new URLSearchParams({ by: "reason" });
    const { status } = await get("/console/replays", {
      method: "POST",
      body,
      headers: { cookie, ...headers },
    });
    assert.equal(status, 403, JSON.stringify(headers));
  }
  assert.equal(memory.scans.length, scansBefore, "no dry run has begun");
  const body = new URLSearchParams({ by: "reason" });
  const ours = await get("/console/replays", { method: "POST", body, headers: { cookie, origin: url } });
  assert.equal(ours.status, 303);
});

test("where no token is asked for, the console answers this machine's own names alone", async (t) => {
  const { url } = await consoleFor(t);
  const { request } = await import("node:http");
  const status = await new Promise((resolve) => {
    request(`${url}/console`, { headers: { host: "rebound.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  assert.equal(status, 421);
});
