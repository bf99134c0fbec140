/** The Graph contract, kept by the adapter over HTTPS, token endpoint included. */
import { randomUUID } from "node:crypto";
import { faultProfile } from "../../emulator/faults.ts";
import { startEmulator } from "../../emulator/server.ts";
import { openGraph } from "../../src/graph/graph-client.ts";
import type { GraphHarness } from "../contracts/graph/harness.ts";
import { graphContract } from "../contracts/graph.ts";
import { createManualClock, eventually } from "./manual-clock.ts";

const clientId = "3f1d6f9e-0000-4000-8000-000000000001";
const clientSecret = "the-right-one";
const requestTimeoutMs = 10_000;

graphContract("adapter over HTTPS", { credentials: true }, async ({ wrongSecret }): Promise<GraphHarness> => {
  const clock = createManualClock();
  const emulator = await startEmulator({ clientId, clientSecret, clock, behaviour: { throttle: null } });
  const { graph, close } = openGraph(
    {
      cloud: "global",
      baseUrl: emulator.httpsUrl,
      clientId,
      authorityHost: emulator.authorityHost,
      credential: {
        kind: "client-secret",
        secret: { from: "text", text: wrongSecret ? "a-wrong-one" : clientSecret },
      },
      requestTimeoutMs,
      maxConnections: 4,
      caFile: emulator.caFile,
    },
    clock,
  );
  return {
    graph,
    tenantId: randomUUID(),
    otherTenantId: randomUUID(),
    requestTimeoutMs,
    setFault: (fault) =>
      emulator.setFaults({ ...faultProfile("none"), slowMs: 10 * requestTimeoutMs, [fault]: 1 }),
    setBehaviour: emulator.setBehaviour,
    inventory: (tenantId) => emulator.inventory()[tenantId] ?? [],
    advance: clock.advance,
    until: (condition) => eventually(condition, "what the case waits for"),
    refuseConnections: emulator.suspend,
    close: async () => {
      await close();
      await emulator.close();
    },
  };
});
