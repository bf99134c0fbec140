/** One broker made of functions, for what a real one does not do on demand. */

import type { Broker } from "../../../src/log/kafka/cluster/broker.ts";
import type { ClusterConnection } from "../../../src/log/kafka/cluster/cluster-connection.ts";
import type { ProtocolRequest } from "../../../src/log/kafka/cluster/protocol.ts";
import type { ReconnectingConnection } from "../../../src/log/kafka/cluster/reconnecting-connection.ts";

/** Answers in turn, then always the last one; an Error is thrown. */
export function inTurn<T>(...answers: (T | Error)[]): () => Promise<T> {
  return async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer as T;
  };
}

/** As kafkajs throws what a broker answers. */
export function protocolError(type: string): Error {
  return Object.assign(new Error(type), { name: "KafkaJSProtocolError", type });
}

/** Bounds of every partition. Isolation level 1: without what stands behind an open transaction. */
export function listOffsets(
  start: () => number,
  end: (isolationLevel: number) => number,
): Broker["listOffsets"] {
  return async ({ topics, isolationLevel }) => ({
    responses: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, timestamp }) => ({
        partition,
        offset: String(timestamp === -1 ? end(isolationLevel) : start()),
      })),
    })),
  });
}

export interface FakeConnection extends ReconnectingConnection {
  /** Of the broker that answers; the coordinator may move. */
  nodeId: number;
  /** Connections opened so far; each is used until it is dropped. */
  opened: number;
  refreshed: number;
}

export function fakeConnection(
  broker: Omit<Partial<Broker>, "send"> & { send?: (request: ProtocolRequest<unknown>) => Promise<unknown> },
  topicId: () => string | null = () => null,
): FakeConnection {
  // Functions are looked up when they are called: a test may change what the broker does.
  const whole = new Proxy({} as Broker, {
    get: (_, name) =>
      name === "nodeId"
        ? connection.nodeId
        : (Reflect.get(broker, name) ?? { versions: {} }[name as "versions"]),
  });
  let current: (ClusterConnection & { closed: boolean }) | null = null;
  const connection: FakeConnection = {
    nodeId: 1,
    opened: 0,
    refreshed: 0,
    async cluster() {
      if (current) return current;
      connection.opened += 1;
      const cluster = {
        closed: false,
        broker: async () => whole,
        controller: async () => whole,
        coordinator: async () => whole,
        leaderOf: () => 1,
        leaderEpochOf: () => 0,
        topicId,
        partitionCount: () => 2,
        addTopics: async () => {},
        refreshMetadata: async () => {
          connection.refreshed += 1;
        },
        close() {
          cluster.closed = true;
        },
      };
      current = cluster;
      return cluster;
    },
    drop(cluster) {
      cluster.close();
      if (current === cluster) current = null;
    },
    close() {},
  };
  return connection;
}
