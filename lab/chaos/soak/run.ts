/**
 * The course of a soak: records at a steady rate; faults at their times; figures each minute; an end when nothing is left
 * unsettled; then the counts.
 */

import { systemClock as clock } from "../../../src/clock.ts";
import { sleep } from "../../../src/sleep.ts";
import type { Brokers } from "../brokers.ts";
import { emitDue } from "../emission.ts";
import { workerGroup, workers } from "../environment.ts";
import type { RunResult } from "../in-place.ts";
import { openLag } from "../lag.ts";
import { openProcesses } from "../processes.ts";
import { takenByRetention } from "../topics.ts";
import { takeMinutes } from "./minutes.ts";
import { followOutcomes, patientMs } from "./outcomes.ts";
import { planSoak, type SoakFault } from "./soak-plan.ts";
import { strikeOnce } from "./strike.ts";
import type { Minute } from "./verdict.ts";
import { createWindowCheck, type WindowCheck, type WindowCounts } from "./window-check.ts";
import { checkId, openWorld, type SoakWorld, soakTimes, type WorldSettings } from "./world.ts";

export interface SoakSettings extends WorldSettings {
  readonly hours: number;
  readonly ratePerS: number;
}

export interface SoakDone {
  readonly kind: "done";
  readonly counts: Readonly<WindowCounts>;
  readonly minutes: readonly Minute[];
  readonly struck: readonly SoakFault["kind"][];
  /** False: libfaketime is not installed. */
  readonly clockSteps: boolean;
  /** Records of the inputs; null: the broker didn't say. */
  readonly takenByRetention: number | null;
  readonly problems: readonly string[];
  readonly elapsedMs: number;
}

const windowTimes = { settledMs: 90_000, forgetMs: 300_000, limitMs: 480_000 };
const startWithinMs = 600_000;
/** After a fault that took long, the next ones don't all strike at the same time. */
const leastBetweenMs = 5_000;
const emitEveryMs = 50;
const retryMs = 500;
/** A fault that can't strike for so long is left out. */
const strikeWithinMs = 15_000;
/** Of the run. */
const strikeUntil = 0.97;
const drainMs = 600_000;
const dismissMs = 20_000;
const lastRecordsMs = 10_000;

