/** A backlog worked off: who starts, how far it is, what it cost, and whether each event came out once. */
import assert from "node:assert/strict";
import type { Child } from "./child.ts";
import { type Bench, failIfDead, type StartSettings, start, type Worker } from "./contenders.ts";
import { type KafkaPlace, openKafkaPlace, type Stored } from "./kafka-place.ts";
import type { Measures } from "./numbers.ts";
import { processorTime } from "./processor-time.ts";
import { backlogOf, connectorNameIn } from "./workload.ts";

/** Often until the first record, where the count of CPU begins; then seldom: to look takes CPU from those measured. */
const firstPollMs = 25;
const pollMs = 100;
const stalledMs = 90_000;

export interface Sample {
  readonly atMs: number;
  readonly count: number;
  readonly cpuUs: number;
}

export interface End {
  /** So many records in `registered`. */
  readonly expected: number;
  /** By the wall clock. Default: never. */
  readonly untilMs?: number | undefined;
}

/** Samples the worker until one of both ends is reached. */
export async function watch(
  kafka: KafkaPlace,
  child: Child,
  { expected, untilMs = Number.POSITIVE_INFINITY }: End,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  let progressMs = Date.now();
  while (true) {
    const cpuUs = child.cpuUs();
    const count = await kafka.count("registered");
    const atMs = Date.now();
    if (count !== (samples.at(-1)?.count ?? 0)) progressMs = atMs;
    samples.push({ atMs, count, cpuUs });
    if (count >= expected) return [...samples, { atMs, count, cpuUs: child.cpuUs() }];
    if (atMs >= untilMs) return samples;
    failIfDead(child);
    if (atMs - progressMs > stalledMs)
      throw new Error(
        `${count} of ${expected} registered, and no more for ${stalledMs} ms:\n${child.lastWords()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, count === 0 ? firstPollMs : pollMs));
  }
}

/** CPU from the last sample before the first record was registered; start-up is not counted. */
export function cpuUsPerEvent(samples: readonly Sample[]): number {
  const first = samples.findLast(({ count }) => count === 0) ?? samples[0]!;
  const last = samples.at(-1)!;
  return (last.cpuUs - first.cpuUs) / (last.count - first.count);
}

/** By the broker's clock; the first answer of Graph took `latencyMs` before the first record could come. */
export function eventsPerSecond(stored: readonly Stored[], latencyMs: number): number {
  const times = stored.map(({ atMs }) => atMs);
  const spanMs = times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b)) + latencyMs;
  return (stored.length * 1000) / Math.max(1, spanMs);
}

/** Throws unless each of `expected` connector names stands there exactly once. */
export function assertOnce(stored: readonly Stored[], expected: number): void {
  const names = new Set(stored.map(({ value }) => connectorNameIn(value)));
  assert.equal(stored.length, expected, `${stored.length} records registered instead of ${expected}`);
  assert.equal(names.size, expected, `${names.size} different events registered instead of ${expected}`);
}

/** Throws unless Graph holds exactly `expected` objects, all different. */
export async function assertGraphHolds(bench: Bench, expected: number): Promise<void> {
  const { created, duplicates } = await bench.graph.counts();
  assert.deepEqual({ created, duplicates }, { created: expected, duplicates: 0 });
}

interface Backlog extends Omit<StartSettings, "kafka"> {
  readonly events: number;
  readonly latencyMs: number;
  /** Says from when the worker is ready what each process of the run took of the processors. */
  readonly countsProcesses?: true;
}

/** `events` wait for the tenants, which take turns, when the worker starts. */
export async function workOffBacklog(bench: Bench, worker: Worker, settings: Backlog): Promise<Measures> {
  const { events, latencyMs } = settings;
  await bench.graph.setUp({ latencyMs });
  const kafka = await openKafkaPlace(bench.brokers);
  try {
    await kafka.produce(backlogOf(settings.tenants, events));
    const running = await start(bench, worker, { ...settings, kafka });
    try {
      let processes = (_events: number): Measures => ({});
      if (settings.countsProcesses) {
        await running.ready();
        processes = processorTime(running.child.pid, bench.graph.child.pid);
      }
      const samples = await watch(kafka, running.child, { expected: events });
      const shares = processes(events);
      const rssMb = running.child.peakRssMb();
      await running.stop();
      const stored = await kafka.readAll("registered");
      assertOnce(stored, events);
      if (worker !== "floor-kafka") await assertGraphHolds(bench, events);
      return {
        eventsPerSecond: eventsPerSecond(stored, latencyMs),
        cpuUsPerEvent: cpuUsPerEvent(samples),
        rssMb,
        ...shares,
      };
    } finally {
      await running.stop();
    }
  } finally {
    await kafka.remove();
  }
}
