/** EventLog and LogTail on Apache Kafka: wiring only. */
import { topicName, topics } from "../../domain/topics.ts";
import { type Clock, type EventLog, inputTopics, type LogTail, type Topic } from "../../ports.ts";
import type { OpenFailure, Problem } from "../../problem.ts";
import type { ConnectionSettings } from "./cluster/cluster.ts";
import { createHealth, type LogEvent } from "./cluster/health.ts";
import {
  openReconnectingConnection,
  type ReconnectingConnection,
} from "./cluster/reconnecting-connection.ts";
import type { KafkajsSecurity } from "./cluster/security.ts";
import type { TokenKeeper } from "./cluster/token-keeper.ts";
import { createScan } from "./fetch/scan.ts";
import { createSurvey } from "./fetch/survey.ts";
import { createTail } from "./fetch/tail.ts";
import { type KafkaFlavor, requestTimeoutsOf } from "./flavor.ts";
import { createJoin } from "./group/group.ts";
import { createProducer } from "./produce/producer.ts";
import type { GroupCheck } from "./set-up/other-groups.ts";
import { type PreparedLog, prepareLog } from "./set-up/prepare-log.ts";

export interface KafkaSettings {
  /** Default: Apache Kafka. */
  readonly flavor?: KafkaFlavor;
  /** host:port of at least one broker. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly groupId: string;
  /** Kafka's group.instance.id. Default null: none. */
  readonly instanceId?: string | null;
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
  /** Set where logins show a token: it is renewed while the log is open. */
  readonly tokens?: TokenKeeper | null;
  /** Of outages of the brokers, and of what gives tokens for them. No secret is in it. */
  readonly onEvent?: (event: LogEvent) => void;
}

export type KafkaLog = EventLog & LogTail & { close(): Promise<void> };

export type OpenKafkaResult =
  /** `warnings`: what works now, but not permanently or not under every fault. */
  { readonly ok: true; readonly log: KafkaLog; readonly warnings: readonly Problem[] } | OpenFailure;

const stallMs = 60_000;
const outageMaxMs = 15 * 60_000;
const waitingBytesMax = 256 * 1024 * 1024;

/** Creates what is missing (if so set) and verifies the topics; then nothing is connected until it is needed: to join needs the producer too. */
export async function openKafkaLog(settings: KafkaSettings, clock: Clock): Promise<OpenKafkaResult> {
  const { brokers, clientId } = settings;
  const health = createHealth(clock, settings.onEvent ?? (() => {}));
  const connection = {
    ...{ brokers, clientId, security: settings.kafkajs ?? {}, health },
    requestTimeoutMs: requestTimeoutsOf(settings.flavor ?? "kafka", settings.sessionTimeoutMs).ofRequestsMs,
  };
  const prepared = await prepareLog({ ...settings, connection }, clock);
  if (!prepared.ok) {
    health.close();
    return prepared;
  }
  return { ok: true, log: createLog({ settings, connection, prepared }, clock), warnings: prepared.warnings };
}

interface LogParts {
  readonly settings: KafkaSettings;
  readonly connection: ConnectionSettings;
  readonly prepared: Extract<PreparedLog, { ok: true }>;
}

function createLog({ settings, connection, prepared }: LogParts, clock: Clock): KafkaLog {
  const { health } = connection;
  const { partitionCount, topicIds } = prepared;
  const { groupId, sessionTimeoutMs, maxPartitionFetchBytes, publishTimeoutMs } = settings;
  const { flavor = "kafka", instanceId = null } = settings;
  const { ofGroupMs: requestTimeoutMs } = requestTimeoutsOf(flavor, sessionTimeoutMs);
  const nameOf = (topic: Topic) => topicName(topic, settings.topicPrefix);
  const inputs = inputTopics.map(nameOf);
  const all = topics.map(nameOf);
  const bootstrap = settings.brokers.join(",");

  const stopRenewing = settings.tokens?.renewAhead(settings.onEvent ?? (() => {}));
  const connections = new Set<ReconnectingConnection>();
  const open = (of: ConnectionSettings, known: readonly string[]): ReconnectingConnection => {
    const opened = openReconnectingConnection(of, known, () => connections.delete(opened));
    connections.add(opened);
    return opened;
  };
  // A request that is cut off by its call's time-out must not be given up before.
  const producerConnection = open({ ...connection, requestTimeoutMs: publishTimeoutMs + 1000 }, all);
  const producer = createProducer(
    producerConnection,
    { publishTimeoutMs, waitingBytesMax, nameOf, topicIds, flavor },
    clock,
  );
  const join = createJoin(
    () => open({ ...connection, requestTimeoutMs }, inputs),
    {
      ...{ groupId, instanceId, bootstrap, sessionTimeoutMs, maxPartitionFetchBytes, requestTimeoutMs },
      ...{ partitionCount, outageMaxMs, nameOf, health },
    },
    clock,
  );
  const readerSettings = { nameOf, stallMs, groupId, bootstrap };
  return {
    partitionCount,
    append: producer.append,
    scan: createScan(open(connection, all), readerSettings, clock),
    survey: createSurvey(open(connection, all), { nameOf, timeoutMs: requestTimeoutMs }, clock),
    join(onSession, onFailure) {
      producer.prepare();
      return join(onSession, onFailure);
    },
    tail: createTail(() => open(connection, all), readerSettings, clock),
    trouble: health.trouble,
    async close() {
      stopRenewing?.();
      health.close();
      producer.close();
      for (const one of connections) one.close();
    },
  };
}
