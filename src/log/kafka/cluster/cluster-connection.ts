/**
 * Connections to a Kafka cluster: kafkajs's, with its authentication and version negotiation, but without its consumer
 * and producer loops.
 *
 * Invariants
 * 1. A connection is used until its first failure, then closed permanently; a ReconnectingConnection opens another. Nothing reconnects behind the
 *    caller's back, so no request is ever sent twice or late.
 * 2. After close() no byte is sent: connections are reset with what they and the kernel had buffered, requests in flight
 *    fail.
 */
import type { Broker } from "./broker.ts";
import { type ConnectionSettings, createCluster } from "./cluster.ts";
import { connectBroker } from "./kafkajs-internals.ts";
import type { PartitionMetadata, TopicMetadata } from "./metadata-request.ts";
import { openSockets } from "./sockets.ts";

/** One set of connections. What it knows of topics is as of the last `refreshMetadata`. */
export interface ClusterConnection {
  readonly closed: boolean;
  /** A connected broker; also its second connection, where fetches go. */
  broker(nodeId: number): Promise<Broker>;
  controller(): Promise<Broker>;
  coordinator(groupId: string): Promise<Broker>;
  /** The partition's leader, or null. */
  leaderOf(topic: string, partition: number): number | null;
  /** -1: the brokers are too old to tell. */
  leaderEpochOf(topic: string, partition: number): number;
  /** Null: there is no such topic, or the brokers are too old for ids. */
  topicId(topic: string): string | null;
  /** 0: there is no such topic. */
  partitionCount(topic: string): number;
  /** Adds these to the topics that it knows of. */
  addTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  close(): void;
}

/** Connected to the first broker that answers, with the metadata of `topics`. Throws what kafkajs throws. */
export async function openClusterConnection(
  settings: ConnectionSettings,
  topics: readonly string[],
): Promise<ClusterConnection> {
  const sockets = openSockets();
  let closed = false;
  const health = {
    ...settings.health,
    brokerFailed: (broker: string, reason: string) => {
      if (!closed) settings.health.brokerFailed(broker, reason);
    },
  };
  const { kafkajs, metadata, connections } = createCluster({ ...settings, health }, sockets);
  const stopWatching = settings.health.watch(connections);
  const brokers = new Map<number, Promise<Broker>>();
  const reach = async (nodeId: number): Promise<Broker> =>
    connectBroker(await kafkajs.findBroker({ nodeId: String(nodeId) }));
  const topicOf = (name: string): TopicMetadata | undefined =>
    metadata()?.topicMetadata.find(({ topic }) => topic === name);
  const partitionOf = (topic: string, partition: number): PartitionMetadata | undefined =>
    topicOf(topic)?.partitionMetadata.find(({ partitionId }) => partitionId === partition);
  const cluster: ClusterConnection = {
    get closed() {
      return closed;
    },
    broker(nodeId) {
      const known = brokers.get(nodeId) ?? reach(nodeId);
      brokers.set(nodeId, known);
      known.catch(() => brokers.delete(nodeId));
      return known;
    },
    async controller() {
      return cluster.broker((await kafkajs.findControllerBroker()).nodeId);
    },
    async coordinator(groupId) {
      return cluster.broker((await kafkajs.findGroupCoordinator({ groupId })).nodeId);
    },
    leaderOf(topic, partition) {
      const leader = partitionOf(topic, partition)?.leader ?? -1;
      return leader >= 0 ? leader : null;
    },
    leaderEpochOf: (topic, partition) => partitionOf(topic, partition)?.leaderEpoch ?? -1,
    topicId: (topic) => topicOf(topic)?.id ?? null,
    partitionCount: (topic) => topicOf(topic)?.partitionMetadata.length ?? 0,
    addTopics: (names) => kafkajs.addMultipleTargetTopics([...names]),
    refreshMetadata: () => kafkajs.refreshMetadata(),
    close() {
      closed = true;
      stopWatching();
      sockets.close();
    },
  };
  try {
    await kafkajs.connect();
    await cluster.addTopics(topics);
    return cluster;
  } catch (error) {
    cluster.close();
    throw error;
  }
}
