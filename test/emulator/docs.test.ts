/** docs/EMULATOR.md names every switch that there is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { faultKinds, faultProfile } from "../../emulator/faults.ts";
import { normalisations } from "../../emulator/normalise.ts";
import { defaultBehaviour, listForms } from "../../emulator/settings.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "EMULATOR.md"), "utf8");

test("every fault, setting and value has its place on the page", () => {
  const settings = [...Object.keys(faultProfile("none")), ...Object.keys(defaultBehaviour)];
  const names = [...faultKinds, ...settings, ...normalisations, ...listForms];
  const missing = names.filter((name) => !page.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});
