/** EventLog and LogTail on Apache Kafka: wiring only. */
import { topicName } from "../../domain/topics.ts";
import { type Clock, type EventLog, inputTopics, type LogTail, type Topic } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import type { ConnectionSettings } from "./cluster/cluster.ts";
import { type ClusterConnection, openClusterConnection } from "./cluster/cluster-connection.ts";
import { hungUp, protocolError } from "./cluster/errors.ts";
import { createHealth, type LogEvent } from "./cluster/health.ts";
import {
  openReconnectingConnection,
  type ReconnectingConnection,
} from "./cluster/reconnecting-connection.ts";
import type { KafkajsSecurity } from "./cluster/security.ts";
import { createScan } from "./fetch/scan.ts";
import { createSurvey } from "./fetch/survey.ts";
import { createTail } from "./fetch/tail.ts";
import { createJoin } from "./group/group.ts";
import { createProducer } from "./produce/producer.ts";
import { openFailure } from "./set-up/open-problem.ts";
import { checkGroups, type GroupCheck } from "./set-up/other-groups.ts";
import { prepareTopics } from "./set-up/topics.ts";

export interface KafkaSettings {
  /** host:port of at least one broker. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly groupId: string;
  readonly topicPrefix: string;
  /** Of topics that are created. */
  readonly partitionCount: number;
  /** Of topics that are created; below 1: the broker's default. */
  readonly replicationFactor: number;
  readonly createTopics: boolean;
  readonly sessionTimeoutMs: number;
  /** Of a fetch of the worker; a batch that is larger alone comes whole. */
  readonly maxPartitionFetchBytes: number;
  readonly publishTimeoutMs: number;
  /** How long the records of a blocked tenant wait, which retention must allow for. Default 0: not checked. */
  readonly tenantBlockedMaxMs?: number;
  /** Set where the partition counts may differ: to bring them together. */
  readonly anyCounts?: boolean;
  /** Set where other groups that work on the same topics are to be found: reads the watermark in a commit's metadata. */
  readonly attemptedThroughOf?: GroupCheck["attemptedThroughOf"];
  /** How to authenticate, in kafkajs's words. */
  readonly kafkajs?: KafkajsSecurity;
  /** Of outages of the brokers. No secret is in it. */
  readonly onEvent?: (event: LogEvent) => void;
}

export type KafkaLog = EventLog & LogTail & { close(): Promise<void> };

export type OpenKafkaResult =
  /** `warnings`: what works, but not for ever or not under every fault. */
  | { readonly ok: true; readonly log: KafkaLog; readonly warnings: readonly Problem[] }
  /** `retryable`: trying again may help without a change by people. */
  | { readonly ok: false; readonly problem: Problem; readonly retryable: boolean };

const stallMs = 60_000;
const outageMaxMs = 15 * 60_000;
const waitingBytesMax = 256 * 1024 * 1024;

