/** Authorities that are another cloud's: of each cloud that tenants are in. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cloudsWarnings } from "../../src/compose/graph-settings.ts";
import { anyApplication, loadTenants } from "../../src/compose/tenants.ts";
import { loadSettings } from "../../src/config/load.ts";

function warningsFor(t: TestContext, file: object, more: Readonly<Record<string, string>> = {}): string[] {
  const directory = mkdtempSync(join(tmpdir(), "clouds-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "tenants.json");
  writeFileSync(path, JSON.stringify(file));
  const loaded = loadSettings({ environment: { TENANTS_FILE: path, ...more } });
  assert(loaded.ok, JSON.stringify(loaded));
  const tenants = loadTenants(loaded.settings, anyApplication);
  assert(tenants.ok, JSON.stringify(tenants));
  return cloudsWarnings(loaded.settings, tenants.tenants).map(({ text, fix }) => `${text}. ${fix}`);
}

const inGovernment = { tenantId: "00000002-0000-4000-8000-00000000abcd", cloud: "us-gov" };
const inGlobal = { tenantId: "00000001-0000-4000-8000-00000000abcd" };
const clouds = { "us-gov": { authorityHost: "https://login.microsoftonline.com" } };

test("of a cloud of the tenants file the file is named, with what to do", (t) => {
  const warnings = warningsFor(t, { clouds, tenants: [inGlobal, inGovernment] });
  assert.deepEqual(warnings, [
    "/clouds/us-gov/authorityHost of TENANTS_FILE is https://login.microsoftonline.com, which is of the cloud global: Graph refuses its tokens. Take it out of the file: us-gov has an authority of its own. Then start again.",
  ]);
});

test("a cloud without tenants causes no warning", (t) => {
  assert.deepEqual(warningsFor(t, { clouds, tenants: [inGlobal] }), []);
  const wrong = { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.us" };
  assert.deepEqual(warningsFor(t, { tenants: [inGovernment] }, wrong), []);
  assert.match(warningsFor(t, { tenants: [inGlobal] }, wrong).join(), /export GRAPH_CLOUD=us-gov/);
});
