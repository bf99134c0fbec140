/**
 * Connections to a Kafka cluster: kafkajs's, with its authentication, version negotiation and metadata, but without its
 * consumer and producer loops (docs/adr/0003-kafkajs-below-its-consumer.md says why). kafkajs hands its cluster object
 * to a partition assigner; that is the door used here.
 *
 * Invariants
 * 1. A wire is used until its first failure, then closed for good; a line replaces it. Nothing reconnects behind the
 *    caller's back, so no request is ever sent twice or late.
 * 2. After close() no byte is sent: sockets are destroyed with what they had buffered, requests in flight fail.
 */
import { randomInt } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Cluster, Kafka, logLevel } from "kafkajs";
import { plainTextOnTlsPort } from "./errors.ts";
import type { Node } from "./node.ts";
import type { KafkajsSecurity } from "./security.ts";

export interface WireSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security: KafkajsSecurity;
  /** Of every request, unless it says that it takes longer (JoinGroup). */
  readonly requestTimeoutMs: number;
  /** One line about trouble on a connection. No secret is in it. */
  readonly onLine: (line: string) => void;
}

/** One set of connections. */
export interface Wire {
  readonly closed: boolean;
  /** A connected node; also its second connection, where fetches go. */
  node(nodeId: number): Promise<Node>;
  controller(): Promise<Node>;
  coordinator(groupId: string): Promise<Node>;
  /** The partition's leader by the last metadata, or null. */
  leaderOf(topic: string, partition: number): number | null;
  partitionCount(topic: string): number;
  refresh(): Promise<void>;
  close(): void;
}

interface ConnectionInternals {
  requestQueue: {
    pending: unknown[];
    throttledUntil: number;
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  };
}

interface ClusterInternals extends Cluster {
  connectionPoolBuilder: { build(target?: { host?: string }): Promise<{ pool: ConnectionInternals[] }> };
}

/** A wire connected to the first broker that answers, with the metadata of `topics`. Throws what kafkajs throws. */
export async function openWire(settings: WireSettings, topics: readonly string[]): Promise<Wire> {
  const sockets = new Set<Socket>();
  let closed = false;
  const onLine = (line: string) => {
    if (!closed) settings.onLine(line);
  };
  const cluster = clusterOf({ ...settings, onLine }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (closed) socket.destroy(new Error("the connection was closed"));
  });
  const nodes = new Map<number, Promise<Node>>();
  const reach = async (nodeId: number): Promise<Node> => {
    const node = (await cluster.findBroker({ nodeId: String(nodeId) })) as unknown as Node;
    // Opened here, once: concurrent first sends would each open it.
    await node.connectionPool.getConnection(1);
    return node;
  };
  const wire: Wire = {
    get closed() {
      return closed;
    },
    node(nodeId) {
      const known = nodes.get(nodeId) ?? reach(nodeId);
      nodes.set(nodeId, known);
      known.catch(() => nodes.delete(nodeId));
      return known;
    },
    async controller() {
      return wire.node(((await cluster.findControllerBroker()) as unknown as Node).nodeId);
    },
    async coordinator(groupId) {
      return wire.node(((await cluster.findGroupCoordinator({ groupId })) as unknown as Node).nodeId);
    },
    leaderOf(topic, partition) {
      const found = cluster.findTopicPartitionMetadata(topic).find((p) => p.partitionId === partition);
      return found && found.leader >= 0 ? found.leader : null;
    },
    partitionCount: (topic) => cluster.findTopicPartitionMetadata(topic).length,
    refresh: () => cluster.refreshMetadata(),
    close() {
      closed = true;
      for (const socket of sockets) socket.destroy(new Error("the connection was closed"));
    },
  };
  try {
    await cluster.connect();
    await cluster.addMultipleTargetTopics([...topics]);
    return wire;
  } catch (error) {
    wire.close();
    throw error;
  }
}

function clusterOf(settings: WireSettings, onSocket: (socket: Socket) => void): ClusterInternals {
  const attempts = Math.max(2, settings.brokers.length);
  const kafka = new Kafka({
    ...settings.security,
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    connectionTimeout: 3000,
    requestTimeout: settings.requestTimeoutMs,
    retry: { retries: attempts, initialRetryTime: 100, maxRetryTime: 1000 },
    logLevel: logLevel.ERROR,
    logCreator: () => (entry) => settings.onLine(`kafkajs: ${entry.log.message.split("\n")[0]}`),
    socketFactory: ({ host: named, port, ssl, onConnect }) => {
      const host = named.replace(/^\[(.*)\]$/, "$1");
      const socket = ssl
        ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
        : connectTcp({ host, port }, onConnect);
      if (!ssl) failOnTlsAlert(socket);
      socket.setKeepAlive(true, 60_000);
      socket.setNoDelay(true);
      onSocket(socket);
      return socket;
    },
  });
  const held: { cluster?: ClusterInternals } = {};
  kafka.consumer({
    groupId: "unused",
    allowAutoTopicCreation: false,
    metadataMaxAge: 180_000,
    partitionAssigners: [
      ({ cluster }) => {
        held.cluster = cluster as ClusterInternals;
        return {
          name: "unused",
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: "", metadata: Buffer.of() }),
        };
      },
    ],
  });
  const cluster = held.cluster!;
  const builder = cluster.connectionPoolBuilder;
  const build = builder.build;
  // kafkajs cuts an address at its first colon, which in [::1]:9092 is none that ends the host.
  const seeds = settings.brokers.map(addressOf);
  let nextSeed = randomInt(seeds.length);
  builder.build = async (target) => {
    const pool = await build(target?.host ? target : seeds[nextSeed++ % seeds.length]);
    for (const connection of pool.pool) stillTheQueue(connection.requestQueue);
    return pool;
  };
  return cluster;
}

/** An IPv6 address keeps its brackets, so that messages show `[::1]:9092`. */
function addressOf(broker: string): { host: string; port: number } {
  const colon = broker.lastIndexOf(":");
  return { host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) };
}

/** A TLS port answers plain text with a TLS alert; kafkajs would take that for the length of a long answer. */
function failOnTlsAlert(socket: Socket): void {
  socket.once("data", (bytes) => {
    if (bytes[0] !== 0x15 || bytes[1] !== 0x03) return;
    socket.destroy(Object.assign(new Error("this port speaks TLS"), { code: plainTextOnTlsPort }));
  });
}

/**
 * kafkajs re-arms this timer every millisecond for as long as a connection lives, with a negative delay that Node warns
 * of. It is needed only while requests wait for a throttle to end.
 */
function stillTheQueue(queue: ConnectionInternals["requestQueue"]): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId) return;
    const delayMs = Math.max(10, queue.throttledUntil - Date.now());
    queue.throttleCheckTimeoutId = setTimeout(() => {
      queue.throttleCheckTimeoutId = null;
      queue.checkPendingRequests();
    }, delayMs);
  };
}
