/** Carries out the faults of a soak, each at its time, and ends what lasts for a while. */

import { systemClock as clock } from "../../../src/clock.ts";
import { sleep } from "../../../src/sleep.ts";
import type { Brokers } from "../brokers.ts";
import type { Crew } from "../crew.ts";
import type { GraphProcess } from "../graph-process.ts";
import type { TenantsFile } from "../tenant-changes.ts";
import type { WallClocks } from "./clock-steps.ts";
import { type FaultRates, lastingWorker, type SoakFault } from "./soak-plan.ts";

export interface Struck {
  readonly crew: Crew;
  readonly workers: number;
  readonly brokers: Brokers;
  readonly graph: GraphProcess;
  readonly tenants: TenantsFile;
  /** Null: they can't be set. */
  readonly wallClocks: WallClocks | null;
  readonly signal: AbortSignal;
}

const endMs = 30_000;
/** Creates a second for each tenant, below what comes. */
const throttle = { windowMs: 1_000, writesPerAppAndTenant: 1, writesPerTenant: 2 };

/** What was done; null: it could not be done just now. */
export async function strikeOnce(fault: SoakFault, on: Struck): Promise<string | null> {
  const { crew, brokers, wallClocks, workers, signal } = on;
  switch (fault.kind) {
    case "kill": {
      const done = await crew.kill(fault.worker, fault.restartAfterMs);
      return done
        ? `worker ${fault.worker + 1} killed, to be started after ${fault.restartAfterMs} ms`
        : null;
    }
    case "freeze":
      return crew.freeze(fault.worker, fault.forMs)
        ? `worker ${fault.worker + 1} frozen for ${fault.forMs} ms`
        : null;
    case "rolling-update":
      return rollingUpdate(crew, lastingWorker(workers), signal);
    case "broker-restart":
      return brokers.strike({ ...fault, at: fault.atMs, target: "leader", graceful: false });
    case "reload":
      return reload(fault, on);
    case "graph":
      return faultRates(fault.faultRates, fault.forMs, on);
    case "clock-step": {
      if (wallClocks === null) return null;
      wallClocks.set(fault.worker, fault.byS);
      clock.after(fault.forMs, () => wallClocks.set(fault.worker, 0));
      return `worker ${fault.worker + 1}: wall clock ${fault.byS} s off for ${fault.forMs} ms`;
    }
  }
}

async function rollingUpdate(crew: Crew, but: number, signal: AbortSignal): Promise<string> {
  const done: string[] = [];
  for (let worker = 0; worker < but && !signal.aborted; worker++) {
    let how: string | null = null;
    while (how === null && !signal.aborted) {
      how = await crew.replace(worker, endMs);
      if (how === null) await sleep(clock, 500, signal);
    }
    done.push(`worker ${worker + 1} stopped (${how}) and started`);
    await sleep(clock, 3_000, signal);
  }
  return `rolling update: ${done.join(", ")}`;
}

async function reload(
  fault: Extract<SoakFault, { kind: "reload" }>,
  { crew, tenants, signal }: Struck,
): Promise<string | null> {
  // One that starts while the file is bad ends, as it has to.
  if (fault.how === "bad" && crew.away() > 0) return null;
  const what = await tenants.change(fault.how, fault.pick, signal);
  if (fault.how === "pause") {
    await sleep(clock, 5_000, signal);
    tenants.resumeAll();
  }
  return what;
}

async function faultRates(kind: FaultRates, forMs: number, { graph, signal }: Struck): Promise<string> {
  if (kind === "rough") await graph.roughen(3);
  else if (kind === "calm") await graph.roughen(0);
  else await graph.set(kind === "outage" ? { outage: "unavailable" } : { throttle });
  await sleep(clock, forMs, signal);
  await graph.roughen(1);
  await graph.set({ outage: "none", throttle: null });
  return `Graph: ${kind} for ${forMs} ms`;
}
