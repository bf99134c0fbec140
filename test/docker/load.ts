/** Enrollments for the stack, and an eye on connector.registered that counts what becomes of them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../../src/clock.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { openKafkaLog } from "../../src/log/kafka/kafka-log.ts";

const partitionCount = 8;

/** One tenant for each partition, so that every worker has something to do. */
export const tenants: readonly string[] = tenantForEachPartition();

function tenantForEachPartition(): string[] {
  const found = new Map<number, string>();
  for (let number = 0; found.size < partitionCount; number++) {
    const hex = createHash("sha256").update(`tenant ${number}`).digest("hex");
    const tenant = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    const home = homePartition(tenant, partitionCount);
    if (!found.has(home)) found.set(home, tenant);
  }
  return [...found.values()];
}

/** JSON lines for `emit -`; machine names hold the batch's name, so that no two batches have an enrollment in common. */
export function enrollments(batch: string, count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const instant = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
    return JSON.stringify({
      tenantId: tenants[index % tenants.length],
      connectorName: `Connector ${batch}`,
      machineName: `${batch}-${String(index).padStart(4, "0")}`,
      enrollmentDateTime: instant,
      lastCheckinDateTime: instant,
      connectorVersion: "6.2406.0.1001",
    });
  });
  return `${lines.join("\n")}\n`;
}

export interface Registered {
  readonly machineName: string;
  readonly graphId: string;
}

export interface Watcher {
  /** By idempotency key; the Graph id of a repeated record is checked to be the same. */
  readonly registered: ReadonlyMap<string, Registered>;
  readonly contradictions: readonly string[];
  /** Resolves once this number of enrollments of the batch is registered. */
  reached(batch: string, count: number, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function watchRegistered(kafkaPort: number): Promise<Watcher> {
  const opened = await openKafkaLog(
    {
      brokers: [`localhost:${kafkaPort}`],
      clientId: "stack-test",
      groupId: "stack-test",
      topicPrefix: "",
      partitionCount,
      replicationFactor: -1,
      createTopics: false,
      sessionTimeoutMs: 30_000,
      maxPartitionFetchBytes: 131_072,
      publishTimeoutMs: 10_000,
    },
    systemClock,
  );
  assert.ok(opened.ok, "the broker is reachable from this machine");
  const registered = new Map<string, Registered>();
  const contradictions: string[] = [];
  const waiters = new Set<() => void>();
  const end = new AbortController();
  /** Why connector.registered is not read any more; then what is missing says nothing of the workers. */
  let stopped: string | null = null;
  const tail = opened.log.tail(
    "registered",
    "start",
    (records) => {
      for (const record of records) {
        const { id, data } = JSON.parse(new TextDecoder().decode(record.value ?? new Uint8Array()));
        const before = registered.get(id);
        if (before !== undefined && before.graphId !== data.id)
          contradictions.push(`${id} is ${before.graphId} and ${data.id}`);
        registered.set(id, { machineName: data.machineName, graphId: data.id });
      }
      for (const wake of [...waiters]) wake();
    },
    end.signal,
  );
  void tail.then((ended) => {
    if (!ended.ok) stopped = ended.reason;
    for (const wake of [...waiters]) wake();
  });
  const countOf = (batch: string) =>
    [...registered.values()].filter(({ machineName }) => machineName.startsWith(`${batch}-`)).length;
  return {
    registered,
    contradictions,
    reached: (batch, count, timeoutMs = 120_000) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          waiters.delete(look);
          settle();
        };
        const look = () => {
          if (countOf(batch) >= count) finish(resolve);
          else if (stopped !== null)
            finish(() => reject(new Error(`reading connector.registered ended: ${stopped}`)));
        };
        const timer = setTimeout(() => {
          const text = `${countOf(batch)} of ${count} enrollments of ${batch} were registered in ${timeoutMs} ms`;
          finish(() => reject(new Error(text)));
        }, timeoutMs);
        waiters.add(look);
        look();
      }),
    async close() {
      end.abort();
      const ended = await tail;
      await opened.log.close();
      assert.ok(ended.ok || end.signal.aborted, "connector.registered could be read to the end");
    },
  };
}

export const nothing = { lacking: [], unexpected: [] };

/** As multisets: what stands twice has to be expected twice. */
export function difference(expected: readonly string[], actual: readonly string[]) {
  const unexpected = [...actual];
  const lacking = expected.filter((each) => {
    const at = unexpected.indexOf(each);
    if (at >= 0) unexpected.splice(at, 1);
    return at < 0;
  });
  return { lacking, unexpected };
}

export const namesOf = (all: readonly { machineName: string }[]) => all.map(({ machineName }) => machineName);
