import assert from "node:assert/strict";
import { test } from "node:test";
import { openHealthServer, type Readiness } from "../../src/server/health-server.ts";

const metrics = { contentType: "text/plain; version=0.0.4", text: async () => "up 1\n" };

async function open(readiness: () => Readiness, port = 0) {
  const opened = await openHealthServer({ host: "127.0.0.1", port, readiness, metrics });
  assert.ok(opened.ok, JSON.stringify(opened));
  return opened.server;
}

test("/livez, /readyz and /metrics answer", async (t) => {
  let state: Readiness = { ready: false, notReady: ["log: broker at localhost:9092 can't be reached"] };
  const server = await open(() => state);
  t.after(() => server.close());
  assert.equal((await fetch(`${server.url}/livez`)).status, 200);
  const waiting = await fetch(`${server.url}/readyz`);
  assert.equal(waiting.status, 503);
  assert.deepEqual(await waiting.json(), state);
  state = { ready: true, notReady: [] };
  assert.equal((await fetch(`${server.url}/readyz?verbose`)).status, 200);
  const scraped = await fetch(`${server.url}/metrics`);
  assert.equal(scraped.headers.get("content-type"), metrics.contentType);
  assert.equal(await scraped.text(), "up 1\n");
});

test("other paths and methods are refused with what there is", async (t) => {
  const server = await open(() => ({ ready: true, notReady: [] }));
  t.after(() => server.close());
  const missing = await fetch(`${server.url}/health`);
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /\/readyz/);
  assert.equal((await fetch(`${server.url}/livez`, { method: "POST" })).status, 405);
});

test("a taken port is a problem that says what to type", async (t) => {
  const server = await open(() => ({ ready: true, notReady: [] }));
  t.after(() => server.close());
  const port = Number(new URL(server.url).port);
  const second = await openHealthServer({
    host: "127.0.0.1",
    port,
    readiness: () => ({ ready: true, notReady: [] }),
    metrics,
  });
  assert.ok(!second.ok);
  assert.equal(second.problem.code, "port-taken");
  assert.match(second.problem.message, new RegExp(`HTTP_PORT=${port}`));
  assert.match(second.problem.fix, /HTTP_PORT=0/);
});
