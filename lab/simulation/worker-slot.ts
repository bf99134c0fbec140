/**
 * One place where a worker runs: starts it, lets incidents happen to it, and starts another life after it ended, as an
 * operator with a process supervisor would.
 */
import type { RegistrarStatus } from "../../src/registrar/status.ts";
import { type Life, type StartWorker, startLife } from "./life.ts";
import { createOperator } from "./operator.ts";
import type { Incident } from "./plan-incidents.ts";
import type { SimProcess, TripWire } from "./process.ts";
import type { ProcessSettings } from "./process-settings.ts";
import type { Sabotage } from "./sabotage-tools.ts";
import type { Disk } from "./sim-snapshots.ts";
import type { World } from "./world.ts";

export interface WorkerSlot {
  inject(incident: Incident): void;
  /** Ends immediately, whatever it was doing. */
  losePower(): void;
  /** Faults have stopped: whatever is still wrong with it ends. */
  repair(): void;
  /** Stops for good. */
  stop(): void;
  isRunning(): boolean;
  /** It stopped with a fault that offers no way to continue. */
  isRetired(): boolean;
  name(): string;
  status(): RegistrarStatus | null;
}

export interface SlotOptions {
  readonly slot: number;
  readonly nextCall: () => number;
  readonly sabotage: Sabotage | null;
  readonly startWorker: StartWorker | undefined;
  /** What the workers that run at the moment were started with. */
  readonly fleet: Map<string, ProcessSettings>;
}

const drainMs = 8_000;
const killAfterMs = 30_000;

