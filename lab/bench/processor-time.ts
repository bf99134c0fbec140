/**
 * What the system counts for each process of a run, between two looks: processor time, and of one thread also for how long it
 * could have run and had no processor. On a shared machine, only the latter distinguishes a slow program from one that had to wait.
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpuUsOf } from "./child.ts";
import type { Measures } from "./numbers.ts";

interface Look {
  readonly atMs: number;
  /** Of the worker's first thread, on which its JavaScript runs. */
  readonly main: Scheduled;
  /** All threads of each process, by its name. */
  readonly cpuUs: ReadonlyMap<string, number>;
}

interface Scheduled {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** The worker, the emulator, the benchmark itself, and the broker if it is a process of the benchmark's own. */
export function processorTime(worker: number, emulator: number): (events: number) => Measures {
  const names = new Map([
    [worker, "worker"],
    [emulator, "emulator"],
    [process.pid, "benchmark"],
  ]);
  for (const pid of descendantsOf(process.pid))
    if (readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "java") names.set(pid, "broker");
  const first = look(worker, names);
  return (events) => {
    const last = look(worker, names);
    const spanMs = last.atMs - first.atMs;
    const perEvent = [...last.cpuUs].map(([name, us]): [string, number] => [
      `${name}CpuUsPerEvent`,
      (us - first.cpuUs.get(name)!) / events,
    ]);
    return {
      ...Object.fromEntries(perEvent),
      mainThreadRan: (last.main.ranMs - first.main.ranMs) / spanMs,
      mainThreadWaited: (last.main.waitedMs - first.main.waitedMs) / spanMs,
    };
  };
}

function look(worker: number, names: ReadonlyMap<number, string>): Look {
  const cpuUs = new Map([...names].map(([pid, name]) => [name, cpuUsOf(pid)]));
  return { atMs: performance.now(), main: scheduled(worker), cpuUs };
}

/** Of the first thread: nanoseconds on a processor, and waiting for one. */
function scheduled(pid: number): Scheduled {
  const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ").map(Number);
  return { ranMs: ran! / 1e6, waitedMs: waited! / 1e6 };
}

function descendantsOf(pid: number): number[] {
  const lists = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8"),
  );
  const children = lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}
