/**
 * Finds processes that outlived the tests which started them. Every process of a run inherits a mark in its
 * environment; Linux shows it in /proc. Elsewhere nothing is found.
 */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

const markName = "CONNECTOR_REGISTRAR_TEST_RUN";
const graceMs = 3_000;
const pollMs = 100;

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** Marks this process's environment, so that all processes started from now on carry the mark. */
export function markChildren(): string {
  const mark = `${process.pid}-${Date.now()}`;
  process.env[markName] = mark;
  return mark;
}

/** Processes with the mark that are still there after a short grace, this one excepted. */
export async function findLeftovers(mark: string): Promise<Leftover[]> {
  const deadlineMs = performance.now() + graceMs;
  for (;;) {
    const found = await markedProcesses(mark);
    if (found.length === 0 || performance.now() > deadlineMs) return found;
    await wait(pollMs);
  }
}

async function markedProcesses(mark: string): Promise<Leftover[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process may end, or belong to someone else, between the listing and the reading.
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (!environment.split("\0").includes(`${markName}=${mark}`)) return null;
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return { pid, command: command.replaceAll("\0", " ").trim().slice(0, 200) };
    }),
  );
  return found.filter((leftover) => leftover !== null);
}
