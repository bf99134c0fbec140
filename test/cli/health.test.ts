import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { openHealthServer, type Readiness } from "../../src/server/health-server.ts";
import { runCli } from "./run-cli.ts";

async function healthServer(t: { after(end: () => Promise<void>): void }, readiness: Readiness) {
  const metrics = { contentType: "text/plain", text: async () => "" };
  const opened = await openHealthServer({ host: "127.0.0.1", port: 0, readiness: () => readiness, metrics });
  assert.ok(opened.ok);
  t.after(() => opened.server.close());
  return new URL(opened.server.url);
}

test("a ready worker: exit 0", async (t) => {
  const { port } = await healthServer(t, { ready: true, notReady: [] });
  const { code, stdout } = await runCli(["health"], { HTTP_PORT: port });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { ready: true, notReady: [] });
});

test("a worker that is not ready: exit 1, and which part is not, and why", async (t) => {
  const notReady = ["log: Kafka at kafka:9092 can't be reached"];
  const { port } = await healthServer(t, { ready: false, notReady });
  const { code, stdout } = await runCli(["health"], { HTTP_PORT: port, HTTP_HOST: "127.0.0.1" });
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout).notReady, notReady);
});

test("another address can be asked", async (t) => {
  const url = await healthServer(t, { ready: true, notReady: [] });
  assert.equal((await runCli(["health", `${url}livez`])).code, 0);
  assert.equal((await runCli(["health", `${url}nowhere`])).code, 1);
});

test("no worker there: exit 1 and one line", async () => {
  const { code, stderr } = await runCli(["health"], { HTTP_PORT: String(await freePort()) });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^connector-registrar: Nothing answers at http:\/\/127\.0\.0\.1:\d+\/readyz \(ECONNREFUSED\)\.$/m,
  );
});

test("no port: exit 2 and what to type", async () => {
  const { code, stderr } = await runCli(["health"]);
  assert.equal(code, 2);
  assert.match(stderr, /Type: export HTTP_PORT=8080, or: connector-registrar health <url>/);
});
