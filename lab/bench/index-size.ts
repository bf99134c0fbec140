/**
 * What the index costs at a size: node lab/bench/index-size.ts [RECORDS] [--data DIR]. Registered records are put into an embedded log,
 * and the index is built from them as `serve` does it, in a process of its own: cold, then warm, then searched. One JSON object; needs
 * about 1.5 kB of disk a record. With --data the log is kept in DIR, and used again when it is there.
 *
 * Beside the wall clock it says what the processor did: on a busy machine only that tells. `longestTurnMs`: how long the thread that
 * answers requests was held at the most while the index was built.
 */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { systemClock } from "../../src/clock.ts";
import { followIndex } from "../../src/compose/enrollment-index.ts";
import { loadSettings } from "../../src/config/load.ts";
import { identify } from "../../src/domain/identity.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { registeredRecord } from "../../src/domain/registered.ts";
import type { EnrollmentIndex, SearchQuery } from "../../src/index/enrollment-index.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { NewRecord } from "../../src/ports.ts";
import { sleep } from "../../src/sleep.ts";

const partitionCount = 8;
const tenantCount = 500;
const connectorCount = 2000;
const searchesEach = 50;
const appendedAtOnce = 5000;
const startMs = Date.UTC(2026, 0, 1);

interface Sample {
  readonly record: NewRecord;
  readonly query: Required<
    Pick<SearchQuery, "key" | "graphId" | "eventId" | "machineName" | "connectorName" | "tenantIds">
  >;
}

/** Graph's ids, request ids and event ids are random, as in production: nothing repeats that would not. */
function sample(number: number, tenants: readonly string[]): Sample {
  const tenantId = tenants[number % tenantCount]!;
  const machineName = `WIN-${number.toString(36).toUpperCase().padStart(11, "0")}`;
  const connectorName = `Connector ${number % connectorCount}`;
  const atMs = startMs + number * 20;
  const enrollmentDateTime = `${new Date(atMs).toISOString().slice(0, -1)}1234+01:00`;
  const identity = identify(tenantId, { machineName, connectorName, enrollmentDateTime })!;
  const [graphId, eventId] = [randomUUID(), randomUUID()];
  const object = { connectorName, machineName, enrollmentDateTime, connectorVersion: "6.2406.0.1001" };
  const partition = homePartition(tenantId, partitionCount);
  const record = registeredRecord(partition, {
    enrollment: {
      tenantId,
      details: { ...object, lastCheckinDateTime: enrollmentDateTime },
      event: { id: eventId, source: "/installers/windows", traceparent: null },
    },
    idempotencyKey: identity.idempotencyKey,
    object: { ...object, id: graphId, lastCheckinDateTime: enrollmentDateTime },
    outcome: "created",
    attempts: 1,
    graph: { requestId: randomUUID(), status: 201, cloud: "global" },
    source: { topic: "enrolled", partition, offset: number },
    enrolledAt: atMs,
    registeredAt: atMs + 400,
  });
  const names = { machineName, connectorName, tenantIds: [tenantId] };
  return { record, query: { key: identity.idempotencyKey, graphId, eventId, ...names } };
}

async function fill(dataDir: string, count: number): Promise<Sample["query"][]> {
  const opening = await openEmbeddedLog({ dataDir, partitionCount }, systemClock);
  if (!opening.ok) throw new Error(opening.problem.message);
  const tenants = Array.from({ length: tenantCount }, () => randomUUID());
  const kept: Sample["query"][] = [];
  for (let first = 0; first < count; first += appendedAtOnce) {
    const samples = Array.from({ length: Math.min(appendedAtOnce, count - first) }, (_, at) =>
      sample(first + at, tenants),
    );
    const appended = await opening.log.append(samples.map(({ record }) => record));
    if (!appended.ok) throw new Error(appended.reason);
    const keepEach = Math.max(1, Math.floor(count / searchesEach));
    kept.push(...samples.filter((_, at) => (first + at) % keepEach === 0).map(({ query }) => query));
  }
  await opening.log.close();
  return kept;
}

interface Build {
  readonly wallMs: number;
  /** Of the whole process, and of the thread that answers. */
  readonly cpuMs: number;
  readonly answeringCpuMs: number;
  readonly longestTurnMs: number;
  readonly rssMb: number;
}

