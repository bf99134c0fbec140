/** Each minute: what all processes use, how far the workers are behind, how long records took; and what Graph holds is checked. */

import { systemClock as clock } from "../../../src/clock.ts";
import type { Clock } from "../../../src/ports.ts";
import { sleep } from "../../../src/sleep.ts";
import type { Brokers } from "../brokers.ts";
import { workerGroup } from "../environment.ts";
import type { GraphProcess } from "../graph-process.ts";
import { openLag } from "../lag.ts";
import { createSampler, type Watched } from "./figures.ts";
import { createRemoving } from "./graph-objects.ts";
import { patientMs } from "./outcomes.ts";
import { percentileOf } from "./trend.ts";
import { type Minute, minuteLine } from "./verdict.ts";
import type { WindowCheck } from "./window-check.ts";

interface Taking {
  readonly settings: { readonly say: (line: string) => void };
  readonly durationMs: number;
  readonly startedMs: number;
  readonly brokers: Brokers;
  readonly graph: GraphProcess;
  readonly check: WindowCheck;
  readonly watched: Readonly<Record<string, Watched>>;
  /** Of the records since the minute before; emptied with each. */
  readonly latenciesMs: number[];
  readonly signal: AbortSignal;
}

const minuteMs = 60_000;
/** A run of minutes has as many, of seconds. */
const leastSamples = 20;

export function sampleEveryMs(durationMs: number): number {
  return Math.min(minuteMs, Math.max(5_000, durationMs / leastSamples));
}

/** After one that took long, those that were missed are left out: taken in a bunch, each would count as a minute. */
export function nextSample(index: number, elapsedMs: number, everyMs: number): number {
  return Math.max(index + 1, Math.ceil(elapsedMs / everyMs));
}

/** Until the signal aborts. `lookOnce`: what Graph holds is checked once more. */
export async function takeMinutes(taking: Taking): Promise<{ minutes: Minute[]; lookOnce(): Promise<void> }> {
  const { settings, durationMs, startedMs, brokers, graph, check, watched, latenciesMs, signal } = taking;
  const minutes: Minute[] = [];
  const sample = createSampler(watched);
  const remove = createRemoving(graph);
  const lag = await openLag(brokers.addresses, workerGroup, patientMs);
  const everyMs = sampleEveryMs(durationMs);
  const lookOnce = async () => {
    const askedAtMs = clock.nowMs();
    const removable = check.inventory(await graph.inventory(), askedAtMs);
    for (const one of await remove(removable, clock.nowMs())) check.removed(one, clock.nowMs());
    check.sweep(clock.nowMs());
  };
  await sample(clock.nowMs());
  for (let index = 1; !signal.aborted; index = nextSample(index, clock.nowMs() - startedMs, everyMs)) {
    await untilMs(clock, startedMs + index * everyMs, signal);
    if (signal.aborted) break;
    const took = latenciesMs.splice(0);
    const processes = await sample(clock.nowMs());
    const minute: Minute = {
      atS: Math.round((clock.nowMs() - startedMs) / 1000),
      emitted: check.counts.emitted,
      registered: check.counts.registered,
      latencyP50Ms: percentileOf(took, 0.5),
      latencyP99Ms: percentileOf(took, 0.99),
      lag: (await lag.read()) ?? (await lag.read()),
      kept: check.kept(),
      processes,
    };
    minutes.push(minute);
    settings.say(minuteLine(minute));
    await lookOnce();
  }
  await lag.close();
  return { minutes, lookOnce };
}

async function untilMs(timer: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  await sleep(timer, Math.max(0, atMs - timer.nowMs()), signal);
}
