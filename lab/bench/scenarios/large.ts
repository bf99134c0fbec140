/** `restart` and `memory`: a million entries behind the worker, a million records before it. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/clock.ts";
import { registeredRecord } from "../../../src/domain/registered.ts";
import { openKafkaLog } from "../../../src/log/kafka/kafka-log.ts";
import type { NewRecord } from "../../../src/ports.ts";
import { assertOnce, watch } from "../backlog.ts";
import { type Bench, failIfDead, start } from "../contenders.ts";
import { type KafkaPlace, openKafkaPlace } from "../kafka-place.ts";
import { type Measures, median } from "../numbers.ts";
import { atMost, type Scenario } from "../scenario.ts";
import { backlogOf, enrollment, partitionCount, tenantIds } from "../workload.ts";

const tenants = tenantIds(50);
const recordsPerAppend = 4_000;

async function runRestart(bench: Bench): Promise<Measures> {
  const entries = bench.smoke ? 2_000 : 1_000_000;
  await bench.graph.setUp({});
  const kafka = await openKafkaPlace(bench.brokers);
  const dataDir = mkdtempSync(join(bench.directory, "restart-"));
  try {
    await fillLedger(kafka, entries);
    const cold = await startOnce(bench, { kafka, dataDir }, 0);
    const again = await startOnce(bench, { kafka, dataDir }, 1);
    return { readyMs: again.readyMs, readyMsCold: cold.readyMs, rssMb: again.rssMb, rssMbCold: cold.rssMb };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
    await kafka.remove();
  }
}

/** Starts, waits until it is ready, has one event registered to see that it works, stops it in order. */
async function startOnce(
  bench: Bench,
  { kafka, dataDir }: { readonly kafka: KafkaPlace; readonly dataDir: string },
  index: number,
) {
  const before = await kafka.count("registered");
  const running = await start(bench, "registrar", { kafka, tenants, inFlight: 32, dataDir });
  try {
    const readyMs = await running.ready();
    await kafka.produce([enrollment(tenants[0]!, index, "after")]);
    await watch(kafka, running.child, { expected: before + 1 });
    return { readyMs, rssMb: running.child.peakRssMb() };
  } finally {
    await running.stop();
  }
}

async function fillLedger(kafka: KafkaPlace, entries: number): Promise<void> {
  const opened = await openKafkaLog(
    {
      brokers: [...kafka.brokers],
      clientId: "bench-fill",
      groupId: `${kafka.groupId}-fill`,
      topicPrefix: kafka.prefix,
      partitionCount,
      replicationFactor: 1,
      createTopics: false,
      sessionTimeoutMs: 30_000,
      maxPartitionFetchBytes: 131_072,
      publishTimeoutMs: 30_000,
    },
    systemClock,
  );
  if (!opened.ok) throw new Error(opened.problem.message);
  let records: NewRecord[] = [];
  let appending: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    await appending;
    const batch = records;
    records = [];
    appending = opened.log.append(batch).then((result) => {
      if (!result.ok) throw new Error(result.reason);
    });
  };
  for (let i = 0; i < entries; i++) {
    records.push(ledgerRecord(i));
    if (records.length === recordsPerAppend) await flush();
  }
  await flush();
  await appending;
  await opened.log.close();
}

function ledgerRecord(index: number): NewRecord {
  const tenantId = tenants[index % tenants.length]!;
  const { partition, value } = enrollment(tenantId, index, "before");
  const details = JSON.parse(value).data;
  return registeredRecord(partition, {
    enrollment: {
      tenantId,
      details,
      event: { id: uuidOf(index, 4), source: "/installers/PKI", traceparent: null },
    } as unknown as Parameters<typeof registeredRecord>[1]["enrollment"],
    idempotencyKey: uuidOf(index, 5),
    object: { id: uuidOf(index, 4), ...details },
    outcome: "created",
    attempts: 1,
    graph: { requestId: uuidOf(index, 4), status: 201, cloud: "global" },
    source: { topic: "enrolled", partition, offset: index },
    enrolledAt: 1_750_000_000_000 + index,
    registeredAt: 1_750_000_000_060 + index,
  });
}

/** Scattered as hashes are, and made a million times in little time. */
function uuidOf(index: number, version: 4 | 5): string {
  const word = (salt: number) => (Math.imul(index + salt, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
  const tail = index.toString(16).padStart(12, "0");
  return `${word(version)}-${word(77).slice(0, 4)}-${version}${word(99).slice(0, 3)}-a${word(111).slice(0, 3)}-${tail}`;
}

export const restart: Scenario = {
  name: "restart",
  setUp: "1,000,000 in the ledger; started with an empty data directory, then again",
  contenders: ["registrar"],
  targets: [
    atMost("readyMs", 3_000, "ready in <= 3 s with a snapshot"),
    atMost("readyMsCold", 20_000, "ready in <= 20 s without"),
  ],
  run: runRestart,
};

async function runMemory(bench: Bench): Promise<Measures> {
  const waiting = bench.smoke ? 400 : 1_000_000;
  const durationMs = bench.smoke ? 2_000 : 120_000;
  await bench.graph.setUp({
    latencyMs: bench.smoke ? 50 : 2_000,
    throttle: { writes: 100, windowMs: 20_000 },
  });
  const kafka = await openKafkaPlace(bench.brokers);
  try {
    await kafka.produce(backlogOf(tenants, waiting));
    const running = await start(bench, "registrar", { kafka, tenants, inFlight: 32, asInImage: true });
    try {
      await running.ready();
      const rss: number[] = [];
      for (const endMs = Date.now() + durationMs; Date.now() < endMs; ) {
        failIfDead(running.child);
        rss.push(running.child.rssMb());
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      const rssMb = running.child.peakRssMb();
      const parked = await kafka.count("retry");
      await running.stop();
      const stored = await kafka.readAll("registered");
      assertOnce(stored, bench.smoke ? waiting : stored.length);
      const third = Math.floor(rss.length / 3);
      const growth = median(rss.slice(-third)) / median(rss.slice(third, 2 * third));
      return { rssMb, rssGrowth: growth, registered: stored.length, parked };
    } finally {
      await running.stop();
    }
  } finally {
    await kafka.remove();
  }
}

export const memory: Scenario = {
  name: "memory",
  setUp:
    "1,000,000 waiting, 50 tenants at 100 writes in 20 s, Graph 2 s, for 2 minutes; the image's settings",
  contenders: ["registrar"],
  targets: [
    atMost("rssMb", 200, "RSS <= 200 MB at its peak"),
    atMost("rssGrowth", 1.1, "flat: the last third <= 1.1 x the middle third"),
  ],
  run: runMemory,
};
