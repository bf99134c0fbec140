/** What a process uses, as Linux says, and what it says of itself. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFigures {
  readonly rssMb: number | null;
  /** Open file descriptors, sockets among them. */
  readonly fds: number | null;
  /** Used heap and active handles, from its /metrics; null where it has none. */
  readonly heapMb: number | null;
  readonly handles: number | null;
  /** Of one processor, since the sample before; null: another process by now. */
  readonly cpuPercent: number | null;
}

export interface Watched {
  /** 0: none now. */
  pid(): number;
  /** Of its health server. */
  url(): string | null;
}

/** Linux counts processor time in hundredths of a second. */
const ticksPerS = 100;
const metricsTimeoutMs = 3_000;

export function createSampler(watched: Readonly<Record<string, Watched>>) {
  const before = new Map<string, { readonly pid: number; readonly ticks: number; readonly atMs: number }>();
  const sampleOne = async (name: string, { pid, url }: Watched, nowMs: number): Promise<ProcessFigures> => {
    const id = pid();
    const ticks = id === 0 ? null : readTicks(id);
    const last = before.get(name);
    const isSame = last !== undefined && last.pid === id && ticks !== null;
    const cpu = isSame ? (ticks - last.ticks) / ticksPerS / ((nowMs - last.atMs) / 1000) : null;
    if (ticks !== null) before.set(name, { pid: id, ticks, atMs: nowMs });
    const said = await readMetrics(url());
    return {
      rssMb: id === 0 ? null : readRssMb(id),
      fds: id === 0 ? null : countFds(id),
      heapMb: megabytes(said.get("nodejs_heap_size_used_bytes")),
      handles: said.get("nodejs_active_handles_total") ?? said.get("nodejs_active_resources_total") ?? null,
      cpuPercent: cpu === null ? null : cpu * 100,
    };
  };
  return async (nowMs: number): Promise<Record<string, ProcessFigures>> => {
    const all = Object.entries(watched).map(async ([name, one]) => [name, await sampleOne(name, one, nowMs)]);
    return Object.fromEntries(await Promise.all(all));
  };
}

function megabytes(bytes: number | undefined): number | null {
  return bytes === undefined ? null : bytes / 1024 / 1024;
}

/** Null: it has ended, or this is not Linux. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function readRssMb(pid: number): number | null {
  return orNull(() => {
    const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kb === undefined ? null : Number(kb) / 1024;
  });
}

function countFds(pid: number): number | null {
  return orNull(() => readdirSync(`/proc/${pid}/fd`).length);
}

/** In user and in system mode. */
function readTicks(pid: number): number | null {
  return orNull(() => ticksOf(readFileSync(`/proc/${pid}/stat`, "utf8")));
}

/** The name in parentheses may hold anything. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function readMetrics(url: string | null): Promise<ReadonlyMap<string, number>> {
  if (url === null) return new Map();
  try {
    const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(metricsTimeoutMs) });
    return metricsOf(await answer.text());
  } catch {
    return new Map();
  }
}

/** Those without labels. */
export function metricsOf(text: string): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^([a-z_]+) (\S+)$/gm)].map(([, name, value]) => [name!, Number(value)]));
}
