/** Where partitions begin and end. */
import type { Bounds } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export type PartitionBounds = TopicPartition & Bounds;

const earliest = -2;
const latest = -1;

/**
 * Bounds of partitions, asked of their leaders. `stable`: the end of what a reader of committed records may see;
 * otherwise the offset that the next record gets. Throws what kafkajs throws.
 */
export async function listBounds(
  cluster: ClusterConnection,
  topicPartitions: readonly TopicPartition[],
  stable: boolean,
): Promise<PartitionBounds[]> {
  const starts = await list(cluster, topicPartitions, { timestamp: earliest, stable });
  const ends = await list(cluster, topicPartitions, { timestamp: latest, stable });
  return topicPartitions.map((topicPartition) => {
    const key = keyOf(topicPartition);
    const [start, end] = [starts.get(key), ends.get(key)];
    if (start === undefined || end === undefined) throw new Error(`no answer for ${key}`);
    return { ...topicPartition, start, end };
  });
}

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

async function list(
  cluster: ClusterConnection,
  topicPartitions: readonly TopicPartition[],
  { timestamp, stable }: { readonly timestamp: number; readonly stable: boolean },
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const byLeader = Map.groupBy(topicPartitions, (topicPartition) => leaderOf(cluster, topicPartition));
  await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      const broker = await cluster.broker(leader);
      const topics = [...Map.groupBy(led, (topicPartition) => topicPartition.topic)].map(([topic, of]) => ({
        topic,
        partitions: of.map(({ partition }) => ({ partition, timestamp })),
      }));
      const { responses } = await broker.listOffsets({ isolationLevel: stable ? 1 : 0, topics });
      for (const { topic, partitions } of responses) {
        for (const { partition, offset } of partitions)
          found.set(keyOf({ topic, partition }), Number(offset));
      }
    }),
  );
  return found;
}

export function leaderOf(cluster: ClusterConnection, { topic, partition }: TopicPartition): number {
  const leader = cluster.leaderOf(topic, partition);
  if (leader === null) throw new Error(`${topic}/${partition} has no leader`);
  return leader;
}
