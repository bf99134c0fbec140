/** `serve` beside `start`, and `start --serve`: one event by HTTP, all the way to its Graph id and back. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { tokenHash, tokensText } from "../../src/server/auth/tokens-file.ts";
import { certificate } from "../support/certificates.ts";
import { lookAgain } from "../support/look-again.ts";
import {
  type Environment,
  jsonLines,
  type Running,
  runCli,
  startCli,
  temporaryDirectory,
} from "./run-cli.ts";

const foreignTenant = "9d6c0e5a-1111-4222-8333-444455556666";
const structured = { "content-type": "application/cloudevents+json" };
const event = (machineName: string, changes: object = {}) =>
  JSON.stringify({
    ...{ specversion: "1.0", id: `id-${machineName}`, source: "/installers/1", type: "connector.enrolled" },
    tenantid: tenantId,
    data: {
      ...{ connectorName: "Connector", machineName, enrollmentDateTime: "2026-01-02T03:04:05.1234567+01:00" },
      ...{ lastCheckinDateTime: "2026-01-02T03:04:05Z", connectorVersion: "6.2406.0.1001" },
    },
    ...changes,
  });

async function serving(t: TestContext, args: readonly string[], environment: Environment) {
  const running = startCli([...args, "--serve-port", "0"], environment);
  t.after(() => running.child.kill("SIGKILL"));
  const { url } = JSON.parse(await running.line(/serving at/));
  return { running, url: String(url) };
}

// biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body it asserts
const json = async (response: Response) => (await response.json()) as Record<string, any>;

/** An answer of 503 says when to ask again; until the log is open that is what there is. */
async function post(url: string, body: string, headers: Record<string, string> = {}) {
  for (;;) {
    const response = await fetch(`${url}/events`, {
      method: "POST",
      headers: { ...structured, ...headers },
      body,
    });
    const answer = { status: response.status, headers: response.headers, body: await json(response) };
    if (answer.status !== 503) return answer;
    await lookAgain();
  }
}

async function ended(running: Running) {
  running.child.kill("SIGTERM");
  return running.ended;
}

test("serve beside start: an installer learns its Graph id in one call, and again from the status", async (t) => {
  const { emulator, environment } = await emulatorFor(t);
  const DATA_DIR = temporaryDirectory(t);
  const worker = startCli(["start"], { ...environment, DATA_DIR });
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/working on/);
  const { running, url } = await serving(t, ["serve"], { DATA_DIR, AZURE_TENANT_ID: tenantId });
  const created = await post(url, event("PC-1"), { prefer: "wait=60" });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const [object] = emulator.inventory()[tenantId] ?? [];
  assert.equal(created.body.graphId, object!.id);
  const status = await fetch(new URL(created.headers.get("location")!, url));
  const found = await json(status);
  assert.deepEqual([status.status, found.state, found.registered.graphId], [200, "registered", object!.id]);
  const again = await post(url, event("pc-1", { id: "another" }));
  assert.deepEqual([again.status, again.body.known, again.body.graphId], [200, true, object!.id]);
  const foreign = await post(url, event("PC-2", { tenantid: foreignTenant }));
  assert.deepEqual([foreign.status, foreign.body.code], [400, "tenant-not-allowed"]);
  const { code, stdout, stderr } = await ended(running);
  assert.equal(code, 0, stderr);
  assert.equal(jsonLines(stdout).at(-1)!.msg, "stopped");
  assert.ok(!stdout.includes("PC-1"));
  assert.equal((await ended(worker)).code, 0);
});

test("start --serve is the same in one process, and /metrics has the worker's beside the service's", async (t) => {
  const { environment } = await emulatorFor(t);
  const DATA_DIR = temporaryDirectory(t);
  const { running, url } = await serving(t, ["start", "--serve"], { ...environment, DATA_DIR });
  const { status, body } = await post(url, event("PC-1"), { prefer: "wait=60" });
  assert.equal(status, 201, JSON.stringify(body));
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^connector_registrar_registered_total\{outcome="created"\} 1$/m);
  assert.match(metrics, /^connector_registrar_http_events_total\{result="stored"\} 1$/m);
  const console = await (await fetch(`${url}/console`)).text();
  assert.match(console, /this process<.*ready</s);
  const found = await (await fetch(`${url}/console/enrollments?state=registered`)).text();
  assert.match(found, /console\/enrollment\?id=[^>]*><bdi>PC-1</);
  const names = [...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.equal(new Set(names).size, names.length);
  const { code, stderr } = await ended(running);
  assert.equal(code, 0, stderr);
});