interface Course extends SoakWorld {
  readonly settings: SoakSettings;
  readonly durationMs: number;
  readonly brokers: Brokers;
  readonly check: WindowCheck;
  readonly struck: SoakFault["kind"][];
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

export async function runSoak(settings: SoakSettings, brokers: Brokers): Promise<RunResult<SoakDone>> {
  const processes = openProcesses(settings.directory);
  let close = async () => {};
  try {
    const opened = await openWorld(settings, brokers, processes);
    if (settings.interrupted.aborted) return { kind: "interrupted" };
    if (!opened.ok) return { kind: "failed", problem: opened.problem };
    const { world } = opened;
    close = () => world.log.close();
    const check = createWindowCheck(windowTimes);
    const latenciesMs: number[] = [];
    const outcomes = await followOutcomes(brokers.addresses, checkId, (record) => {
      if (record.topic === "dlq") return check.deadLetter(record, clock.nowMs());
      const tookMs = check.registered(record, clock.nowMs());
      if (tookMs !== null) latenciesMs.push(tookMs);
    });
    close = async () => {
      await outcomes.close();
      await world.log.close();
    };
    if (!(await areWorking(world, settings.interrupted))) return notWorking(settings);
    const course: Course = {
      ...{ ...world, settings, brokers, check, struck: [], startedMs: clock.nowMs() },
      durationMs: settings.hours * 3_600_000,
      signal: AbortSignal.any([settings.interrupted, world.crew.givenUp]),
    };
    return await runCourse(course, latenciesMs);
  } finally {
    await processes.endAll();
    await close();
  }
}

async function areWorking({ crew }: SoakWorld, signal: AbortSignal): Promise<boolean> {
  const untilMs = clock.nowMs() + startWithinMs;
  while (clock.nowMs() < untilMs && !signal.aborted) {
    if (Array.from({ length: workers }, (_, worker) => crew.isWorking(worker)).every(Boolean)) return true;
    await sleep(clock, retryMs, signal);
  }
  return false;
}

function notWorking({ interrupted }: SoakSettings): RunResult<SoakDone> {
  if (interrupted.aborted) return { kind: "interrupted" };
  const message = `The workers did not start to work within ${startWithinMs / 1000} s.`;
  const fix = "Type it again with --keep-logs on a machine that does less else, and read the workers' logs.";
  return { kind: "failed", problem: { code: "no-start", message, fix } };
}

async function runCourse(course: Course, latenciesMs: number[]): Promise<RunResult<SoakDone>> {
  const { settings, crew, check, brokers, startedMs } = course;
  const over = new AbortController();
  const taking = takeMinutes({
    ...course,
    latenciesMs,
    signal: AbortSignal.any([over.signal, course.signal]),
  });
  await Promise.all([emit(course), strike(course)]);
  over.abort();
  const { minutes, lookOnce } = await taking;
  const isSettled = await untilSettled(course);
  if (settings.interrupted.aborted) return { kind: "interrupted" };
  const taken = await takenByRetention(brokers.addresses, checkId);
  await crew.dismiss(dismissMs);
  await lookOnce();
  check.finish();
  const own = [
    ...(isSettled ? [] : ["not all was settled in the end"]),
    ...crew.deserted,
    ...course.deserted,
    ...brokers.troubles,
  ];
  return {
    kind: "done",
    counts: check.counts,
    minutes,
    struck: course.struck,
    clockSteps: course.wallClocks !== null,
    takenByRetention: taken,
    problems: [...own, ...check.problems],
    elapsedMs: Math.round(clock.nowMs() - startedMs),
  };
}

async function emit({ settings, samples, log, check, startedMs, durationMs, signal }: Course): Promise<void> {
  let emitted = 0;
  const elapsedMs = () => clock.nowMs() - startedMs;
  const pace = { ratePerS: settings.ratePerS, elapsedMs, emitted: () => emitted };
  const next = () => {
    const sample = samples.next();
    const { record, event, isBad } = sample;
    if (isBad) check.emittedBad(record, clock.nowMs());
    else if (event !== null) check.emitted(event.tenantId, event.data, clock.nowMs());
    return sample;
  };
  while (pace.elapsedMs() < durationMs && !signal.aborted) {
    const { count, failed } = await emitDue({ next }, log, pace);
    emitted += count;
    if (failed !== null) settings.say(`${count} records were emitted again: ${failed}`);
    await sleep(clock, emitEveryMs, signal);
  }
}

async function strike(course: Course): Promise<void> {
  const { settings, durationMs, startedMs, signal, wallClocks, struck } = course;
  const faults = planSoak({
    ...{ durationMs, seed: settings.seed, workers, clockSteps: wallClocks !== null },
    ...soakTimes,
  });
  const on = { ...course, workers };
  for (const fault of faults) {
    await sleep(clock, Math.max(leastBetweenMs, fault.atMs - (clock.nowMs() - startedMs)), signal);
    if (clock.nowMs() - startedMs > durationMs * strikeUntil)
      return settings.say(`${faults.length - struck.length} faults left out: those before took too long`);
    let what: string | null = null;
    const untilMs = clock.nowMs() + strikeWithinMs;
    while (what === null && !signal.aborted && clock.nowMs() < untilMs) {
      what = await strikeOnce(fault, on);
      if (what === null) await sleep(clock, retryMs, signal);
    }
    if (signal.aborted) return;
    if (what !== null) struck.push(fault.kind);
    const atS = Math.round((clock.nowMs() - startedMs) / 1000);
    settings.say(`${atS} s: ${what ?? `${fault.kind} left out: it could not strike`}`);
  }
}

/** True once all workers are there, the group has committed everything, and the checker has seen it. */
async function untilSettled({ brokers, crew, check, signal }: Course): Promise<boolean> {
  const lag = await openLag(brokers.addresses, workerGroup, patientMs);
  const untilMs = clock.nowMs() + drainMs;
  let settledMs: number | null = null;
  try {
    while (!signal.aborted && clock.nowMs() < untilMs) {
      const left = crew.away() > 0 ? null : await lag.read();
      if (left === 0) settledMs ??= clock.nowMs();
      if (left === 0 && check.waiting() === 0) return true;
      if (settledMs !== null && clock.nowMs() - settledMs > lastRecordsMs) return true;
      await sleep(clock, retryMs, signal);
    }
    return false;
  } finally {
    await lag.close();
  }
}
