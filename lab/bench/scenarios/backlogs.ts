/** `drain` and `cpu`: one tenant's backlog, without throttling. */
import { workOffBacklog } from "../backlog.ts";
import { type Bench, barePosts, type Contender, type Worker } from "../contenders.ts";
import type { Measures } from "../numbers.ts";
import { against, atLeast, atMost, type Scenario } from "../scenario.ts";
import { tenantIds } from "../workload.ts";

interface Backlog {
  readonly latencyMs: number;
  /** Slower contenders get fewer: their pace is the same all along. */
  readonly events: Readonly<Record<Contender, number>>;
}

const inFlight = 32;
const batch = 20;
const smokeEvents: Backlog["events"] = { registrar: 600, naive: 20, bento: 200, floor: 600 };

async function run(backlog: Backlog, bench: Bench, contender: Contender): Promise<Measures> {
  const { latencyMs } = backlog;
  const events = (bench.smoke ? smokeEvents : backlog.events)[contender];
  const tenants = tenantIds(1);
  const work = (worker: Worker) =>
    workOffBacklog(bench, worker, {
      tenants,
      inFlight,
      events,
      latencyMs,
      environment: { GRAPH_WRITES_PER_20S: "0" },
    });
  if (contender !== "floor") return work(contender);
  await bench.graph.setUp({ latencyMs });
  const posts = await barePosts(bench, { events, batch, inFlight, perSecond: 0, tenantId: tenants[0]! });
  const kafka = await work("floor-kafka");
  return {
    eventsPerSecond: Math.min(posts.eventsPerSecond, kafka.eventsPerSecond!),
    cpuUsPerEvent: posts.cpuUsPerEvent + kafka.cpuUsPerEvent!,
    eventsPerSecondPosts: posts.eventsPerSecond,
    eventsPerSecondKafka: kafka.eventsPerSecond!,
    cpuUsPerEventPosts: posts.cpuUsPerEvent,
    cpuUsPerEventKafka: kafka.cpuUsPerEvent!,
  };
}

const idealPerSecond = (inFlight * batch) / 0.1;

export const drain: Scenario = {
  name: "drain",
  setUp: "20,000 waiting, one tenant, no throttle, Graph 100 ms, 32 requests in flight",
  contenders: ["registrar", "naive", "bento", "floor"],
  targets: [
    atLeast("eventsPerSecond", 0.9 * idealPerSecond, `>= 90 % of the ideal ${idealPerSecond}/s`),
    against("naive", "eventsPerSecond", { atLeast: 12, text: ">= 12 x naive" }),
    against("bento", "eventsPerSecond", { atLeast: 12, text: ">= 12 x bento" }),
  ],
  run: (bench, contender) =>
    run(
      { latencyMs: 100, events: { registrar: 20_000, naive: 150, bento: 4_000, floor: 20_000 } },
      bench,
      contender,
    ),
};

export const cpu: Scenario = {
  name: "cpu",
  setUp: "Graph 0 ms, 50,000 waiting, one tenant, no throttle",
  contenders: ["registrar", "naive", "bento", "floor"],
  targets: [
    atMost("cpuUsPerEvent", 60, "<= 60 us an event"),
    against("naive", "cpuUsPerEvent", { atMost: 0.25, text: "<= 1/4 of naive" }),
    against("bento", "cpuUsPerEvent", { atMost: 1, text: "below bento" }),
  ],
  run: (bench, contender) =>
    run(
      { latencyMs: 0, events: { registrar: 50_000, naive: 2_000, bento: 20_000, floor: 50_000 } },
      bench,
      contender,
    ),
};
