/** The settings of the processes that chaos starts. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { topicName } from "../../src/domain/topics.ts";
import type { GraphProcess } from "./graph-process.ts";
import type { ConsumerGroup } from "./lag.ts";
import type { Environment } from "./processes.ts";

export const workers = 3;
export const partitionCount = 8;
export const groupId = "connector-registrar-chaos";
/** What the workers read, as a group. */
export const workerGroup: ConsumerGroup = {
  groupId,
  topics: [topicName("enrolled", ""), topicName("retry", "")],
};

/** Short, so that a fault costs seconds; the settle time covers one request and one append. */
export const times = {
  sessionTimeoutMs: 6_000,
  requestTimeoutMs: 2_000,
  publishTimeoutMs: 3_000,
  settleMs: 5_500,
  brokerSessionMs: 4_000,
};

/** Of every worker, beside where it finds what. */
const workerSettings: Environment = {
  GRAPH_REQUEST_TIMEOUT_MS: String(times.requestTimeoutMs),
  SETTLE_MS: String(times.settleMs),
  // All on one machine: what a killed worker's kernel still has to send arrives immediately.
  GRAPH_ORPHAN_MS: "1000",
  REREAD_COUNT: "2",
  REREAD_DELAY_MS: "300",
  MAX_ATTEMPTS: "200",
  LOG_LEVEL: "debug",
};

/** Where the log is, and what it is. */
export interface LogPlace {
  readonly brokers: readonly string[];
  readonly flavor: "kafka" | "event-hubs";
  readonly directory: string;
}

export function logEnvironment({ brokers, flavor, directory }: LogPlace, name: string): Environment {
  return {
    KAFKA_FLAVOR: flavor,
    TOPICS_CREATE: "true",
    KAFKA_BROKERS: brokers.join(","),
    KAFKA_GROUP_ID: groupId,
    KAFKA_CLIENT_ID: name,
    KAFKA_SESSION_TIMEOUT_MS: String(times.sessionTimeoutMs),
    TOPICS_PARTITIONS: String(partitionCount),
    PUBLISH_TIMEOUT_MS: String(times.publishTimeoutMs),
    DATA_DIR: join(directory, name),
  };
}

/** Where workers create, and for whom. */
interface WorkerTask {
  readonly graph: GraphProcess;
  readonly tenants: { readonly ids: readonly string[] } | { readonly file: string };
}

export function workerEnvironment(
  worker: number,
  log: LogPlace,
  { graph, tenants }: WorkerTask,
): Environment {
  const name = `worker-${worker + 1}`;
  mkdirSync(join(log.directory, name), { recursive: true });
  return {
    ...logEnvironment(log, name),
    ...graph.environment,
    ...("file" in tenants ? { TENANTS_FILE: tenants.file } : { ALLOWED_TENANTS: tenants.ids.join(",") }),
    ...workerSettings,
  };
}
