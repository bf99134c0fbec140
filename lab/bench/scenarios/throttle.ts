/** `throttle` and `throttle-blind`: many tenants at Graph's limit for minutes. */
import { assertOnce, watch } from "../backlog.ts";
import { type Bench, start } from "../contenders.ts";
import { openKafkaPlace } from "../kafka-place.ts";
import type { Measures } from "../numbers.ts";
import { atLeast, atMost, type Scenario } from "../scenario.ts";
import { backlogOf, tenantIds } from "../workload.ts";

interface Sizes {
  readonly tenants: number;
  readonly writes: number;
  readonly windowMs: number;
  readonly durationMs: number;
}

/** Ends half way between two windows, so that a little delay at the start moves no window in or out. */
const full: Sizes = { tenants: 50, writes: 100, windowMs: 20_000, durationMs: 170_000 };
/** One window, and a backlog as large as its limits: it ends immediately. */
const tiny: Sizes = { tenants: 5, writes: 30, windowMs: 20_000, durationMs: 20_000 };
const tinyBlind: Sizes = { tenants: 5, writes: 30, windowMs: 1_000, durationMs: 1_000 };

async function run(bench: Bench, sizes: Sizes, isBlind: boolean): Promise<Measures> {
  const { writes, windowMs, durationMs } = sizes;
  const tenants = tenantIds(sizes.tenants);
  const allowed = tenants.length * writes * Math.ceil(durationMs / windowMs);
  // More than can be worked off, so that no tenant runs dry; in a smoke run all must come out.
  const events = bench.smoke ? allowed : Math.ceil(allowed * 1.2);
  const retryAfter = isBlind ? "absent" : "seconds";
  await bench.graph.setUp({ latencyMs: 50, throttle: { writes, windowMs }, retryAfter });
  const kafka = await openKafkaPlace(bench.brokers);
  try {
    await kafka.produce(backlogOf(tenants, events));
    const environment = { GRAPH_WRITES_PER_20S: String(isBlind ? 0 : writes) };
    const running = await start(bench, "registrar", { kafka, tenants, inFlight: 32, environment });
    try {
      const first = await watch(kafka, running.child, { expected: 1 });
      const untilMs = bench.smoke ? undefined : first.at(-1)!.atMs + durationMs;
      await watch(kafka, running.child, { expected: events, untilMs });
      const { byStatus } = await bench.graph.counts();
      const rssMb = running.child.peakRssMb();
      const cpuUs = running.child.cpuUs();
      await running.stop();
      const stored = await kafka.readAll("registered");
      assertOnce(stored, bench.smoke ? events : stored.length);
      const startMs = stored.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
      const inTime = stored.filter(({ atMs }) => atMs < startMs + durationMs).length;
      const answers = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
      return {
        budgetShare: inTime / allowed,
        share429: (byStatus["429"] ?? 0) / answers,
        eventsPerSecond: inTime / (durationMs / 1000),
        cpuUsPerEvent: cpuUs / stored.length,
        rssMb,
      };
    } finally {
      await running.stop();
    }
  } finally {
    await kafka.remove();
  }
}

export const throttle: Scenario = {
  name: "throttle",
  setUp: "50 tenants at 100 writes in 20 s each, a backlog for 3 minutes",
  contenders: ["registrar"],
  targets: [
    atLeast("budgetShare", 0.98, ">= 98 % of what the limits allow"),
    atMost("share429", 0.01, "<= 1 % of requests answered 429"),
    atMost("rssMb", 300, "RSS <= 300 MB at its peak"),
  ],
  run: (bench) => run(bench, bench.smoke ? tiny : full, false),
};

export const throttleBlind: Scenario = {
  name: "throttle-blind",
  setUp: "the same, limits unknown to the worker, no Retry-After",
  contenders: ["registrar"],
  targets: [
    atLeast("budgetShare", 0.85, ">= 85 % of what the limits allow"),
    atMost("share429", 0.1, "<= 10 % of requests answered 429"),
  ],
  run: (bench) => run(bench, bench.smoke ? tinyBlind : full, true),
};
