/** What `start` finds out about the authority and Graph before any enrollment is there: a secret, and who is trusted. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { jsonLines, runCli, startCli, temporaryDirectory } from "./run-cli.ts";

const unknownTenant = "9d6c0e5a-1111-4222-8333-444455556666";

async function startEnvironment(t: TestContext) {
  const { environment } = await emulatorFor(t, { allowedTenants: [tenantId] });
  const { GRAPH_CA_FILE: caFile, ...untrusting } = { ...environment, DATA_DIR: temporaryDirectory(t) };
  return { untrusting, trusting: { ...untrusting, GRAPH_CA_FILE: caFile }, caFile };
}

/** The lines up to the one that says that the worker works. */
async function works(t: TestContext, environment: Readonly<Record<string, string>>) {
  const worker = startCli(["start"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/working on/);
  worker.child.kill("SIGTERM");
  const { code, stdout, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  return jsonLines(stdout);
}

test("an authority of an untrusted CA: exit 2, and the line to type, typed, makes it work", async (t) => {
  const { untrusting, caFile } = await startEnvironment(t);
  const { code, stderr } = await runCli(["start"], untrusting);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /the authority localhost:\d+ can't be reached: .*certificate/);
  assert.match(stderr, /^ {2}Type: export NODE_EXTRA_CA_CERTS='<[^>]+>'/m);
  const lines = await works(t, { ...untrusting, NODE_EXTRA_CA_CERTS: caFile });
  assert.equal(lines.filter(({ code }) => code === "graph-access").length, 0);
});

test("a Graph of an untrusted CA, beside an authority of a trusted one: exit 2, and which file lacks the CA", async (t) => {
  const { trusting, caFile } = await startEnvironment(t);
  const { emulator: other } = await emulatorFor(t);
  const { code, stderr } = await runCli(["start"], { ...trusting, GRAPH_BASE_URL: other.httpsUrl });
  assert.equal(code, 2, stderr);
  assert.ok(stderr.includes(`Graph (${other.httpsUrl}) can't be reached: `), stderr);
  assert.ok(stderr.includes(`GRAPH_CA_FILE=${caFile} does not hold that CA.`), stderr);
});

for (const [name, more] of [
  ["with no enrollment there", {}],
  ["while no broker answers", { KAFKA_BROKERS: "127.0.0.1:1" }],
  [
    "where the first tenant does not know the application",
    { ALLOWED_TENANTS: `${unknownTenant},${tenantId}` },
  ],
] as const) {
  test(`a wrong secret ends the start with 2 and is not shown, ${name}`, async (t) => {
    const { trusting } = await startEnvironment(t);
    const { code, stdout, stderr } = await runCli(["start"], {
      ...trusting,
      AZURE_CLIENT_SECRET: "stale-value",
      ...more,
    });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^connector-registrar: .*AADSTS7000215.*\n {2}Set AZURE_CLIENT_SECRET to /m);
    assert.doesNotMatch(stdout, /working on/);
    assert.doesNotMatch(stdout + stderr, /stale-value/);
  });
}

test("an authority that is down does not keep the worker from starting; a line says what it lacks", async (t) => {
  const { trusting } = await startEnvironment(t);
  const port = await freePort();
  const lines = await works(t, { ...trusting, AZURE_AUTHORITY_HOST: `https://localhost:${port}` });
  const warning = lines.find(({ code }) => code === "graph-access");
  assert.match(
    String(warning?.msg),
    new RegExp(`the authority localhost:${port} can't be reached: .*ECONNREFUSED`),
  );
});

test("an authority of another cloud than Graph's is a warning, of start and of doctor, with what to type", async (t) => {
  const { trusting } = await startEnvironment(t);
  // A proxy that is not there: nothing leaves this machine.
  const mixed = {
    ...trusting,
    AZURE_AUTHORITY_HOST: "https://login.microsoftonline.us/",
    HTTPS_PROXY: "http://127.0.0.1:1",
  };
  const expected =
    /AZURE_AUTHORITY_HOST=https:\/\/login\.microsoftonline\.us\/? is of the cloud us-gov, and GRAPH_CLOUD is global: Graph refuses its tokens/;
  const [line] = (await works(t, mixed)).filter(({ code }) => code === "graph-access");
  assert.match(String(line?.msg), expected);
  assert.match(String(line?.msg), /Type: export GRAPH_CLOUD=us-gov, or: unset AZURE_AUTHORITY_HOST;/);
  const { stdout } = await runCli(["doctor"], mixed);
  assert.match(stdout, expected);
  const { stdout: same } = await runCli(["doctor"], { ...mixed, GRAPH_CLOUD: "us-dod" });
  assert.doesNotMatch(same, /is of the cloud/);
});

test("tenants that do not know the application are a warning each, and the worker starts for the others", async (t) => {
  const { trusting } = await startEnvironment(t);
  const lines = await works(t, { ...trusting, ALLOWED_TENANTS: `${unknownTenant},${tenantId}` });
  const warnings = lines.filter(({ code }) => code === "graph-access");
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]!.msg), new RegExp(unknownTenant));
});

test("stopped while the authority does not answer: exit 0, before it has", async (t) => {
  const { trusting } = await startEnvironment(t);
  const silent = createServer().listen(0, "127.0.0.1");
  const asked = new Promise<Socket>((resolve) => silent.once("connection", resolve));
  t.after(() => silent.close());
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { port: number };
  const worker = startCli(["start"], { ...trusting, AZURE_AUTHORITY_HOST: `https://localhost:${port}` });
  t.after(() => worker.child.kill("SIGKILL"));
  const asking = await Promise.race([asked, worker.line(/working on/)]);
  assert.ok(typeof asking !== "string", "it works without having asked");
  asking.on("error", () => {});
  worker.child.kill("SIGTERM");
  const { code, stdout } = await worker.ended;
  assert.equal(code, 0);
  assert.match(stdout, /stopped before the work began/);
});
