/** `scale`: one group of 1, 2 and 4 workers. */
import { assertGraphHolds, assertOnce, eventsPerSecond, watch } from "../backlog.ts";
import { type Bench, type Running, start } from "../contenders.ts";
import { openKafkaPlace } from "../kafka-place.ts";
import type { Measures } from "../numbers.ts";
import { atLeast, type Scenario } from "../scenario.ts";
import { backlogOf, tenantIds } from "../workload.ts";

const latencyMs = 100;
/** Few enough that four workers leave the machine's cores some air: what is measured is the sharing of work. */
const inFlight = 2;
const tenants = tenantIds(64);
const settleTimeoutMs = 60_000;

async function run(bench: Bench): Promise<Measures> {
  const [one, two, four] = [await runWith(bench, 1), await runWith(bench, 2), await runWith(bench, 4)];
  return {
    eventsPerSecond: four.eventsPerSecond,
    eventsPerSecond1: one.eventsPerSecond,
    eventsPerSecond2: two.eventsPerSecond,
    linear2: two.eventsPerSecond / (2 * one.eventsPerSecond),
    linear4: four.eventsPerSecond / (4 * one.eventsPerSecond),
    cpuUsPerEvent: four.cpuUsPerEvent,
  };
}

async function runWith(bench: Bench, workers: number) {
  // The same time for all.
  const events = (bench.smoke ? 256 : 6_400) * workers;
  await bench.graph.setUp({ latencyMs });
  const kafka = await openKafkaPlace(bench.brokers);
  const running: Running[] = [];
  try {
    const environment = { GRAPH_WRITES_PER_20S: "0" };
    for (let i = 0; i < workers; i++) {
      running.push(await start(bench, "registrar", { kafka, tenants, inFlight, environment }));
    }
    await allReady(running);
    const cpuUs = () => running.reduce((sum, { child }) => sum + child.cpuUs(), 0);
    const before = cpuUs();
    await kafka.produce(backlogOf(tenants, events));
    await watch(kafka, running[0]!.child, { expected: events });
    const cpuUsPerEvent = (cpuUs() - before) / events;
    const stored = await kafka.readAll("registered");
    assertOnce(stored, events);
    await assertGraphHolds(bench, events);
    return { eventsPerSecond: eventsPerSecond(stored, latencyMs), cpuUsPerEvent };
  } finally {
    await Promise.all(running.map((worker) => worker.stop()));
    await kafka.remove();
  }
}

/** All ready at the same time, twice in a row: while one joins, the others' partitions move. */
async function allReady(running: readonly Running[]): Promise<void> {
  const deadlineMs = Date.now() + settleTimeoutMs;
  for (let inARow = 0; inARow < 5; ) {
    const states = await Promise.all(running.map((worker) => worker.isReady()));
    inARow = states.every(Boolean) ? inARow + 1 : 0;
    if (Date.now() > deadlineMs) throw new Error(`not all ready:\n${running[0]!.child.lastWords()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const scale: Scenario = {
  name: "scale",
  setUp: "1, 2, 4 workers with 2 requests in flight each, 8 partitions, 64 tenants, Graph 100 ms",
  contenders: ["registrar"],
  targets: [
    atLeast("linear2", 0.9, "2 workers >= 0.9 of twice one's"),
    atLeast("linear4", 0.9, "4 workers >= 0.9 of four times one's"),
  ],
  run,
};
