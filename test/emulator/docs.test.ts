/** docs/EMULATOR.md names every switch that there is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { credentialStates, type EntraState, tenantStates } from "../../emulator/entra/state.ts";
import { faultKinds, faultProfile } from "../../emulator/faults.ts";
import { normalisations } from "../../emulator/normalise.ts";
import { defaultBehaviour, listForms } from "../../emulator/settings.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "EMULATOR.md"), "utf8");

const entraSettings: Readonly<Record<keyof EntraState, true>> = {
  secret: true,
  certificate: true,
  secrets: true,
  certificates: true,
  federated: true,
  identities: true,
  tenants: true,
};
const entraNames = [...Object.keys(entraSettings), ...credentialStates, ...tenantStates];

test("every fault, setting and value has its place on the page", () => {
  const settings = [...Object.keys(faultProfile("none")), ...Object.keys(defaultBehaviour), ...entraNames];
  const names = [...faultKinds, ...settings, ...normalisations, ...listForms];
  const missing = names.filter((name) => !page.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});
