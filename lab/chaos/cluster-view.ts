/** What the brokers say of themselves: who leads what, who has which replica, who coordinates the group. */
import type { ITopicMetadata } from "kafkajs";
import { ask } from "./admin.ts";

export interface PartitionView {
  readonly topic: string;
  readonly partition: number;
  /** -1: none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface ClusterView {
  readonly partitions: readonly PartitionView[];
  /** -1: none. */
  readonly coordinator: number;
}

const offsetsTopic = "__consumer_offsets";

/** Null: they don't answer, or not all of it. */
export function viewCluster(
  addresses: readonly string[],
  groupId: string,
  topics: readonly string[],
): Promise<ClusterView | null> {
  return ask(addresses, `${groupId}-view`, async (admin) => {
    const found = await admin.fetchTopicMetadata({ topics: [...topics, offsetsTopic] });
    return viewOf(found.topics, groupId);
  });
}

export function viewOf(topics: readonly ITopicMetadata[], groupId: string): ClusterView {
  const partitions = topics.flatMap(({ name, partitions: some }) =>
    some.map(({ partitionId, leader, replicas, isr }) => ({
      topic: name,
      partition: partitionId,
      leader,
      replicas,
      inSync: isr,
    })),
  );
  const offsets = partitions.filter(({ topic }) => topic === offsetsTopic);
  const home = offsets.length === 0 ? -1 : groupPartition(groupId, offsets.length);
  const coordinator = offsets.find(({ partition }) => partition === home)?.leader ?? -1;
  return { partitions, coordinator };
}

/** Where Kafka keeps a group: Java's hash of its name. */
export function groupPartition(groupId: string, partitionCount: number): number {
  let hash = 0;
  for (let at = 0; at < groupId.length; at++) hash = (Math.imul(hash, 31) + groupId.charCodeAt(at)) | 0;
  return (hash & 0x7fff_ffff) % partitionCount;
}

/** Every partition has a leader, and every replica is in step. */
export function isWhole({ partitions }: ClusterView): boolean {
  return partitions.every(({ leader, replicas, inSync }) => leader >= 0 && inSync.length === replicas.length);
}

/** Who leads most partitions; of two with as many, the one with the lower id. */
export function busiestLeader({ partitions }: ClusterView): number {
  const counts = Map.groupBy(partitions, ({ leader }) => leader);
  const ranked = [...counts].sort(([a, led], [b, others]) => others.length - led.length || a - b);
  return ranked[0]?.[0] ?? -1;
}
