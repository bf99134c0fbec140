/** A tenants file that brings a cloud, on two emulators: connections, tokens and requests to the new one, without a restart. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { systemClock } from "../../src/clock.ts";
import { openGraphs } from "../../src/compose/graphs.ts";
import { followTenants, loadTenants, type TenantsNote } from "../../src/compose/tenants.ts";
import { loadSettings } from "../../src/config/load.ts";
import { createRequest } from "../graph/fixtures.ts";

const home = "00000001-0000-4000-8000-00000000abcd";
const government = "00000002-0000-4000-8000-00000000abcd";
const otherApp = "cccccccc-0000-4000-8000-000000000001";

async function place(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "graphs-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const first = await emulatorFor(t, { cloud: "global" });
  const second = await emulatorFor(t, { cloud: "us-gov", clientId: otherApp });
  const [path, caFile, secretFile] = ["tenants.json", "ca.pem", "secret"].map((name) =>
    join(directory, name),
  );
  const cas = [first, second].map(({ environment }) => readFileSync(environment.GRAPH_CA_FILE, "utf8"));
  writeFileSync(caFile!, cas.join("\n"));
  writeFileSync(secretFile!, second.environment.AZURE_CLIENT_SECRET);
  const put = (file: object) => {
    writeFileSync(`${path}.new`, JSON.stringify(file));
    renameSync(`${path}.new`, path!);
  };
  const inGovernment = {
    tenantId: government,
    cloud: "us-gov",
    clientId: otherApp,
    credential: { kind: "client-secret", secretFile },
  };
  const clouds = {
    "us-gov": {
      graphUrl: second.environment.GRAPH_BASE_URL,
      authorityHost: second.environment.AZURE_AUTHORITY_HOST,
    },
  };
  const { AZURE_TENANT_ID: _, ...rest } = first.environment;
  const environment = {
    ...rest,
    GRAPH_CA_FILE: caFile!,
    TENANTS_FILE: path!,
    GRAPH_REQUEST_TIMEOUT_MS: "60000",
  };
  return {
    first: first.emulator,
    second: second.emulator,
    environment,
    caFile: caFile!,
    put,
    inGovernment,
    clouds,
  };
}

test("a cloud that no tenant had at the start is reached when the file brings it; its addresses stay from then on", async (t) => {
  const { first, second, environment, caFile, put, inGovernment, clouds } = await place(t);
  put({ tenants: [{ tenantId: home }] });
  const loaded = loadSettings({ environment });
  assert(loaded.ok, JSON.stringify(loaded));
  const read = loadTenants(loaded.settings);
  assert(read.ok, JSON.stringify(read));
  const { tenants } = read;
  const { graph, reach, close } = openGraphs(loaded.settings, tenants, {
    clock: systemClock,
    onCertificate: () => {},
  });
  t.after(close);
  let told = (_: TenantsNote) => {};
  const note = () => new Promise<TenantsNote>((resolve) => (told = resolve));
  const followed = followTenants(loaded.settings, tenants, {
    clock: systemClock,
    onNote: (one) => told(one),
  })!;
  t.after(followed.close);
  const statusOf = async (tenantId: string) => {
    const [reply] = await graph.create(tenantId, [createRequest()]);
    return reply!.kind === "answer" ? reply!.status : JSON.stringify(reply);
  };
  assert.equal(await statusOf(home), 201);
  assert.equal(await reach(), null);

  rmSync(caFile);
  const reloaded = note();
  put({ clouds, tenants: [{ tenantId: home }, inGovernment] });
  assert.equal((await reloaded).kind, "reloaded");
  assert.equal(await statusOf(government), 201);
  assert.equal(await statusOf(home), 201);
  assert.equal(await reach(), null);
  assert.deepEqual(Object.keys(first.inventory()), [home]);
  assert.deepEqual(Object.keys(second.inventory()), [government]);

  const refused = note();
  put({ tenants: [{ tenantId: home }, inGovernment] });
  assert.match(
    JSON.stringify(await refused),
    /\/clouds\/us-gov has changed, and tenants were in this cloud already: start the worker again/,
  );
});
