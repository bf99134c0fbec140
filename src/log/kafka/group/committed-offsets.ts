/** Committed offsets of the inputs: as OffsetCommit takes them, and as they are read back with the logs' bounds. */
import type { Commit, InputPosition, InputTopic } from "../../../ports.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { listBounds } from "../fetch/offsets.ts";

export interface GroupOfInputs {
  readonly groupId: string;
  readonly nameOf: (topic: InputTopic) => string;
}

type InputPartition = Pick<InputPosition, "topic" | "partition">;

export function commitTopics(commits: readonly Commit[], { nameOf }: GroupOfInputs) {
  return [...Map.groupBy(commits, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
    topic: nameOf(topic),
    partitions: ofTopic.map(({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      metadata,
    })),
  }));
}

/** In the order of `inputs`. Throws what kafkajs throws. */
export async function readPositions(
  { cluster, coordinator }: { readonly cluster: ClusterConnection; readonly coordinator: Broker },
  { groupId, nameOf }: GroupOfInputs,
  inputs: readonly InputPartition[],
): Promise<InputPosition[]> {
  const named = inputs.map(({ topic, partition }) => ({ topic: nameOf(topic), partition }));
  const topics = [...Map.groupBy(named, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition }) => ({ partition })),
  }));
  const { responses } = await coordinator.offsetFetch({ groupId, topics });
  await cluster.addTopics(topics.map(({ topic }) => topic));
  const bounds = await listBounds(cluster, named, false);
  return inputs.map(({ topic, partition }, index) => {
    const stored = responses
      .find((response) => response.topic === nameOf(topic))
      ?.partitions.find((one) => one.partition === partition);
    // "Nothing is committed" is said by -1.
    if (stored === undefined)
      throw new Error(`no answer about the committed offset of ${nameOf(topic)}/${partition}`);
    const committed =
      Number(stored.offset) >= 0 ? { offset: Number(stored.offset), metadata: stored.metadata ?? "" } : null;
    const { start, end } = bounds[index]!;
    return { topic, partition, committed, logStart: start, logEnd: end };
  });
}
