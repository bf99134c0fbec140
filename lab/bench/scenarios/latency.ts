/** `latency`: single events at leisure, and what the worker adds to Graph's own time. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/clock.ts";
import { openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { assertOnce, watch } from "../backlog.ts";
import { type Bench, barePosts, type Contender, start, type Worker } from "../contenders.ts";
import { openKafkaPlace } from "../kafka-place.ts";
import { type Measures, percentile } from "../numbers.ts";
import { latencies, paced } from "../paced.ts";
import { atMost, type Scenario } from "../scenario.ts";
import { backlogOf, connectorNameIn, partitionCount, tenantIds } from "../workload.ts";

const latencyMs = 50;
const perSecond = 20;
const inFlight = 32;
const tenants = tenantIds(1);
const environment = { GRAPH_WRITES_PER_20S: "0" };

/** The first are not counted: connections and token are made, code is compiled. */
const sizes = (bench: Bench) => (bench.smoke ? { warmUp: 5, counted: 20 } : { warmUp: 60, counted: 400 });

async function run(bench: Bench, contender: Contender): Promise<Measures> {
  await bench.graph.setUp({ latencyMs });
  if (contender !== "floor") {
    const kafka = await onKafka(bench, contender, latencyMs);
    if (contender !== "registrar") return kafka;
    await bench.graph.setUp({ latencyMs });
    const { p50Ms, p99Ms } = await onEmbedded(bench);
    return { ...kafka, p50MsEmbedded: p50Ms, p99MsEmbedded: p99Ms };
  }
  const { counted } = sizes(bench);
  const posts = await barePosts(bench, {
    events: counted,
    batch: 1,
    inFlight,
    perSecond,
    tenantId: tenants[0]!,
  });
  const kafka = await onKafka(bench, "floor-kafka", 0);
  return { p50Ms: posts.p50Ms - latencyMs + kafka.p50Ms!, p99Ms: posts.p99Ms - latencyMs + kafka.p99Ms! };
}

async function onKafka(bench: Bench, worker: Worker, graphMs: number): Promise<Measures> {
  const { warmUp, counted } = sizes(bench);
  const kafka = await openKafkaPlace(bench.brokers);
  try {
    const running = await start(bench, worker, { kafka, tenants, inFlight, environment });
    try {
      const readyMs = await running.ready();
      const cpuBefore = running.child.cpuUs();
      await paced(backlogOf(tenants, warmUp + counted), perSecond, (event) => kafka.produce([event]));
      await watch(kafka, running.child, { expected: warmUp + counted });
      const cpuUsPerEvent = (running.child.cpuUs() - cpuBefore) / (warmUp + counted);
      const rssMb = running.child.peakRssMb();
      const stored = await kafka.readAll("registered");
      assertOnce(stored, warmUp + counted);
      const took = await latencies(kafka, stored, (name) => isCounted(name, warmUp));
      return { ...added([...took.values()], graphMs), cpuUsPerEvent, rssMb, readyMs };
    } finally {
      await running.stop();
    }
  } finally {
    await kafka.remove();
  }
}

/** Here by this process's clock: from before the append to when the record is handed to a follower. */
async function onEmbedded(bench: Bench): Promise<{ p50Ms: number; p99Ms: number }> {
  const { warmUp, counted } = sizes(bench);
  const dataDir = mkdtempSync(join(bench.directory, "embedded-"));
  const opened = await openEmbeddedLog({ dataDir, partitionCount }, systemClock);
  if (!opened.ok) throw new Error(opened.problem.message);
  const { log } = opened;
  const running = await start(bench, "registrar", { kafka: null, tenants, inFlight, environment, dataDir });
  const end = new AbortController();
  try {
    await running.ready();
    const sentMs = new Map<string, number>();
    const took: number[] = [];
    const all = Promise.withResolvers<void>();
    let seen = 0;
    const tailing = log.tail(
      "registered",
      "start",
      (records) => {
        const nowMs = performance.now();
        for (const { value } of records) {
          const name = connectorNameIn(Buffer.from(value!));
          if (isCounted(name, warmUp)) took.push(nowMs - sentMs.get(name)!);
          if (++seen === warmUp + counted) all.resolve();
        }
      },
      end.signal,
    );
    await paced(backlogOf(tenants, warmUp + counted), perSecond, async (event) => {
      sentMs.set(event.connectorName, performance.now());
      const { partition, tenantId, value } = event;
      const headers = [["content-type", Buffer.from("application/cloudevents+json")]] as const;
      const record = { topic: "enrolled", partition, key: Buffer.from(tenantId), headers } as const;
      const appended = await log.append([{ ...record, value: Buffer.from(value) }]);
      if (!appended.ok) throw new Error(appended.reason);
    });
    await all.promise;
    end.abort();
    await tailing;
    return added(took, latencyMs);
  } finally {
    end.abort();
    await running.stop();
    await log.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function isCounted(connectorName: string, warmUp: number): boolean {
  return Number(connectorName.slice(connectorName.lastIndexOf("-") + 1)) >= warmUp;
}

function added(tookMs: readonly number[], graphMs: number): { p50Ms: number; p99Ms: number } {
  return { p50Ms: percentile(tookMs, 0.5) - graphMs, p99Ms: percentile(tookMs, 0.99) - graphMs };
}

export const latency: Scenario = {
  name: "latency",
  setUp: "20 events/s, one at a time, Graph 50 ms; times are what is added to Graph's",
  contenders: ["registrar", "naive", "bento", "floor"],
  targets: [
    atMost("p50Ms", 8, "added p50 <= 8 ms on Kafka"),
    atMost("p99Ms", 25, "added p99 <= 25 ms on Kafka"),
    atMost("p50MsEmbedded", 3, "added p50 <= 3 ms embedded"),
  ],
  run,
};
