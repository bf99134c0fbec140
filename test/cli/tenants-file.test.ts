/** A worker with a tenants file, as users run it: two clouds, an application each, and the file changed under the running process. */
import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { jsonLines, runCli, startCli, temporaryDirectory, waitUntil } from "./run-cli.ts";

const id = (n: number) => `0000000${n}-0000-4000-8000-00000000abcd`;
const [home, government, paused, stranger, leaving] = [id(1), id(2), id(3), id(4), id(5)];
const otherApp = "cccccccc-0000-4000-8000-000000000001";

async function place(t: TestContext) {
  const directory = temporaryDirectory(t);
  const first = await emulatorFor(t, { cloud: "global" });
  const second = await emulatorFor(t, {
    cloud: "us-gov",
    clientId: otherApp,
    clientSecret: "another-secret",
  });
  const path = join(directory, "tenants.json");
  const secretFile = join(directory, "secret");
  const caFile = join(directory, "ca.pem");
  writeFileSync(secretFile, "another-secret\n");
  const cas = [first, second].map(({ environment }) => readFileSync(environment.GRAPH_CA_FILE, "utf8"));
  writeFileSync(caFile, cas.join("\n"));
  const clouds = {
    "us-gov": {
      graphUrl: second.environment.GRAPH_BASE_URL,
      authorityHost: second.environment.AZURE_AUTHORITY_HOST,
    },
  };
  const put = (...tenants: readonly object[]) => {
    writeFileSync(`${path}.new`, JSON.stringify({ clouds, tenants }));
    renameSync(`${path}.new`, path);
  };
  const inGovernment = {
    tenantId: government,
    cloud: "us-gov",
    clientId: otherApp,
    credential: { kind: "client-secret", secretFile },
  };
  const { AZURE_TENANT_ID: _, ...rest } = first.environment;
  const environment = {
    ...rest,
    GRAPH_CA_FILE: caFile,
    TENANTS_FILE: path,
    DATA_DIR: directory,
    GRAPH_REQUEST_TIMEOUT_MS: "30000",
  };
  return { first: first.emulator, second: second.emulator, environment, path, put, inGovernment };
}

async function emit(
  environment: Readonly<Record<string, string>>,
  tenant: string,
  machine: string,
): Promise<void> {
  const { TENANTS_FILE: _, ...anyTenant } = environment;
  const args = ["emit", "--tenant", tenant, "--machine", machine, "--connector", "c", "--quiet"];
  const { code, stderr } = await runCli(args, anyTenant);
  assert.equal(code, 0, stderr);
}

const objectsOf = (emulator: { inventory(): Readonly<Record<string, readonly unknown[]>> }, tenant: string) =>
  emulator.inventory()[tenant]?.length ?? 0;

