/** One life of a worker: a process with the core in it, its network, and the ports that it sees the world through. */
import { type Registrar, startRegistrar } from "../../src/registrar/registrar.ts";
import type { SimContext } from "./context.ts";
import { createLink, type Link } from "./link.ts";
import { createPath, type Path } from "./path.ts";
import { createProcess, type SimProcess } from "./process.ts";
import type { ProcessSettings } from "./process-settings.ts";
import type { Rng } from "./rng.ts";
import type { Sabotage } from "./sabotage-tools.ts";
import { createSimGraph } from "./sim-graph.ts";
import { createSimLog, type SimLog } from "./sim-log.ts";
import { createSimSnapshots, type Disk } from "./sim-snapshots.ts";
import { serveBy } from "./tenant-lists.ts";
import type { World } from "./world.ts";

export type StartWorker = typeof startRegistrar;

export interface Life {
  readonly process: SimProcess;
  readonly link: Link;
  readonly graphPath: Path;
  readonly log: SimLog;
  readonly registrar: Registrar;
  readonly settings: ProcessSettings;
}

export interface LifeOptions {
  readonly name: string;
  readonly slot: number;
  /** Of its place in the group; null: it has none. */
  readonly instanceId: string | null;
  readonly settings: ProcessSettings;
  readonly disk: Disk;
  readonly sabotage: Sabotage | null;
  readonly startWorker: StartWorker | undefined;
  readonly nextCall: () => number;
  /** Called as soon as its code runs. */
  readonly onStart: (life: Life) => void;
}

export function startLife(world: World, rng: Rng, options: LifeOptions): void {
  const { scheduler, history, plan } = world;
  const { name, settings, sabotage, startWorker = startRegistrar } = options;
  const part = (partName: string): SimContext => ({ scheduler, history, rng: rng.fork(partName) });
  const rate = 1 + (2 * rng.next() - 1) * plan.clockErrorMax;
  const process = createProcess(name, part("process"), {
    onThrow: (error) => {
      const text = error instanceof Error ? (error.stack ?? "") : String(error);
      history.add({ kind: "threw", by: name, text });
    },
    rate,
  });
  const kernel = {
    orphanMs: settings.orphanMs,
    orphanRate: plan.orphanRate,
    strike: (fault: Parameters<typeof history.strike>[0]) => history.strike(fault, name),
  };
  const { broker, logFaultRates: faultRates } = world;
  const link = createLink(process, part("link"), { ...kernel, broker, faultRates });
  const graphPath = createPath(process, part("graph path"), kernel);
  const logWorld = { ...world, ...settings, rng: rng.fork("log") };
  const log = createSimLog(logWorld, { process, link }, { ...settings, instanceId: options.instanceId });
  const { requestTimeoutMs, lateMaxMs } = settings;
  const { refusesBatches } = plan;
  const graph = createSimGraph(
    {
      ...{ ...part("graph"), server: world.graph },
      ...{ requestTimeoutMs, lateMaxMs, refusesBatches, nextCall: options.nextCall },
    },
    process,
    graphPath,
  );
  history.add({ kind: "start", by: name, settings, rate });
  if (Math.abs(rate - 1) > 0.001) history.strike("clock runs fast or slow", name);
  const ports = {
    log: log.log,
    graph,
    clock: process.clock,
    random: process.random,
    ...(plan.hasSnapshots ? { snapshots: createSimSnapshots(options.disk, process, part("disk")) } : {}),
    observe: (event: Parameters<Parameters<StartWorker>[0]["observe"]>[0]) => {
      if (!process.isDead()) history.add({ kind: "worker", by: name, event });
    },
  };
  const core = { ...settings, tenants: serveBy(world, process, options.slot) };
  process.deliver(() => {
    const sabotaged = sabotage?.(ports, core, world) ?? { ports, settings: core };
    const registrar = startWorker(sabotaged.ports, sabotaged.settings);
    options.onStart({ process, link, graphPath, log, registrar, settings });
  });
}
