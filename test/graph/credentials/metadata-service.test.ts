/** Managed identities by the metadata service. A file of its own: MSAL keeps which endpoint it found for the process. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startEmulator } from "../../../emulator/server.ts";
import { clientId, clientSecret, graphWith, homeTenant, identity, otherTenant } from "./fixtures.ts";

const emulator = await startEmulator({ clientId, clientSecret, httpPort: 0 });
after(emulator.close);
// In place of 169.254.169.254.
process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = emulator.httpUrl!;

test("the identity for its home tenant, and in place of the application's secret for any", async (t) => {
  const { clientId: identityClientId } = identity;
  const own = graphWith(t, emulator, { kind: "managed-identity", identityClientId });
  assert.equal(await own.ask(homeTenant), "listed");
  const federated = graphWith(t, emulator, { kind: "managed-identity-federated", identityClientId });
  assert.deepEqual([await federated.ask(homeTenant), await federated.ask(otherTenant)], ["listed", "listed"]);
  const system = graphWith(t, emulator, { kind: "managed-identity", identityClientId: null });
  assert.equal(await system.ask(homeTenant), "listed");
});

test("an identity that the machine does not have", async (t) => {
  const identityClientId = crypto.randomUUID();
  const { ask } = graphWith(t, emulator, { kind: "managed-identity", identityClientId });
  assert.match(
    await ask(homeTenant),
    /^application: .*HTTP 400, Identity not found\. Assign that identity to the machine/,
  );
});