test("two clouds in one worker; tenants are added, resumed and removed while it runs, and a bad file changes nothing", async (t) => {
  const { first, second, environment, path, put, inGovernment } = await place(t);
  put({ tenantId: home }, inGovernment, { tenantId: paused, paused: true }, { tenantId: leaving });
  const worker = startCli(["start", "--http-port", "0"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  const { url } = JSON.parse(await worker.line(/health and metrics/));
  const isReady = async () => (await fetch(`${url}/readyz`)).ok;
  const about = () => JSON.stringify([first.inventory(), second.inventory()]);
  await waitUntil(isReady, about);

  for (const tenant of [home, government, paused, stranger]) await emit(environment, tenant, "before");
  await waitUntil(async () => objectsOf(first, home) === 1 && objectsOf(second, government) === 1, about);
  await worker.line(/"code":"tenant-not-allowed"/);
  await worker.line(/record-parked/);
  assert.equal(objectsOf(first, paused), 0);
  assert.deepEqual(Object.keys(second.inventory()), [government], "each tenant is created in its own cloud");

  put({ tenantId: home }, inGovernment, { tenantId: paused }, { tenantId: stranger });
  const reloaded = JSON.parse(await worker.line(/TENANTS_FILE was read again/));
  assert.deepEqual([reloaded.added, reloaded.removed, reloaded.resumed], [1, 1, 1]);
  await emit(environment, stranger, "after");
  await emit(environment, leaving, "after");
  await waitUntil(async () => objectsOf(first, paused) === 1 && objectsOf(first, stranger) === 1, about);
  assert.equal(objectsOf(first, leaving), 0);

  writeFileSync(path, `{"tenants": [{"tenantId": "contoso"}]}`);
  const bad = JSON.parse(await worker.line(/"code":"tenants-file"/));
  assert.match(
    bad.msg,
    /the former list stays in use: \/tenants\/0\/tenantId is not a GUID\. Correct the file/,
  );
  const ready = await fetch(`${url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /tenants: TENANTS_FILE can't be used, the former list stays in use/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^connector_registrar_tenants_file_bad 1$/m);
  assert.match(metrics, /^connector_registrar_tenants\{standing="served"\} 4$/m);
  await emit(environment, home, "while-bad");
  await waitUntil(async () => objectsOf(first, home) === 2, about);

  put({ tenantId: home });
  await waitUntil(isReady, about);
  worker.child.kill("SIGHUP");
  await worker.line(/TENANTS_FILE was read again, nothing changed/);
  worker.child.kill("SIGTERM");
  const { code, stdout, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  const refused = jsonLines(stdout).filter(({ event }) => event === "record-refused");
  assert.deepEqual(
    refused.map((line) => line.code),
    ["tenant-not-allowed", "tenant-not-allowed"],
  );
});

test("a file that can't be used ends a start with 2, and all that is wrong is said; so does a second list", async (t) => {
  const { environment, put } = await place(t);
  put({ tenantId: "contoso" }, { tenantId: home, paused: "no" });
  for (const args of [["start"], ["doctor"], ["tenants", "list"]]) {
    const { code, stderr } = await runCli(args, environment);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /TENANTS_FILE=.* can't be used: \/tenants\/0\/tenantId is not a GUID; \/tenants\/1\/paused must be of type boolean\.\n {2}Correct the file, then type: connector-registrar tenants list/,
    );
  }
  const { code, stderr } = await runCli(["start"], { ...environment, ALLOWED_TENANTS: home });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /ALLOWED_TENANTS and TENANTS_FILE \(given: both of them\)[\s\S]*type: unset ALLOWED_TENANTS/,
  );
});

test("tenants list, check and consent show each tenant with its cloud and application; doctor and emit know the file", async (t) => {
  const { environment, put, inGovernment } = await place(t);
  put({ tenantId: home, name: "Contoso" }, inGovernment, { tenantId: paused, paused: true, writesPer20s: 7 });
  const list = await runCli(["tenants", "list"], environment);
  assert.deepEqual(
    list.stdout.split("\n").map((line) => line.trimEnd()),
    [
      "tenant                                state   cloud   credential     writes/20s  name",
      `${home}  served  global  client-secret  100         Contoso`,
      `${government}  served  us-gov  client-secret  100`,
      `${paused}  paused  global  client-secret  7`,
      "2 served, 1 paused",
      "",
    ],
  );
  const consent = await runCli(["tenants", "consent", "--json"], environment);
  const addresses = jsonLines(consent.stdout).map((line) => (line as unknown as { consent: string }).consent);
  assert.equal(
    addresses[0],
    `${environment.AZURE_AUTHORITY_HOST}/${home}/adminconsent?client_id=${environment.AZURE_CLIENT_ID}`,
  );
  assert.match(addresses[1]!, new RegExp(`/${government}/adminconsent\\?client_id=${otherApp}$`));
  const check = await runCli(["tenants", "check"], environment);
  assert.equal(check.code, 0, check.stdout + check.stderr);
  assert.match(check.stdout, /^3 can be served, 0 can't$/m);
  const doctor = await runCli(["doctor"], environment);
  assert.match(
    doctor.stdout,
    /^ok +tenants +.*tenants\.json lists 2 to serve and 1 paused, in the clouds global, us-gov$/m,
  );
  const emitted = await runCli(
    ["emit", "--tenant", stranger, "--machine", "m", "--connector", "c"],
    environment,
  );
  assert.match(emitted.stderr, /refused.*Tenant .* is not among those allowed/);

  put({ ...inGovernment, clientId: id(9) }, { tenantId: home });
  const failing = await runCli(["tenants", "check", "--json"], environment);
  assert.equal(failing.code, 1);
  const wrong = jsonLines(failing.stdout).filter((line) => !(line as unknown as { ok: boolean }).ok);
  assert.equal(wrong.length, 1);
});