/** In a process of its own: what is measured starts with nothing in its memory. */
async function build(
  dataDir: string,
): Promise<Build & { readonly index: EnrollmentIndex; close(): Promise<void> }> {
  const loaded = loadSettings({ environment: { DATA_DIR: dataDir }, groups: ["log"] });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const fromMs = performance.now();
  const [fromCpu, fromOwnCpu] = [process.cpuUsage(), process.threadCpuUsage()];
  const turns = monitorEventLoopDelay({ resolution: 5 });
  turns.enable();
  const notes = {
    onNote: (message: string) => process.stderr.write(`${message}\n`),
    onProblem: ({ message }: { readonly message: string }) => process.stderr.write(`${message}\n`),
  };
  const followed = followIndex(loaded.settings, systemClock, notes);
  const isRead = () => followed.index()?.progress().caughtUp === true;
  while (!isRead()) await sleep(systemClock, 10);
  turns.disable();
  const measured = {
    wallMs: Math.round(performance.now() - fromMs),
    cpuMs: total(process.cpuUsage(fromCpu)),
    answeringCpuMs: total(process.threadCpuUsage(fromOwnCpu)),
    longestTurnMs: Math.round(turns.max / 1e6),
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  return { ...measured, index: followed.index()!, close: () => followed.stop() };
}

function total({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1000);
}

interface Times {
  readonly medianMs: number;
  readonly maxMs: number;
  readonly maxCpuMs: number;
}

/** The slowest of all searches by this criterion, and the middle one. */
function timed(index: EnrollmentIndex, queries: readonly SearchQuery[]): Times {
  const times = queries.map((query) => {
    const fromMs = performance.now();
    const fromCpu = process.threadCpuUsage();
    if (index.search(query).rows.length === 0) throw new Error(`nothing found by ${JSON.stringify(query)}`);
    const { user, system } = process.threadCpuUsage(fromCpu);
    return { wallMs: performance.now() - fromMs, cpuMs: (user + system) / 1000 };
  });
  const walls = times.map(({ wallMs }) => wallMs).sort((a, b) => a - b);
  const round = (ms: number) => Math.round(ms * 100) / 100;
  return {
    medianMs: round(walls[walls.length >> 1]!),
    maxMs: round(walls.at(-1)!),
    maxCpuMs: round(Math.max(...times.map(({ cpuMs }) => cpuMs))),
  };
}

function searches(index: EnrollmentIndex, samples: readonly Sample["query"][], count: number) {
  const by = (pick: (one: Sample["query"]) => Omit<SearchQuery, "limit">) =>
    timed(
      index,
      samples.map((one) => ({ ...pick(one), limit: 50 })),
    );
  const [sinceMs, untilMs] = [startMs + count * 10, startMs + count * 11];
  return {
    key: by(({ key }) => ({ key })),
    graphId: by(({ graphId }) => ({ graphId })),
    eventId: by(({ eventId }) => ({ eventId })),
    machine: by(({ machineName }) => ({ machineName })),
    connector: by(({ connectorName }) => ({ connectorName })),
    tenant: by(({ tenantIds }) => ({ tenantIds })),
    tenantAndTime: by(({ tenantIds }) => ({ tenantIds, sinceMs, untilMs })),
    tenantAndConnector: by(({ tenantIds, connectorName }) => ({ tenantIds, connectorName })),
    time: by(() => ({ sinceMs, untilMs })),
    state: by(() => ({ state: "registered" })),
    newest: by(() => ({})),
  };
}

async function child(dataDir: string): Promise<void> {
  const { index: _, close, ...measured } = await build(dataDir);
  await close();
  process.stdout.write(JSON.stringify(measured));
}

async function samplesIn(dataDir: string, count: number): Promise<Sample["query"][]> {
  const file = join(dataDir, "samples.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Sample["query"][];
  const samples = await fill(dataDir, count);
  writeFileSync(file, JSON.stringify(samples));
  return samples;
}

async function main(count: number, kept: string | undefined): Promise<void> {
  const dataDir = kept ?? mkdtempSync(join(tmpdir(), "index-size-"));
  try {
    mkdirSync(dataDir, { recursive: true });
    const samples = await samplesIn(dataDir, count);
    for (const end of ["", "-wal", "-shm"]) rmSync(join(dataDir, `index.db${end}`), { force: true });
    const run = (): Build => {
      const { stdout, stderr } = spawnSync(process.execPath, [
        ...process.execArgv,
        ...[import.meta.filename, "--child", dataDir],
      ]);
      if (stdout.length === 0) throw new Error(String(stderr));
      return JSON.parse(String(stdout)) as Build;
    };
    const cold = run();
    const bytesEach = Math.round(statSync(join(dataDir, "index.db")).size / count);
    const warm = run();
    const { index, close } = await build(dataDir);
    const measured = { count, bytesEach, cold, warm, searches: searches(index, samples, count) };
    process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
    await close();
  } finally {
    if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { child: { type: "string" }, data: { type: "string" } },
});
if (values.child !== undefined) await child(values.child);
else await main(Number(positionals[0] ?? 1_000_000), values.data);
