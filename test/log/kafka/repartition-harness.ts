/** Topics with what was registered, on a real broker, to be repartitioned: how they are made, read and compared. */
import { randomUUID } from "node:crypto";
import { systemClock } from "../../../src/clock.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import { type LedgerEntry, readLedgerEntry, registeredRecord } from "../../../src/domain/registered.ts";
import { type KafkaLog, type KafkaSettings, openKafkaLog } from "../../../src/log/kafka/kafka-log.ts";
import { createTopicAdmin } from "../../../src/log/kafka/set-up/topic-admin.ts";
import type { InputTopic, LogRecord, NewRecord, Topic } from "../../../src/ports.ts";
import { encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";
import { type Parts, repartition } from "../../../src/repartition/run.ts";
import { openLog } from "./harness.ts";

export interface Enrollment {
  readonly tenantId: string;
  readonly idempotencyKey: string;
  readonly graphId: string;
}

/** Tenants spread over all partitions: ids are random. */
export function enrollments(count: number): Enrollment[] {
  return Array.from({ length: count }, () => ({
    tenantId: randomUUID(),
    idempotencyKey: randomUUID().replace(/^(.{14})4/, "$15"),
    graphId: randomUUID(),
  }));
}

/** As the worker would have it registered, in a partition of the caller's choice. */
export function registered({ tenantId, idempotencyKey, graphId }: Enrollment, partition: number): NewRecord {
  const details = {
    connectorName: "c",
    machineName: "m",
    enrollmentDateTime: "2026-01-01T00:00:00Z",
    lastCheckinDateTime: "2026-01-01T00:00:00Z",
    connectorVersion: "1",
  };
  return registeredRecord(partition, {
    enrollment: { tenantId, event: { id: "e", source: "/s", traceparent: null }, details },
    idempotencyKey,
    object: { id: graphId, ...details },
    outcome: "created",
    attempts: 1,
    graph: { requestId: null, status: 201, cloud: "global" },
    source: { topic: "enrolled", partition, offset: 0 },
    enrolledAt: 0,
    registeredAt: 0,
  });
}

/** Topics with this number of partitions, and all of these registered at home. */
export async function registerAll(
  settings: KafkaSettings,
  all: readonly Enrollment[],
  partitionCount: number,
): Promise<void> {
  const log = await openLog({ ...settings, partitionCount });
  try {
    const records = all.map((each) => registered(each, homePartition(each.tenantId, partitionCount)));
    const appended = await log.append(records);
    if (!appended.ok) throw new Error(appended.reason);
  } finally {
    await log.close();
  }
}

export const anyLog = (settings: KafkaSettings) =>
  openLog({ ...settings, createTopics: false, anyCounts: true });

export async function recordsOf(log: KafkaLog, topic: Topic, partition: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const scanned = await log.scan(
    topic,
    partition,
    0,
    (records) => found.push(...records),
    new AbortController().signal,
  );
  if (!scanned.ok) throw new Error(scanned.reason);
  return found;
}

/** What stands in each partition of registered. */
export async function ledgerOf(settings: KafkaSettings, partitions: number): Promise<LedgerEntry[][]> {
  const log = await anyLog(settings);
  try {
    const all: LedgerEntry[][] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const records = await recordsOf(log, "registered", partition);
      all.push(records.map(readLedgerEntry).filter((entry) => entry !== null));
    }
    return all;
  } finally {
    await log.close();
  }
}

export const clusterOf = (settings: KafkaSettings) => createTopicAdmin(settings, systemClock);

/** As a worker would at its start: null, or the code of what keeps it from starting. */
export async function startProblem(settings: KafkaSettings): Promise<string | null> {
  const opened = await openKafkaLog({ ...settings, createTopics: false }, systemClock);
  if (!opened.ok) return opened.problem.code;
  await opened.log.close();
  return null;
}

export function partsFor(settings: KafkaSettings, log: KafkaLog, steps: string[] = []): Parts {
  return {
    cluster: clusterOf(settings),
    log,
    signal: new AbortController().signal,
    onStep: (line) => steps.push(line),
    onProgress: () => {},
  };
}

/** A whole run. */
export async function run(settings: KafkaSettings, partitions: number, dryRun = false) {
  const log = await anyLog(settings);
  try {
    const steps: string[] = [];
    const ended = await repartition(partsFor(settings, log, steps), partitions, dryRun);
    return { ended, steps };
  } finally {
    await log.close();
  }
}

/** Commits of a worker that settled everything below `settled`, and may have attempted everything below `attempted`. */
export async function commitPosition(
  settings: KafkaSettings,
  { topic, partition }: { readonly topic: InputTopic; readonly partition: number },
  { settled, attempted }: { readonly settled: number; readonly attempted: number },
): Promise<void> {
  const metadata = encodeMetadata({
    attemptedThrough: attempted,
    claim: "former",
    limits: null,
    known: null,
  });
  const committed = await clusterOf(settings).commit([{ topic, partition, offset: settled, metadata }]);
  if (!committed.ok) throw new Error(committed.reason);
}
