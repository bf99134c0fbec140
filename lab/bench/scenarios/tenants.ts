/** `tenants`: many tenants with a little each. Each needs a token, a queue and a pace of its own, and no batch holds two. */
import { workOffBacklog } from "../backlog.ts";
import type { Bench } from "../contenders.ts";
import type { Measures } from "../numbers.ts";
import { atLeast, atMost, type Scenario } from "../scenario.ts";
import { tenantIds } from "../workload.ts";

const latencyMs = 100;
const inFlight = 32;
const eventsEach = 3;
/** The events of a tenant stand far from one another: one window holds one of them. */
const idealPerSecond = inFlight / (latencyMs / 1000);

async function run(bench: Bench): Promise<Measures> {
  const tenants = tenantIds(bench.smoke ? 1_100 : 10_000);
  const events = bench.smoke ? tenants.length : tenants.length * eventsEach;
  const measures = await workOffBacklog(bench, "registrar", { tenants, inFlight, events, latencyMs });
  const { entraRequests } = await bench.graph.counts();
  return {
    ...measures,
    slotShare: measures.eventsPerSecond! / idealPerSecond,
    entraRequestsPerTenant: entraRequests / tenants.length,
  };
}

export const tenants: Scenario = {
  name: "tenants",
  setUp: "10,000 tenants with 3 events each, taking turns; Graph 100 ms, 32 requests in flight",
  contenders: ["registrar"],
  targets: [
    atLeast("slotShare", 0.9, ">= 90 % of what the request slots allow"),
    atMost("entraRequestsPerTenant", 1.01, "one token for each tenant"),
    atMost("rssMb", 400, "<= 400 MB"),
  ],
  run,
};
