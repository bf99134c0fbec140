/**
 * `tenants`: many tenants with a little each. Each needs a token, a queue and a pace of its own, and no batch holds two.
 * `tenants-known`: the same tenants in work, once as all that are known, once among a hundred times as many.
 */
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
  const active = tenantIds(bench.smoke ? 1_100 : 10_000);
  const events = bench.smoke ? active.length : active.length * eventsEach;
  const settings = { tenants: active, inFlight, events, latencyMs };
  const measures = await workOffBacklog(bench, "registrar", { ...settings, countsProcesses: true });
  const { entraRequests } = await bench.graph.counts();
  return {
    ...measures,
    slotShare: measures.eventsPerSecond! / idealPerSecond,
    entraRequestsPerTenant: entraRequests / active.length,
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

const knownAmong = 100;

async function runKnown(bench: Bench): Promise<Measures> {
  const active = tenantIds(bench.smoke ? 100 : 1_000);
  const settings = { tenants: active, inFlight, events: active.length * (bench.smoke ? 3 : 30), latencyMs };
  const all = [...active, ...tenantIds(active.length * (knownAmong - 1), "known")];
  const few = await workOffBacklog(bench, "registrar", settings);
  const many = await workOffBacklog(bench, "registrar", { ...settings, known: all });
  return {
    ...many,
    eventsPerSecondOnlyActive: few.eventsPerSecond!,
    cpuUsPerEventOnlyActive: few.cpuUsPerEvent!,
    rssMbOnlyActive: few.rssMb!,
    paceRatio: many.eventsPerSecond! / few.eventsPerSecond!,
    cpuRatio: many.cpuUsPerEvent! / few.cpuUsPerEvent!,
    rssMoreMb: many.rssMb! - few.rssMb!,
  };
}

export const tenantsKnown: Scenario = {
  name: "tenants-known",
  setUp: "1,000 tenants with 30 events each, taking turns, alone and among 100,000 in the tenants file",
  contenders: ["registrar"],
  targets: [
    atLeast("paceRatio", 0.95, "pace with 100,000 known >= 0.95 of that with 1,000"),
    atMost("cpuRatio", 1.1, "CPU of an event with 100,000 known <= 1.1 of that with 1,000"),
    atMost("rssMoreMb", 50, "<= 50 MB more with 100,000 known"),
  ],
  run: runKnown,
};
