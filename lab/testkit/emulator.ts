/** An emulator in this process, and the environment that leads a worker's process to it. */
import { emulatorCredential } from "../../emulator/credential.ts";
import { type EmulatorSettings, startEmulator } from "../../emulator/server.ts";

export const tenantId = emulatorCredential.tenantId;

export async function emulatorFor(
  t: { after(end: () => Promise<void>): void },
  settings: Partial<EmulatorSettings> = {},
) {
  const emulator = await startEmulator({ ...emulatorCredential, ...settings });
  t.after(() => emulator.close());
  const environment = {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: emulatorCredential.clientId,
    AZURE_CLIENT_SECRET: emulatorCredential.clientSecret,
    AZURE_AUTHORITY_HOST: emulator.authorityHost,
    GRAPH_BASE_URL: emulator.httpsUrl,
    GRAPH_CA_FILE: emulator.caFile,
  };
  return { emulator, environment };
}
