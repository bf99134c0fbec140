/** The Graph contract, kept by the adapter over HTTPS, token endpoint included. */
import { randomUUID } from "node:crypto";
import { openGraph } from "../../src/graph/graph-client.ts";
import { faultProfile } from "../../src/simulator/faults.ts";
import { startSimulator } from "../../src/simulator/server.ts";
import type { GraphHarness } from "../contracts/graph/harness.ts";
import { graphContract } from "../contracts/graph.ts";
import { createManualClock, eventually } from "./manual-clock.ts";

const clientId = "3f1d6f9e-0000-4000-8000-000000000001";
const clientSecret = "the-right-one";
const requestTimeoutMs = 10_000;

graphContract("adapter over HTTPS", { credentials: true }, async ({ wrongSecret }): Promise<GraphHarness> => {
  const clock = createManualClock();
  const simulator = await startSimulator({ clientId, clientSecret, clock, behaviour: { throttle: null } });
  const { graph, close } = openGraph(
    {
      cloud: "global",
      baseUrl: simulator.httpsUrl,
      authorityHost: simulator.authorityHost,
      clientId,
      credential: { kind: "secret", clientSecret: wrongSecret ? "a-wrong-one" : clientSecret },
      requestTimeoutMs,
      maxConnections: 4,
      caFile: simulator.caFile,
    },
    clock,
  );
  return {
    graph,
    tenantId: randomUUID(),
    otherTenantId: randomUUID(),
    requestTimeoutMs,
    setFault: (fault) =>
      simulator.setFaults({ ...faultProfile("none"), slowMs: 10 * requestTimeoutMs, [fault]: 1 }),
    setBehaviour: simulator.setBehaviour,
    inventory: (tenantId) => simulator.inventory()[tenantId] ?? [],
    advance: clock.advance,
    until: (condition) => eventually(condition, "what the case waits for"),
    refuseConnections: simulator.suspend,
    close: async () => {
      await close();
      await simulator.close();
    },
  };
});
