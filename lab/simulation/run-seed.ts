/** One run, wholly decided by its seed: faults for a while, then calm, in which all must settle; then the check. */

import type { Residue } from "./check-run.ts";
import { checkCleanStop } from "./check-stop.ts";
import { check } from "./checker.ts";
import { defectiveTenant } from "./graph-troubles.ts";
import { createHistory, type Entry } from "./history.ts";
import type { StartWorker } from "./life.ts";
import { makePlan, type Plan, protectsByIds } from "./plan.ts";
import type { ProcessSettings } from "./process-settings.ts";
import { createProgress } from "./progress.ts";
import { createRng } from "./rng.ts";
import { type SabotageName, sabotages } from "./sabotage.ts";
import { createScheduler } from "./scheduler.ts";
import { describeStuck } from "./stuck.ts";
import { createWorkerSlot, type WorkerSlot } from "./worker-slot.ts";
import { generateWorkload } from "./workload.ts";
import { createWorld, type World } from "./world.ts";
import { inject } from "./world-events.ts";

export interface SeedOptions {
  readonly sabotage?: SabotageName | null;
  /** Another worker than the registrar: to test the simulation itself. */
  readonly startWorker?: StartWorker;
}

export interface SeedReport {
  readonly seed: number;
  /** Empty: passed. */
  readonly problems: readonly string[];
  readonly residue: readonly Residue[];
  readonly virtualMs: number;
  readonly events: number;
  readonly plan: Plan;
  readonly entries: readonly Entry[];
}

/** From the moment that faults stop. */
const settleWithinMs = 20 * 60_000;
const stopWithinMs = 60_000;
/** Within this time a worker notices that the log lost something, even if nothing else happens. */
const noticeMs = 120_000;

export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedReport> {
  const rng = createRng(`seed ${seed}`);
  const scheduler = createScheduler(rng.fork("schedule"));
  const history = createHistory(scheduler.nowMs);
  const plan = makePlan(rng.fork("plan"));
  const { partitionCount, activeMs, isParking } = plan;
  const workload = generateWorkload(rng.fork("workload"), { partitionCount, activeMs, isSteady: isParking });
  const world = createWorld(plan, workload, { scheduler, history, rng: rng.fork("world") });
  let calls = 0;
  const sabotage = options.sabotage ? sabotages[options.sabotage] : null;
  const shared = { nextCall: () => ++calls, sabotage, startWorker: options.startWorker, fleet: new Map() };
  const slots = plan.startsMs.map((_, slot) => createWorkerSlot(world, { slot, ...shared }));
  for (const { atMs, slot, what } of plan.incidents) scheduler.after(atMs, () => slots[slot]!.inject(what));
  for (const { atMs, what } of plan.worldEvents) scheduler.after(atMs, () => inject(world, slots, what));
  scheduler.after(plan.activeMs, () => {
    history.add({ kind: "calm" });
    if (!world.broker.isUp()) world.broker.setUp(true);
    world.coordinator.settle();
    for (const slot of slots) slot.repair();
  });

  const stopCatching = catchRejections((text) => history.add({ kind: "threw", by: "a worker", text }));
  try {
    const { problems, isSettled } = await settle(world, slots);
    const { violations, residue } = check({
      entries: history.entries,
      workload,
      inputsAt: world.inputsAt,
      defectiveTenant: plan.defect === null ? null : defectiveTenant(workload, plan.defect),
      defect: plan.defect?.kind ?? null,
      idsProtect: protectsByIds(plan),
      isSettled,
    });
    return {
      seed,
      problems: [...violations, ...problems],
      residue,
      virtualMs: scheduler.nowMs(),
      events: scheduler.eventCount(),
      plan,
      entries: history.entries,
    };
  } finally {
    stopCatching();
  }
}

interface End {
  readonly problems: string[];
  /** False: it did not come to rest, or ended with every worker stopped, as they had to. */
  readonly isSettled: boolean;
}

/** Runs to the end; what did not come to rest. */
async function settle(world: World, slots: readonly WorkerSlot[]): Promise<End> {
  const { scheduler, plan } = world;
  const isDone = createProgress(world);
  const areRetired = (): boolean => slots.every((slot) => slot.isRetired());
  const stuck = (): End => ({ problems: describeStuck(world, slots), isSettled: false });
  const limitMs = Math.max(plan.activeMs, world.workload.lastArrivalMs) + settleWithinMs;
  const isOver = (): boolean => areRetired() || isDone();
  // Take-overs come to rest too, so that what the workers leave behind at their stop is theirs alone.
  const quietUntilMs = (): number => scheduler.nowMs() + quietMs(plan);
  if ((await scheduler.run(isOver, limitMs)) !== "done") return stuck();
  await scheduler.run(areRetired, quietUntilMs());
  if (areRetired()) return { problems: [], isSettled: false };
  if (!isDone()) return stuck();
  for (const slot of slots) slot.stop();
  const isDown = (): boolean => slots.every((slot) => !slot.isRunning());
  const stopped = await scheduler.run(isDown, scheduler.nowMs() + stopWithinMs);
  if (stopped !== "done")
    return { problems: ["stuck: a worker that was asked to stop still runs"], isSettled: true };
  const { entries } = world.history;
  const stops = { entries, activeMs: plan.activeMs, hasDefect: plan.defect !== null };
  return { problems: checkCleanStop(stops), isSettled: true };
}

function quietMs({ settings, worldEvents, isStatic }: Plan): number {
  const longest = (of: (one: ProcessSettings) => number): number => Math.max(...settings.map(of));
  const takeOverMs = longest(
    ({ sessionTimeoutMs, rebalanceTimeoutMs }) =>
      (isStatic.includes(true) ? 2 : 1) * sessionTimeoutMs + 2 * rebalanceTimeoutMs,
  );
  const isHarmed = worldEvents.some(({ what }) => what.kind === "recreate" || what.kind === "lose-end");
  return takeOverMs + longest(({ settleMs, orphanMs }) => settleMs + orphanMs) + (isHarmed ? noticeMs : 0);
}

function catchRejections(report: (text: string) => void): () => void {
  const listener = (reason: unknown): void =>
    report(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
  process.on("unhandledRejection", listener);
  return () => process.off("unhandledRejection", listener);
}
