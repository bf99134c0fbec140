/**
 * kafkajs's cluster: brokers, their connections, logins and versions. kafkajs hands it to a partition assigner; that is
 * the door used here (docs/adr/0003-kafkajs-below-its-consumer.md says why). What it does not do well enough is replaced:
 * its metadata (metadata-request.ts), its timers, and what it takes the versions of all brokers to be.
 */
import { randomInt } from "node:crypto";
import { Kafka, type Cluster as KafkajsCluster, logLevel } from "kafkajs";
import { seedsOf } from "./addresses.ts";
import type { Broker } from "./broker.ts";
import type { BrokerConnection, RequestQueue } from "./broker-connection.ts";
import { AnswerError, errorCodes } from "./errors.ts";
import type { Health } from "./health.ts";
import { type Metadata, metadataRequest } from "./metadata-request.ts";
import type { KafkajsSecurity } from "./security.ts";
import type { Sockets } from "./sockets.ts";

export interface ConnectionSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security: KafkajsSecurity;
  /** Of every request, unless it says that it takes longer (JoinGroup). */
  readonly requestTimeoutMs: number;
  /** Told of what does not answer. */
  readonly health: Health;
}

export interface Cluster extends KafkajsCluster {
  readonly brokerPool: {
    versions: unknown;
    readonly metadata: Metadata | null;
    findConnectedBroker(): Promise<unknown>;
  };
  readonly connectionPoolBuilder: {
    build(target?: { host?: string; port?: number }): Promise<{ readonly pool: readonly BrokerConnection[] }>;
  };
}

/** Not connected yet. `connections`: those that it has made are added as they come. */
export function openCluster(
  settings: ConnectionSettings,
  sockets: Sockets,
  connections: BrokerConnection[],
): Cluster {
  const seeds = seedsOf(settings.brokers);
  const cluster = clusterOf(settings, sockets, seeds.length);
  const { health } = settings;
  const builder = cluster.connectionPoolBuilder;
  const build = builder.build;
  // Workers that start together do not all begin with the same broker.
  let next = randomInt(seeds.length);
  builder.build = async (target) => {
    // kafkajs would cut an IPv6 address at its first colon.
    const pool = await build(target?.host ? target : { ...target, ...seeds[next++ % seeds.length]! });
    for (const connection of pool.pool) {
      connections.push(connection);
      stillTheQueue(connection.requestQueue);
      const fulfill = connection.requestQueue.fulfillRequest.bind(connection.requestQueue);
      connection.requestQueue.fulfillRequest = (answer) => {
        health.worked(connection.broker);
        fulfill(answer);
      };
    }
    return pool;
  };
  const pool = cluster.brokerPool;
  const find = pool.findConnectedBroker.bind(pool);
  // Only what refreshes the metadata asks this.
  pool.findConnectedBroker = async () => {
    const broker = (await find()) as Broker;
    // kafkajs takes one that never told its versions for connected.
    if (!broker.versions) throw new Error("the broker does not answer");
    // Each broker is asked for its own versions: during an upgrade they differ.
    pool.versions = null;
    return {
      async metadata(topics: string[]) {
        const metadata = await broker.connectionPool.send(metadataRequest(broker.versions, topics));
        for (const { topic, errorCode } of metadata.topicMetadata) {
          if (errorCode === errorCodes.topicAuthorizationFailed)
            throw new AnswerError(errorCode, `this client may not Describe topic ${topic}`);
        }
        return metadata;
      },
    };
  };
  return cluster;
}

function clusterOf(settings: ConnectionSettings, sockets: Sockets, seeds: number): Cluster {
  const { health } = settings;
  const kafka = new Kafka({
    ...settings.security,
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    connectionTimeout: 3000,
    requestTimeout: settings.requestTimeoutMs,
    retry: { retries: Math.max(2, seeds), initialRetryTime: 100, maxRetryTime: 1000 },
    logLevel: logLevel.ERROR,
    logCreator:
      () =>
      ({ log }) => {
        const message = log.message.split("\n")[0] ?? "";
        if (typeof log.broker === "string" && message.startsWith("Connection "))
          health.brokerFailed(log.broker, message);
      },
    socketFactory: sockets.factory,
  });
  const held: { cluster?: Cluster } = {};
  kafka.consumer({
    groupId: "unused",
    allowAutoTopicCreation: false,
    metadataMaxAge: 180_000,
    partitionAssigners: [
      ({ cluster }) => {
        held.cluster = cluster as Cluster;
        return {
          name: "unused",
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: "", metadata: Buffer.of() }),
        };
      },
    ],
  });
  return held.cluster!;
}

/**
 * kafkajs re-arms this timer every millisecond for as long as a connection lives, with a negative delay that Node warns
 * of. It is needed only while requests wait for a throttle to end.
 */
function stillTheQueue(queue: RequestQueue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId) return;
    const delayMs = Math.max(10, queue.throttledUntil - Date.now());
    queue.throttleCheckTimeoutId = setTimeout(() => {
      queue.throttleCheckTimeoutId = null;
      queue.checkPendingRequests();
    }, delayMs);
  };
}