/** Creates what is missing (if so set) and verifies the topics; then nothing is connected until it is needed: to join needs the producer too. */
export async function openKafkaLog(settings: KafkaSettings, clock: Clock): Promise<OpenKafkaResult> {
  const security = settings.kafkajs ?? {};
  const health = createHealth(clock, settings.onEvent ?? (() => {}));
  const requestTimeoutMs = Math.min(10_000, Math.max(1000, settings.sessionTimeoutMs / 2));
  const { brokers, clientId } = settings;
  const connectionSettings: ConnectionSettings = {
    brokers,
    clientId,
    security,
    requestTimeoutMs: 30_000,
    health,
  };
  const nameOf = (topic: Topic) => topicName(topic, settings.topicPrefix);

  const inputs = [nameOf("enrolled"), nameOf("retry")];
  const all = [...inputs, nameOf("registered"), nameOf("dlq")];
  const prepared = await prepare(connectionSettings, all, settings, clock);
  if (!prepared.ok) {
    health.close();
    return prepared;
  }
  const { partitionCount, topicIds, warnings } = prepared;

  const connections = new Set<ReconnectingConnection>();
  const open = (of: ConnectionSettings, topics: readonly string[]): ReconnectingConnection => {
    const connection = openReconnectingConnection(of, topics, () => connections.delete(connection));
    connections.add(connection);
    return connection;
  };
  const openGroupConnection = () => open({ ...connectionSettings, requestTimeoutMs }, inputs);
  const { publishTimeoutMs } = settings;
  const producerSettings = { publishTimeoutMs, waitingBytesMax, nameOf, topicIds };
  // A request that is cut off by its call's time-out must not be given up before.
  const producerConnection = { ...connectionSettings, requestTimeoutMs: publishTimeoutMs + 1000 };
  const producer = createProducer(open(producerConnection, all), producerSettings, clock);
  const group = {
    groupId: settings.groupId,
    bootstrap: brokers.join(","),
    sessionTimeoutMs: settings.sessionTimeoutMs,
    maxPartitionFetchBytes: settings.maxPartitionFetchBytes,
    requestTimeoutMs,
    partitionCount,
    outageMaxMs,
    nameOf,
    health,
  };
  const join = createJoin(openGroupConnection, group, clock);
  const readerSettings = { nameOf, stallMs, groupId: settings.groupId, bootstrap: brokers.join(",") };
  const log: KafkaLog = {
    partitionCount,
    append: producer.append,
    scan: createScan(open(connectionSettings, all), readerSettings, clock),
    survey: createSurvey(open(connectionSettings, all), { nameOf, timeoutMs: requestTimeoutMs }, clock),
    join(onSession, onFailure) {
      producer.prepare();
      return join(onSession, onFailure);
    },
    tail: createTail(() => open(connectionSettings, all), readerSettings, clock),
    trouble: health.trouble,
    async close() {
      health.close();
      producer.close();
      for (const connection of connections) connection.close();
    },
  };
  return { ok: true, log, warnings };
}

type Prepared =
  | {
      ok: true;
      partitionCount: number;
      topicIds: ReadonlyMap<string, string | null>;
      warnings: readonly Problem[];
    }
  | { ok: false; problem: Problem; retryable: boolean };

async function prepare(
  connectionSettings: ConnectionSettings,
  topics: readonly string[],
  settings: KafkaSettings,
  clock: Clock,
): Promise<Prepared> {
  try {
    const cluster = await openClusterConnection(connectionSettings, []);
    try {
      const tenantBlockedMaxMs = settings.tenantBlockedMaxMs ?? 0;
      const result = await prepareTopics(cluster, { ...settings, tenantBlockedMaxMs }, clock);
      if (!result.ok) return { ...result, retryable: false };
      await cluster.addTopics(topics);
      const groups = await otherGroups(cluster, settings, result.partitionCount);
      if (groups.problem !== null) return { ok: false, problem: groups.problem, retryable: false };
      const warnings = [...result.warnings, ...groups.warnings];
      return {
        ...result,
        warnings,
        topicIds: new Map(topics.map((topic) => [topic, cluster.topicId(topic)])),
      };
    } finally {
      cluster.close();
    }
  } catch (error) {
    const { security } = connectionSettings;
    const login = hungUp(error) && !security.sasl && (await asksForLogin(connectionSettings));
    return openFailure(error, { brokers: settings.brokers, security, asksForLogin: login });
  }
}

async function otherGroups(
  cluster: ClusterConnection,
  { groupId, topicPrefix, attemptedThroughOf }: KafkaSettings,
  partitionCount: number,
): ReturnType<typeof checkGroups> {
  if (attemptedThroughOf === undefined) return { problem: null, warnings: [] };
  const inputs = inputTopics.map((topic) => topicName(topic, topicPrefix));
  return checkGroups(cluster, { groupId, inputs, partitionCount, attemptedThroughOf });
}

/** Asks for a mechanism that no broker has: one that wants a login names its own, others refuse to talk of logins. */
async function asksForLogin(settings: ConnectionSettings): Promise<boolean> {
  const sasl = { mechanism: "none", authenticationProvider: () => ({ authenticate: async () => {} }) };
  try {
    const cluster = await openClusterConnection(
      { ...settings, security: { ...settings.security, sasl } },
      [],
    );
    cluster.close();
    return false;
  } catch (error) {
    return protocolError(error) === "UNSUPPORTED_SASL_MECHANISM";
  }
}
