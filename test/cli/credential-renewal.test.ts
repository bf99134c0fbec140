/**
 * A certificate that is revoked under a running worker, and renewed on disk: no tenant is blocked for it, nothing is
 * dead-lettered, and no restart is needed. Tokens live shorter than a test, so that each side of it needs new ones.
 */
import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { certificate } from "../support/certificates.ts";
import { jsonLines, runCli, startCli, temporaryDirectory, waitUntil } from "./run-cli.ts";

const tenantCount = 60;
const inFlightMax = 8;
const tenants = Array.from(
  { length: tenantCount },
  (_, i) => `${String(i).padStart(8, "0")}-0000-4000-8000-000000000000`,
);
const [first, second] = await Promise.all([certificate("first"), certificate("second")]);

async function workerWithCertificate(t: TestContext) {
  const directory = temporaryDirectory(t);
  const path = join(directory, "app.pem");
  const put = ({ key, cert }: { readonly key: string; readonly cert: string }) => {
    writeFileSync(`${path}.new`, key + cert);
    renameSync(`${path}.new`, path);
  };
  put(first);
  const { emulator, environment } = await emulatorFor(t, {
    tokenLifetimeMs: 1_000,
    entra: { certificates: [first.cert], secrets: [] },
  });
  const { AZURE_CLIENT_SECRET: _, AZURE_TENANT_ID: __, ...rest } = environment;
  const settings = {
    ...rest,
    AZURE_CLIENT_CERTIFICATE_PATH: path,
    ALLOWED_TENANTS: tenants.join(","),
    DATA_DIR: directory,
    GRAPH_MAX_IN_FLIGHT: String(inFlightMax),
    // A busy machine must not look like an outage of Graph.
    GRAPH_REQUEST_TIMEOUT_MS: "60000",
  };
  return { emulator, settings, put };
}

const objectsIn = (inventory: Readonly<Record<string, readonly unknown[]>>) =>
  Object.values(inventory).reduce((sum, objects) => sum + objects.length, 0);

test("revoked under a running worker, then renewed on disk: all is registered, no tenant was blocked", async (t) => {
  const { emulator, settings, put } = await workerWithCertificate(t);
  const worker = startCli(["start", "--http-port", "0"], settings);
  t.after(() => worker.child.kill("SIGKILL"));
  const line = JSON.parse(await worker.line(/credential/));
  assert.equal(line.msg, "credential: client-certificate, since AZURE_CLIENT_CERTIFICATE_PATH is set");
  const { url } = JSON.parse(await worker.line(/health and metrics/));
  const metricsNow = async () => (await fetch(`${url}/metrics`)).text();
  const emit = async (seed: number) => {
    const args = ["emit", "--count", String(tenantCount), "--seed", String(seed), "--quiet"];
    const { code, stderr } = await runCli(args, settings);
    assert.equal(code, 0, stderr);
  };
  await emit(1);
  const registered = (count: number) => async () => objectsIn(emulator.inventory()) === count;
  await waitUntil(registered(tenantCount), () => JSON.stringify(emulator.stats().requests));

  const refusedBefore = emulator.stats().requests.entra?.[401] ?? 0;
  emulator.setEntra({ certificates: [second.cert] });
  await emit(2);
  const opened = JSON.parse(await worker.line(/breaker-opened.*AADSTS|AADSTS.*breaker-opened/));
  assert.match(opened.detail, /AADSTS700027.*thumbprint [0-9A-F]{40}.*Upload the certificate/);
  // A tenant with a token from before is still answered, which closes the breaker once more.
  let whileRefused = "";
  const isNotReady = async () => {
    whileRefused = await metricsNow();
    return /^connector_registrar_ready 0$/m.test(whileRefused);
  };
  await waitUntil(isNotReady, () => whileRefused.match(/^connector_registrar_breaker.*$/gm)?.join() ?? "");
  assert.match(whileRefused, /^connector_registrar_tenants_blocked 0$/m);
  assert.match(
    whileRefused,
    /^connector_registrar_credential_expires_seconds\{application="[0-9a-f-]{36}"\} 25\d{5}$/m,
  );
  // Of sixty tenants with work, those that were asking when the first answer came, and a few that looked again.
  const refused = (emulator.stats().requests.entra?.[401] ?? 0) - refusedBefore;
  assert.ok(refused >= 1 && refused <= 3 * inFlightMax, String(refused));

  put(second);
  await waitUntil(registered(2 * tenantCount), () => JSON.stringify(emulator.stats().requests));
  worker.child.kill("SIGTERM");
  const { code, stdout, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  const lines = jsonLines(stdout);
  assert.equal(lines.filter(({ msg }) => msg === "another certificate is in use now").length, 1);
  assert.deepEqual(
    lines.filter(({ event }) => event === "tenant-blocked" || event === "record-refused"),
    [],
  );
  assert.equal(emulator.stats().duplicateObjectCount, 0);
});

test("a start with a certificate that is not the application's ends with 2, and says what to do", async (t) => {
  const { settings, put } = await workerWithCertificate(t);
  put(second);
  const { code, stderr } = await runCli(["start"], settings);
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /No tenant can be served: .*AADSTS700027.*\n {2}Upload the certificate .* Then start again\./,
  );
});

test("a start without the file ends with 2, and names it; the doctor too", async (t) => {
  const { settings } = await workerWithCertificate(t);
  const lost = {
    ...settings,
    AZURE_CLIENT_CERTIFICATE_PATH: "/nonexistent/app.pem",
    ALLOWED_TENANTS: tenants[0]!,
  };
  for (const command of ["start", "doctor"]) {
    const { code, stdout, stderr } = await runCli([command], lost);
    assert.equal(code, 2, stdout + stderr);
    assert.match(
      stdout + stderr,
      /AZURE_CLIENT_CERTIFICATE_PATH=\/nonexistent\/app\.pem can't be read \(ENOENT\)/,
    );
  }
});

test("the doctor says which credential is used, why, and when it expires", async (t) => {
  const { settings } = await workerWithCertificate(t);
  const { stdout } = await runCli(["doctor"], { ...settings, ALLOWED_TENANTS: tenants[0]! });
  assert.match(
    stdout,
    /^note +graph +credential: client-certificate, since AZURE_CLIENT_CERTIFICATE_PATH is set$/m,
  );
  assert.match(
    stdout,
    /^warning +graph +the certificate expires on \d{4}-\d\d-\d\d, in 29 days\n +Upload a new certificate/m,
  );
});
