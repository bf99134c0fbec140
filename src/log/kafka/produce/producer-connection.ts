/** The producer's connection, and the producer id for new batches: another one whenever a batch's fate is not known. */
import type { Clock } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isRefusal, protocolError, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import type { ProducerId } from "./partition-queue.ts";

export type Connected =
  | { readonly ok: true }
  /** `refused`: no repetition helps. */
  | { readonly ok: false; readonly reason: string; readonly refused: boolean };

export interface ProducerConnection {
  /** Null: to be connected. */
  current(): ClusterConnection | null;
  /** Null: to be connected. */
  producerId(): ProducerId | null;
  connect(): Promise<Connected>;
  /** The next `connect` asks for another. */
  forgetProducerId(): void;
  drop(cluster: ClusterConnection): void;
  /** Resets what is in flight. */
  reset(): void;
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
    current: () => (cluster && !cluster.closed && producerId ? cluster : null),
    producerId: () => producerId,
    async connect() {
      let opened: ClusterConnection | null = null;
      try {
        opened = await connection.cluster();
        // One that is open already knows the topics as of its last refresh.
        if (opened !== cluster) refreshedAtMs = clock.nowMs();
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
    forgetProducerId() {
      producerId = null;
    },
    drop: connection.drop,
    reset() {
      if (cluster) connection.drop(cluster);
    },
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
