/** The producer's connection, and the producer id under which it sends: a new one whenever a batch's fate is not known. */
import type { Clock } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isRefusal, protocolError, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";

export interface ProducerId {
  readonly id: number;
  readonly epoch: number;
}

export type Connected =
  | { readonly ok: true }
  /** `refused`: no repetition helps. */
  | { readonly ok: false; readonly reason: string; readonly refused: boolean };

export interface ProducerConnection {
  /** Null: to be connected. */
  current(): { readonly cluster: ClusterConnection; readonly producerId: ProducerId } | null;
  connect(): Promise<Connected>;
  /** Gives up what is in flight, and the producer id. */
  resetProducerId(): void;
  drop(cluster: ClusterConnection): void;
  refresh(cluster: ClusterConnection): Promise<void>;
  /** How old the metadata is. */
  metadataAgeMs(): number;
  close(): void;
}

export function createProducerConnection(
  connection: ReconnectingConnection,
  clock: Clock,
): ProducerConnection {
  let producerId: ProducerId | null = null;
  let cluster: ClusterConnection | null = null;
  let refreshedAtMs = 0;
  return {
    current: () => (cluster && !cluster.closed && producerId ? { cluster, producerId } : null),
    async connect() {
      let opened: ClusterConnection | null = null;
      try {
        opened = await connection.cluster();
        refreshedAtMs = clock.nowMs();
        if (producerId === null) {
          const broker = await opened.controller();
          const answer = await broker.initProducerId({ transactionTimeout: 60_000 });
          producerId = { id: Number(answer.producerId), epoch: answer.producerEpoch };
        }
        cluster = opened;
        return { ok: true };
      } catch (error) {
        if (opened) connection.drop(opened);
        return { ok: false, reason: troubleOf(error), refused: isRefusal(error) };
      }
    },
    resetProducerId() {
      if (cluster) connection.drop(cluster);
      cluster = null;
      producerId = null;
    },
    drop: connection.drop,
    async refresh(cluster) {
      await cluster.refreshMetadata();
      refreshedAtMs = clock.nowMs();
    },
    metadataAgeMs: () => clock.nowMs() - refreshedAtMs,
    close: connection.close,
  };
}

/** A refused producer id names neither operation nor topic. */
function troubleOf(error: unknown): string {
  if (protocolError(error) !== "CLUSTER_AUTHORIZATION_FAILED") return reasonOf(error);
  return `${reasonOf(error)} (the operation is IdempotentWrite on the cluster, or Write to the topics)`;
}
