/**
 * One place where a worker runs: starts it, lets incidents befall it, and starts another life after it ended, as an
 * operator with a process supervisor would. What a fault tells the operator to change is changed.
 */
import { type Registrar, type RegistrarStatus, startRegistrar } from "../registrar/registrar.ts";
import type { RegistrarSettings } from "../registrar/settings.ts";
import { createLink, type Link } from "./link.ts";
import type { Incident } from "./plan.ts";
import { createProcess, type SimProcess, type TripWire } from "./process.ts";
import type { Sabotage } from "./sabotage.ts";
import { createSimGraph } from "./sim-graph.ts";
import { createSimLog, type SimLog } from "./sim-log.ts";
import { createSimSnapshots, type Disk } from "./sim-snapshots.ts";
import type { World } from "./world.ts";

export type StartWorker = typeof startRegistrar;

export interface WorkerSlot {
  befall(incident: Incident): void;
  /** Faults have stopped: whatever still afflicts it ends. */
  heal(): void;
  /** Stops for good. */
  stop(): void;
  isRunning(): boolean;
  name(): string;
  status(): RegistrarStatus | null;
}

interface Life {
  readonly process: SimProcess;
  readonly link: Link;
  readonly log: SimLog;
  readonly registrar: Registrar;
}

const drainMs = 8_000;
const killAfterMs = 30_000;

export function createWorkerSlot(
  world: World,
  slot: number,
  nextCall: () => number,
  sabotage: Sabotage | null,
  startWorker: StartWorker = startRegistrar,
): WorkerSlot {
  const { scheduler, history, plan } = world;
  const dice = world.dice.fork(`slot-${slot}`);
  const disk: Disk = new Map();
  let lives = 0;
  let life: Life | null = null;
  let isClosed = false;
  let settings: RegistrarSettings = {
    ...plan.settings,
    isTenantAllowed: (tenantId) => world.workload.tenants.includes(tenantId),
  };

  const start = (): void => {
    if (life !== null || isClosed) return;
    const name = `w${slot}.${lives++}`;
    const process = createProcess(name, scheduler, dice.fork(`process-${lives}`), (error) => {
      history.add({
        kind: "threw",
        by: name,
        text: error instanceof Error ? (error.stack ?? "") : String(error),
      });
    });
    const own = dice.fork(`life-${lives}`);
    const link = createLink(process, world.broker, scheduler, own.fork("link"), world.logWeather);
    const log = createSimLog(
      { ...world, ...plan.timing, settleMs: plan.settings.settleMs, dice: own.fork("log") },
      process,
      link,
      plan.timing,
    );
    const graph = createSimGraph(
      { ...world, ...plan.timing, server: world.graph, dice: own.fork("graph"), nextCall },
      process,
    );
    history.add({ kind: "note", by: name, text: "starts" });
    const ports = {
      log: log.log,
      graph,
      clock: process.clock,
      random: process.random,
      ...(plan.hasSnapshots
        ? { snapshots: createSimSnapshots(disk, process, scheduler, own.fork("disk")) }
        : {}),
      observe: (event: Parameters<Parameters<StartWorker>[0]["observe"]>[0]) => {
        if (!process.isDead()) history.add({ kind: "worker", by: name, event });
      },
    };
    process.deliver(() => {
      const sabotaged = sabotage?.(ports, settings, world) ?? { ports, settings };
      const registrar = startWorker(sabotaged.ports, sabotaged.settings);
      life = { process, link, log, registrar };
      void registrar.done.then((fault) => {
        if (process.isDead()) return;
        if (fault?.code === "graph-ids-refused") settings = { ...settings, sendId: false };
        if (fault?.code === "retention-gap") settings = { ...settings, onRetentionGap: "continue" };
        end(fault === null ? "stopped" : "fault", fault === null ? "" : `${fault.code}: ${fault.message}`);
      });
    });
  };

  const end = (how: "crashed" | "stopped" | "fault", text: string): void => {
    if (life === null) return;
    history.add({ kind: "exit", by: life.process.name, how, text });
    life.process.crash();
    life = null;
    if (!isClosed) scheduler.after(world.isCalm() ? 1_000 : dice.int(100, 30_000), start);
  };

  const stop = (): void => {
    if (life === null) return;
    const { process, registrar } = life;
    history.add({ kind: "note", by: process.name, text: "is told to stop" });
    process.deliver(() => void registrar.stop(drainMs));
    scheduler.after(killAfterMs, () => {
      if (life?.process === process) end("crashed", "killed: it did not stop in time");
    });
  };

  const freeze = (process: SimProcess, forMs: number): void => {
    if (process.isDead()) return;
    process.freeze();
    history.add({ kind: "note", by: process.name, text: `freezes for ${forMs} ms` });
    scheduler.after(forMs, () => thaw(process));
  };
  const thaw = (process: SimProcess): void => {
    if (!process.isFrozen() || process.isDead()) return;
    history.add({ kind: "note", by: process.name, text: "thaws" });
    process.thaw();
  };

  scheduler.after(plan.startsMs[slot]!, start);
  return {
    befall(incident) {
      if (life === null) return;
      const { process, link, log } = life;
      const strike = (wire: TripWire | null, act: () => void): void => {
        const unlessCalm = (): void => {
          if (!world.isCalm() && !process.isDead()) act();
        };
        if (wire === null) unlessCalm();
        else process.trip(wire, unlessCalm);
      };
      switch (incident.kind) {
        case "crash":
          return strike(incident.wire, () => end("crashed", ""));
        case "freeze":
          return strike(incident.wire, () => freeze(process, incident.forMs));
        case "stop":
          return stop();
        case "cut":
          history.add({
            kind: "note",
            by: process.name,
            text: `is cut off the broker for ${incident.forMs} ms`,
          });
          link.setCut(true);
          scheduler.after(incident.forMs, () => link.setCut(false));
          return;
        case "jump":
          history.add({ kind: "note", by: process.name, text: `wall clock jumps by ${incident.byMs} ms` });
          return process.jumpWall(incident.byMs);
        case "lose-membership":
          history.add({ kind: "note", by: process.name, text: "loses its membership for good" });
          return log.failMembership("simulated");
      }
    },
    heal() {
      if (life !== null) {
        thaw(life.process);
        life.link.setCut(false);
      }
      start();
    },
    stop() {
      isClosed = true;
      stop();
    },
    isRunning: () => life !== null,
    name: () => life?.process.name ?? `w${slot} (down)`,
    status: () => life?.registrar.status() ?? null,
  };
}