test("a refusal by the worker reaches the installer that waits: 422 with the code of the dead letter", async (t) => {
  const { environment } = await emulatorFor(t);
  const DATA_DIR = temporaryDirectory(t);
  const worker = startCli(["start"], { ...environment, DATA_DIR });
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/working on/);
  // It does not know which tenants the worker serves.
  const { url } = await serving(t, ["serve"], { DATA_DIR });
  const { status, body } = await post(url, event("PC-1", { tenantid: foreignTenant }), { prefer: "wait=60" });
  assert.equal(status, 422, JSON.stringify(body));
  assert.deepEqual([body.code, body.pointers], ["tenant-not-allowed", ["/tenantid"]]);
  const found = await json(await fetch(`${url}/enrollments/${body.key}`));
  assert.deepEqual([found.state, found.refused.code], ["refused", "tenant-not-allowed"]);
});

test("with TLS and tokens it listens for other machines; the token is in no line", async (t) => {
  const directory = temporaryDirectory(t);
  const { cert, key } = await certificate("localhost");
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const token = "crt_of-the-test-that-shows-nowhere";
  const entry = { name: "t", sha256: tokenHash(token), tenants: [tenantId], created: "2026-01-01T00:00:00Z" };
  const { running, url } = await serving(t, ["serve"], {
    ...{ DATA_DIR: directory, SERVE_HOST: "0.0.0.0", TOKENS_FILE: file("tokens.json", tokensText([entry])) },
    ...{
      SERVE_TLS_CERT_FILE: file("cert.pem", cert),
      SERVE_TLS_KEY_FILE: file("key.pem", key),
      LOG_LEVEL: "trace",
    },
  });
  await running.line(/taking events in/);
  const { port } = new URL(url);
  const status = await new Promise((resolve, reject) => {
    const headers = { ...structured, authorization: `Bearer ${token}` };
    const asked = request(
      { host: "localhost", port, method: "POST", path: "/events", headers, ca: cert },
      (response) => {
        assert.match(String(response.headers["strict-transport-security"]), /max-age/);
        response.resume();
        resolve(response.statusCode);
      },
    );
    asked.on("error", reject).end(event("PC-1"));
  });
  assert.equal(status, 202);
  const renewed = await certificate("localhost");
  file("cert.pem", renewed.cert);
  file("key.pem", renewed.key);
  await running.line(/Another certificate of the service is in use now/);
  const { code, stdout, stderr } = await ended(running);
  assert.equal(code, 0);
  assert.ok(!(stdout + stderr).includes(token) && !stdout.includes("PC-1"));
});

for (const [what, environment, expected] of [
  ["no token is asked for", { SERVE_HOST: "0.0.0.0" }, /TOKENS_FILE/],
  ["the tokens are not there", { TOKENS_FILE: "/nowhere/tokens.json" }, /tokens create/],
  ["a certificate comes without its key", { SERVE_TLS_CERT_FILE: "a.pem" }, /export SERVE_TLS_KEY_FILE=/],
  ["the TLS files are not there", { SERVE_TLS_CERT_FILE: "a.pem", SERVE_TLS_KEY_FILE: "b.pem" }, /PEM/],
] as const) {
  test(`serve does not start where ${what}: exit 2, and what to type`, async (t) => {
    const { code, stderr } = await runCli(["serve"], { DATA_DIR: temporaryDirectory(t), ...environment });
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
  });
}

test("serve takes the tenants of TENANTS_FILE, read again when it changes", async (t) => {
  const DATA_DIR = temporaryDirectory(t);
  const file = join(DATA_DIR, "tenants.json");
  const list = (...tenantIds: string[]) =>
    writeFileSync(file, JSON.stringify({ tenants: tenantIds.map((id) => ({ tenantId: id })) }));
  list(tenantId);
  const { running, url } = await serving(t, ["serve"], { DATA_DIR, TENANTS_FILE: file });
  const foreign = event("PC-2", { tenantid: foreignTenant });
  assert.equal((await post(url, event("PC-1"))).status, 202);
  const refused = await post(url, foreign);
  assert.deepEqual([refused.status, refused.body.code], [400, "tenant-not-allowed"]);
  list(tenantId, foreignTenant);
  running.child.kill("SIGHUP");
  await running.line(/TENANTS_FILE was read again/);
  assert.equal((await post(url, foreign)).status, 202);
  const { code, stderr } = await ended(running);
  assert.equal(code, 0, stderr);
});

test("serve ends with 2 for a TENANTS_FILE that can't be used, and says where it is wrong", async (t) => {
  const DATA_DIR = temporaryDirectory(t);
  const file = join(DATA_DIR, "tenants.json");
  writeFileSync(file, '{ "tenants": [{ "tenantId": "contoso" }] }');
  const { code, stderr } = await runCli(["serve", "--serve-port", "0"], { DATA_DIR, TENANTS_FILE: file });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /TENANTS_FILE=.*\/tenants\/0\/tenantId/);
});
