/**
 * What the index costs at a size: node lab/bench/index-size.ts [RECORDS]. Registered records are put into an embedded log, and the
 * index is built from them in a process of its own: cold, then warm, then searched. One JSON object; needs about 1.5 kB of disk a record.
 */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { identify } from "../../src/domain/identity.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { registeredRecord } from "../../src/domain/registered.ts";
import type { EnrollmentIndex, SearchQuery } from "../../src/index/enrollment-index.ts";
import { openEnrollmentIndex } from "../../src/index/open-index.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { NewRecord } from "../../src/ports.ts";

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
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** In a process of its own: what is measured starts with nothing in its memory. */
async function build(
  dataDir: string,
): Promise<Build & { readonly index: EnrollmentIndex; close(): Promise<void> }> {
  const fromMs = performance.now();
  const fromCpu = process.cpuUsage();
  const opening = await openEmbeddedLog({ dataDir, partitionCount }, systemClock);
  if (!opening.ok) throw new Error(opening.problem.message);
  const { log } = opening;
  const opened = openEnrollmentIndex({ path: join(dataDir, "index.db"), log, clock: systemClock });
  if (!opened.ok) throw new Error(opened.problem.message);
  const { index } = opened;
  if (!(await index.catchUp(new AbortController().signal)))
    throw new Error(index.progress().trouble ?? "aborted");
  const { user, system } = process.cpuUsage(fromCpu);
  const measured = {
    wallMs: Math.round(performance.now() - fromMs),
    cpuMs: Math.round((user + system) / 1000),
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  const close = async () => {
    index.close();
    await log.close();
  };
  return { ...measured, index, close };
}

/** The slowest of all searches by this criterion, and the middle one. */
function timed(index: EnrollmentIndex, queries: readonly SearchQuery[]): { medianMs: number; maxMs: number } {
  const times = queries.map((query) => {
    const fromMs = performance.now();
    if (index.search(query).rows.length === 0) throw new Error(`nothing found by ${JSON.stringify(query)}`);
    return performance.now() - fromMs;
  });
  times.sort((a, b) => a - b);
  const round = (ms: number) => Math.round(ms * 100) / 100;
  return { medianMs: round(times[times.length >> 1]!), maxMs: round(times.at(-1)!) };
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
  const { wallMs, cpuMs, rssMb, close } = await build(dataDir);
  await close();
  process.stdout.write(JSON.stringify({ wallMs, cpuMs, rssMb }));
}

async function main(count: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "index-size-"));
  try {
    const samples = await fill(dataDir, count);
    const run = (): Build => {
      const { stdout, stderr } = spawnSync(process.execPath, [
        ...process.execArgv,
        import.meta.filename,
        "--child",
        dataDir,
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
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === "--child") await child(second!);
else await main(Number(first ?? 1_000_000));
