/** A process of the benchmark's own: started, fed, measured by what the system counts for it, ended by its id. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

export interface ChildSettings {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Takes the process's standard error, and its standard output unless `onLine` is given. */
  readonly logFile: string;
  readonly onLine?: (line: string) => void;
}

export interface Child {
  readonly pid: number;
  /** Wall clock, milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Null while it runs. */
  exitCode(): number | string | null;
  /** User and system time of all its threads since it started, microseconds. */
  cpuUs(): number;
  rssMb(): number;
  peakRssMb(): number;
  /** Writes a line to its standard input. */
  tell(line: string): void;
  /** SIGTERM, and SIGKILL after `patienceMs`. */
  stop(patienceMs?: number): Promise<void>;
  /** The last lines that it logged, for errors. */
  lastWords(): string;
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export function startChild(settings: ChildSettings): Child {
  const log = openSync(settings.logFile, "a");
  const startedAtMs = Date.now();
  const child = spawn(settings.command, settings.args, {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...settings.environment },
    stdio: ["pipe", settings.onLine === undefined ? log : "pipe", log],
  });
  running.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  }).then(() => running.delete(child));
  child.stdin?.on("error", () => {}); // It may end before it has read everything.
  if (child.stdout) createInterface({ input: child.stdout }).on("line", settings.onLine!);
  const pid = child.pid ?? 0;
  return {
    pid,
    startedAtMs,
    exitCode: () => child.exitCode ?? child.signalCode ?? (pid === 0 ? "not started" : null),
    cpuUs: () => cpuUsOf(pid),
    rssMb: () => statusMb(pid, "VmRSS"),
    peakRssMb: () => statusMb(pid, "VmHWM"),
    tell: (line) => child.stdin?.write(`${line}\n`),
    async stop(patienceMs = 5_000) {
      if (child.exitCode !== null || child.signalCode !== null || pid === 0) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await exited;
      clearTimeout(timer);
    },
    lastWords: () => readFileSync(settings.logFile, "utf8").trim().split("\n").slice(-5).join("\n"),
  };
}

/** Fields 14 and 15 of /proc/PID/stat, counted behind the name, which may hold anything. */
export function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
}

function statusMb(pid: number, name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}
