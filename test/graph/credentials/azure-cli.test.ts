/** The Azure CLI as @azure/identity starts it: a program `az` on the PATH, which here asks the emulator. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  directoryFor,
  emulatorFor,
  graphWith,
  homeTenant,
  machineVariables,
  otherTenant,
} from "./fixtures.ts";

/** `script`: what it does with its arguments, which it also leaves in a file. */
function cli(t: TestContext, script: string): void {
  const directory = directoryFor(t);
  const az = join(directory, "az");
  writeFileSync(az, `#!/bin/sh\n${script}\n`);
  chmodSync(az, 0o755);
  machineVariables(t, { PATH: [directory, process.env.PATH].join(delimiter) });
}

async function tokenFor(emulator: { readonly httpUrl: string | null }): Promise<string> {
  const query = "resource=https://graph.microsoft.com";
  const answer = await fetch(`${emulator.httpUrl}/metadata/identity/oauth2/token?${query}`, {
    headers: { metadata: "true" },
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

test("the tenant of the user who is logged in, and no other", async (t) => {
  const emulator = await emulatorFor(t);
  const expires = Math.floor(Date.now() / 1000) + 3_600;
  const answer = JSON.stringify({ accessToken: await tokenFor(emulator), expires_on: expires });
  cli(t, `cat <<'END'\n${answer}\nEND`);
  const { ask } = graphWith(t, emulator, { kind: "azure-cli" });
  assert.equal(await ask(homeTenant), "listed");
  assert.match(await ask(otherTenant), /^credential: the token is of tenant /);
});

test("without a login: the line to type", async (t) => {
  const emulator = await emulatorFor(t);
  cli(t, `echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`);
  const answer = await graphWith(t, emulator, { kind: "azure-cli" }).ask(homeTenant);
  assert.match(answer, new RegExp(`^credential: .*Type: az login --tenant ${homeTenant}$`));
});

test("no Azure CLI is installed: it concerns all tenants", async (t) => {
  const emulator = await emulatorFor(t);
  machineVariables(t, { PATH: directoryFor(t) });
  const answer = await graphWith(t, emulator, { kind: "azure-cli" }).ask(homeTenant);
  assert.match(answer, /^application: .*could not be found.*Install the Azure CLI/);
});
