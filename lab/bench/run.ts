/**
 * The benchmark: scenarios on real Kafka, each contender in a process of its own, runs interleaved. Progress and
 * tables go to `say`; what comes back is the last line of standard output.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { obtainBroker } from "../testkit/broker.ts";
import type { Against, Bench, Contender } from "./contenders.ts";
import { openGraphPlace } from "./graph-place.ts";
import { type Measures, medians } from "./numbers.ts";
import type { About } from "./plot/charts.ts";
import type { Results, Scenario } from "./scenario.ts";
import { cpu, drain } from "./scenarios/backlogs.ts";
import { memory, restart } from "./scenarios/large.ts";
import { latency } from "./scenarios/latency.ts";
import { blocked, noisy } from "./scenarios/neighbours.ts";
import { scale } from "./scenarios/scale.ts";
import { tenants, tenantsKnown } from "./scenarios/tenants.ts";
import { throttle, throttleBlind } from "./scenarios/throttle.ts";
import { table } from "./table.ts";

export const scenarios: readonly Scenario[] = [
  ...[drain, cpu, latency, throttle, throttleBlind],
  ...[noisy, blocked, restart, memory, scale, tenants, tenantsKnown],
];

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  readonly against: readonly Against[];
  readonly runs: number;
  /** Tiny sizes: shows that everything runs and counts come out exact, measures nothing. */
  readonly smoke: boolean;
  readonly bento: string | null;
  readonly say: (line: string) => void;
}

export type Result = { readonly scenario: string; readonly runs: number } & Results;

export type BenchOutcome =
  | { readonly ok: true; readonly results: readonly Result[]; readonly about: About }
  /** `retryable`: nothing was measured because something is missing here. */
  | { readonly ok: false; readonly reason: string; readonly missing: boolean };

export async function runBench(options: BenchOptions): Promise<BenchOutcome> {
  if (process.platform !== "linux")
    return { ok: false, missing: true, reason: "CPU is read from Linux's /proc" };
  const broker = await obtainBroker();
  if (!broker.ok) return { ok: false, missing: true, reason: `there is no Kafka broker: ${broker.reason}` };
  const { say, smoke, bento } = options;
  // kafkajs arms timers with negative delays, and Node tells people so on standard error.
  process.removeAllListeners("warning");
  const directory = mkdtempSync(join(tmpdir(), "registrar-bench-"));
  try {
    const graph = await openGraphPlace(directory);
    try {
      const about = aboutThis(broker.kind, smoke);
      say(`${about.machine}; broker: ${about.broker}; node ${about.node}`);
      const bench = { brokers: broker.brokers, graph, directory, bento, smoke, say };
      const results: Result[] = [];
      for (const scenario of options.scenarios) results.push(await measure(bench, scenario, options));
      return { ok: true, results, about };
    } finally {
      await graph.close();
    }
  } catch (error) {
    say(`${(error as Error).stack}`);
    return { ok: false, missing: false, reason: (error as Error).message };
  } finally {
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(bench: Bench, scenario: Scenario, { against, runs }: BenchOptions): Promise<Result> {
  const { say } = bench;
  say(`\n${scenario.name}: ${scenario.setUp}`);
  const contenders = scenario.contenders.filter((name) => {
    if (name === "registrar") return true;
    if (name === "bento" && bench.bento === null && against.includes("bento"))
      say("  bento is left out: BENTO does not name its binary");
    return against.includes(name) && (name !== "bento" || bench.bento !== null);
  });
  const measured = new Map<Contender, Measures[]>(contenders.map((name) => [name, []]));
  for (let run = 1; run <= runs; run++) {
    for (const contender of contenders) {
      const startedMs = performance.now();
      const measures = await scenario.run(bench, contender);
      for (const [name, value] of Object.entries(measures))
        if (!Number.isFinite(value)) throw new Error(`${scenario.name}, ${contender}: ${name} is ${value}`);
      measured.get(contender)!.push(measures);
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      say(`  ${run}/${runs} ${contender} in ${seconds} s: ${JSON.stringify(medians([measures]))}`);
    }
  }
  const results: Results = {};
  for (const [name, list] of measured) results[name] = medians(list);
  // Tiny sizes reach nothing.
  say(table({ targets: bench.smoke ? [] : scenario.targets }, results));
  return { scenario: scenario.name, runs, ...results };
}

function aboutThis(broker: string, isSmoke: boolean): About {
  const processors = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const machine = `${processors.length} x ${processors[0]?.model.trim() ?? "processor"}, ${gib} GiB`;
  return { machine, node: process.version, broker, date: new Date().toISOString().slice(0, 10), isSmoke };
}
