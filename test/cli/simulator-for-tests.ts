/** A simulator in this process, and the environment that leads a worker's process to it. */
import { simulatorCredential } from "../../src/cli/simulate-graph.ts";
import { type SimulatorSettings, startSimulator } from "../../src/simulator/server.ts";

export const tenantId = simulatorCredential.tenantId;

export async function simulatorFor(
  t: { after(end: () => Promise<void>): void },
  settings: Partial<SimulatorSettings> = {},
) {
  const simulator = await startSimulator({ ...simulatorCredential, ...settings });
  t.after(() => simulator.close());
  const environment = {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: simulatorCredential.clientId,
    AZURE_CLIENT_SECRET: simulatorCredential.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.authorityHost,
    GRAPH_BASE_URL: simulator.httpsUrl,
    GRAPH_CA_FILE: simulator.caFile,
  };
  return { simulator, environment };
}