export function createWorkerSlot(world: World, options: SlotOptions): WorkerSlot {
  const { scheduler, history, plan } = world;
  const { slot, fleet } = options;
  const rng = world.rng.fork(`slot-${slot}`);
  const disk: Disk = new Map();
  const operator = createOperator();
  let lives = 0;
  let life: Life | null = null;
  /** Another process has their place, and they may not know it yet. */
  const replaced = new Set<Life>();
  const instanceId = plan.isStatic[slot] ? `slot-${slot}` : null;
  let last: ProcessSettings | null = null;
  let isClosed = false;
  let isRetired = false;

  const start = (): void => {
    if (life !== null || isClosed || isRetired) return;
    const name = `w${slot}.${lives++}`;
    const drawn = plan.changesSettings
      ? rng.pick(plan.settings)
      : plan.settings[slot % plan.settings.length]!;
    const settings = operator.configure(drawn);
    if (last !== null && last !== drawn) history.strike("restart with other settings", name);
    if ([...fleet.values()].some((other) => other !== drawn)) history.strike("mixed settings", name);
    last = drawn;
    fleet.set(name, drawn);
    const onStart = (started: Life): void => {
      life = started;
      void started.registrar.done.then((fault) => {
        if (started.process.isDead()) return;
        if (replaced.has(started)) return endReplaced(started, fault === null ? "stopped" : "fault");
        if (fault === null) return end("stopped", "");
        const isHarmed = history.entries.some(({ kind }) => kind === "log-lost");
        isRetired = !operator.handle(fault, isHarmed);
        end("fault", `${fault.code}: ${fault.message}`);
      });
    };
    startLife(world, rng.fork(`life-${lives}`), { ...options, name, settings, disk, instanceId, onStart });
  };

  const end = (how: "crashed" | "stopped" | "fault", text: string): void => {
    if (life === null) return;
    const { name } = life.process;
    history.add({ kind: "exit", by: name, how, text });
    life.process.crash();
    fleet.delete(name);
    life = null;
    if (!isClosed) scheduler.after(world.isCalm() ? 1_000 : rng.int(100, 30_000), start);
  };

  const endReplaced = (former: Life, how: "crashed" | "stopped" | "fault"): void => {
    replaced.delete(former);
    history.add({ kind: "exit", by: former.process.name, how, text: "its place was taken" });
    former.process.crash();
  };

  const replace = (former: Life, cutMs: number): void => {
    if (cutMs > 0) cutOff(former, { kind: "cut", from: "broker", way: "both", forMs: cutMs });
    replaced.add(former);
    fleet.delete(former.process.name);
    life = null;
    start();
  };

  const crash = (): void => {
    if (life === null) return;
    history.strike("crash", life.process.name);
    end("crashed", "");
  };

  const stop = (): void => {
    if (life === null) return;
    const { process, registrar } = life;
    history.add({ kind: "stopping", by: process.name });
    process.deliver(() => void registrar.stop(drainMs));
    scheduler.after(killAfterMs, () => {
      if (life?.process === process) end("crashed", "killed: it did not stop in time");
    });
  };

  const pause = (process: SimProcess, how: "freeze" | "suspend", forMs: number): void => {
    if (process.isDead() || process.isPaused()) return;
    process.pause(how);
    history.add({ kind: "paused", by: process.name, how });
    history.strike(how, process.name);
    scheduler.after(forMs, () => resume(process));
  };
  const resume = (process: SimProcess): void => {
    if (!process.isPaused() || process.isDead()) return;
    history.add({ kind: "resumed", by: process.name });
    process.resume();
  };

  scheduler.after(plan.startsMs[slot]!, start);
  return {
    inject(incident) {
      if (life === null) return;
      const { process } = life;
      const strike = (wire: TripWire | null, act: () => void): void => {
        const unlessCalm = (): void => {
          if (!world.isCalm() && !process.isDead()) act();
        };
        if (wire === null) unlessCalm();
        else process.trip(wire, unlessCalm);
      };
      switch (incident.kind) {
        case "crash":
          return strike(incident.wire, crash);
        case "pause":
          return strike(incident.wire, () => pause(process, incident.how, incident.forMs));
        case "stop":
          history.strike("clean stop", process.name);
          return stop();
        case "cut":
          return cutOff(life, incident);
        case "stall": {
          const stalled = life;
          return strike(incident.wire, () => {
            cutOff(stalled, { kind: "cut", from: incident.from, way: "there", forMs: incident.forMs });
            scheduler.after(incident.aliveMs, () => {
              if (life === stalled && !world.isCalm()) crash();
            });
          });
        }
        case "replace":
          return replace(life, incident.cutMs);
        case "jump":
          // The clock of a suspended machine is not set.
          if (process.isSuspended()) return;
          history.add({ kind: "note", by: process.name, text: `wall clock jumps by ${incident.byMs} ms` });
          history.strike("wall clock jumps", process.name);
          return process.jumpWall(incident.byMs);
        case "lose-membership":
          history.strike("membership lost for good", process.name);
          return life.log.failMembership("simulated");
      }
    },
    losePower() {
      for (const former of replaced) endReplaced(former, "crashed");
      if (life !== null) end("crashed", "the power failed");
    },
    repair() {
      for (const former of replaced) endReplaced(former, "crashed");
      if (life !== null) {
        resume(life.process);
        life.link.repair();
        life.graphPath.repair();
      }
      start();
    },
    stop() {
      isClosed = true;
      stop();
    },
    isRunning: () => life !== null,
    isRetired: () => isRetired,
    name: () => life?.process.name ?? `w${slot} (down)`,
    status: () => life?.registrar.status() ?? null,
  };

  function cutOff(
    { process, link, graphPath }: Life,
    { from, way, forMs }: Extract<Incident, { kind: "cut" }>,
  ): void {
    const [what, path] = from === "broker" ? ["the broker" as const, link] : ["Graph" as const, graphPath];
    const who = { both: "cut off", there: "requests cut off", back: "answers cut off" } as const;
    history.strike(`${who[way]} ${what}`, process.name);
    history.add({ kind: "note", by: process.name, text: `${who[way]} ${what} for ${forMs} ms` });
    path.cut(way);
    scheduler.after(forMs, () => path.repair());
  }
}
