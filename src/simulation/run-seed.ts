/** One run, wholly decided by its seed: faults for a while, then calm, in which all must settle; then the verdict. */
import { check, type Residue } from "./checker.ts";
import { dice as createDice } from "./dice.ts";
import { createHistory, type Entry } from "./history.ts";
import { makePlan, type Plan } from "./plan.ts";
import { type SabotageName, sabotages } from "./sabotage.ts";
import { createScheduler } from "./scheduler.ts";
import { describeStuck } from "./stuck.ts";
import { createWorkerSlot, type StartWorker, type WorkerSlot } from "./worker-slot.ts";
import { generateWorkload } from "./workload.ts";
import { createWorld, type World } from "./world.ts";

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

export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedReport> {
  const dice = createDice(`seed ${seed}`);
  const scheduler = createScheduler(dice.fork("schedule"));
  const history = createHistory(scheduler.nowMs);
  const plan = makePlan(dice.fork("plan"));
  const workload = generateWorkload(dice.fork("workload"), plan.partitionCount, plan.activeMs);
  const world = createWorld(plan, workload, scheduler, history, dice.fork("world"));
  let calls = 0;
  const sabotage = options.sabotage ? sabotages[options.sabotage] : null;
  const slots = plan.startsMs.map((_, slot) =>
    createWorkerSlot(world, slot, () => ++calls, sabotage, options.startWorker),
  );
  for (const { atMs, slot, incident } of plan.incidents)
    scheduler.after(atMs, () => slots[slot]!.befall(incident));
  scheduler.after(plan.activeMs, () => {
    history.add({ kind: "calm" });
    for (const slot of slots) slot.heal();
  });

  const stopCatching = catchRejections((text) => history.add({ kind: "threw", by: "a worker", text }));
  try {
    const problems = await settle(world, slots);
    const { violations, residue } = check({
      entries: history.entries,
      workload,
      inputAt: world.inputAt,
      settleMs: plan.settings.settleMs,
      maxAttempts: plan.settings.maxAttempts,
      idsProtect: plan.idMode === "honours" && plan.settings.sendId,
      isSettled: problems.length === 0,
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

/** Runs to the end; what did not come to rest. */
async function settle(world: World, slots: readonly WorkerSlot[]): Promise<string[]> {
  const { scheduler, broker, plan } = world;
  const isSettled = (): boolean => world.isCalm() && world.hasAllArrived() && broker.isAllCommitted();
  const limitMs = Math.max(plan.activeMs, world.workload.lastArrivalMs) + settleWithinMs;
  if ((await scheduler.run(isSettled, limitMs)) !== "done") return describeStuck(world, slots);
  // Take-overs come to rest too, so that what the workers leave behind at their stop is theirs alone.
  await scheduler.run(() => false, scheduler.nowMs() + quietMs(plan));
  if (!isSettled()) return describeStuck(world, slots);
  for (const slot of slots) slot.stop();
  const isDown = (): boolean => slots.every((slot) => !slot.isRunning());
  const stopped = await scheduler.run(isDown, scheduler.nowMs() + stopWithinMs);
  if (stopped !== "done") return ["stuck: a worker that was told to stop still runs"];
  return checkCleanStop(world);
}

/** A clean shutdown leaves no suspects: the stored watermark is the committed offset. */
function checkCleanStop(world: World): string[] {
  const last = new Map<string, Extract<Entry, { kind: "commit" }>>();
  const problems: string[] = [];
  for (const entry of world.history.entries) {
    if (entry.kind === "commit") last.set(`${entry.topic}/${entry.partition}`, entry);
    if (
      entry.kind === "exit" &&
      entry.text.startsWith("killed") &&
      entry.tMs > world.plan.activeMs + killGraceMs
    ) {
      problems.push(`${entry.by} was told to stop, and did not`);
    }
  }
  for (const [place, { by, offset, metadata }] of last) {
    const { a } = JSON.parse(metadata) as { a: number };
    if (a !== offset) problems.push(`${by} stopped, and left suspects in ${place}: ${offset}..${a}`);
  }
  return problems;
}

const killGraceMs = 31_000;

function quietMs({ timing, settings }: Plan): number {
  return timing.sessionTimeoutMs + 2 * timing.rebalanceTimeoutMs + settings.settleMs;
}

function catchRejections(report: (text: string) => void): () => void {
  const listener = (reason: unknown): void =>
    report(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
  process.on("unhandledRejection", listener);
  return () => process.off("unhandledRejection", listener);
}
