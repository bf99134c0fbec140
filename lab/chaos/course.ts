/** The course of a run: emission, faults, and the wait for the end. */

import { systemClock as clock } from "../../src/clock.ts";
import { sleep } from "../../src/sleep.ts";
import { workers } from "./environment.ts";
import type { PlannedFault } from "./plan-faults.ts";
import type { Course } from "./run-state.ts";
import { uncleanElection } from "./unclean-election.ts";

const pollMs = 50;
const clusterPollMs = 500;
const emitBatch = 10;
/** Longer than a take-over after a fault. */
const stallMs = 20_000;

/** All records, again where the log didn't confirm; not so fast that the next fault would come too late. */
export async function emit({ plan, log, crew, struck, emission, signal, say }: Course): Promise<void> {
  const { records, faults } = plan;
  while (emission.done < records.length && !signal.aborted) {
    const next = faults[struck.length]?.at ?? Number.POSITIVE_INFINITY;
    const settled = Math.min(crew.settled(), next) * (records.length / plan.enrollments.length);
    if (emission.done > settled + emission.ahead) {
      await sleep(clock, pollMs, signal);
      continue;
    }
    const batch = records.slice(emission.done, emission.done + emitBatch);
    const result = await log.append(batch);
    if (result.ok) emission.done += batch.length;
    else {
      say(`emitting ${batch.length} records again: ${result.reason}`);
      await sleep(clock, pollMs, signal);
    }
  }
}

/** One fault after the other, each once enough is settled. */
export async function strike(course: Course): Promise<void> {
  const { plan, crew, struck, signal, say } = course;
  for (const fault of plan.faults) {
    await untilDue(course, fault.at);
    let what: string | null = null;
    while (what === null && !signal.aborted) {
      what = await apply(fault, course);
      if (what === null) await sleep(clock, course.cluster ? clusterPollMs : pollMs, signal);
    }
    if (what === null) return;
    struck.push(fault);
    say(`${crew.settled()} settled: ${what}`);
  }
}

/** Enough is settled; or nothing has been for a while, since tenants are paused. */
async function untilDue({ plan, crew, signal }: Course, at: number): Promise<void> {
  const mayStall = plan.faults.some(({ kind }) => kind === "tenant-change");
  let last = crew.settled();
  let sinceMs = clock.nowMs();
  while (crew.settled() < at && !signal.aborted) {
    await sleep(clock, pollMs, signal);
    if (crew.settled() !== last) sinceMs = clock.nowMs();
    last = crew.settled();
    if (mayStall && clock.nowMs() - sinceMs > stallMs) return;
  }
}

/** What was done; null: there is no target now. */
async function apply(fault: PlannedFault, course: Course): Promise<string | null> {
  const { crew, brokers, cluster } = course;
  if (fault.kind === "unclean-election") return uncleanElection(course, cluster!, fault.regrown);
  if (fault.kind === "tenant-change") {
    // One that starts while the file is bad ends, as it has to.
    if (fault.how === "bad" && crew.away() > 0) return null;
    return course.tenants.change(fault.how, fault.pick, course.signal);
  }
  if (fault.kind === "update") return course.versions.update(crew, fault.worker, fault.to);
  if (fault.kind !== "kill" && fault.kind !== "freeze") return brokers.strike(fault);
  for (let offset = 0; offset < workers; offset++) {
    const worker = (fault.worker + offset) % workers;
    const name = `worker ${worker + 1}`;
    if (fault.kind === "kill" && (await crew.kill(worker, fault.restartAfterMs))) {
      return `${name} killed, to be started after ${fault.restartAfterMs} ms`;
    }
    if (fault.kind === "freeze" && crew.freeze(worker, fault.forMs)) {
      return `${name} frozen for ${fault.forMs} ms`;
    }
  }
  return null;
}
