/** What chaos changes at the brokers ahead of an unclean election, and reads of a topic there. One try each. */
import { ask } from "./admin.ts";
import type { Cluster } from "./brokers.ts";
import { groupId } from "./environment.ts";
import { type PartitionOffsets, readOffsets } from "./lag.ts";

const clientId = `${groupId}-change`;
const topicResource = 2;
/** Of what is set for a topic, neither a broker's setting nor a default. */
const topicConfigSource = 1;

/**
 * Makes others lead what this broker leads of the other topics, so that they stay whole when it is cut off. The replicas
 * stay where they are: another one is preferred, and leads once the brokers look after their balance. True once it is so.
 */
export async function leadOnly(cluster: Cluster, broker: number, topic: string): Promise<boolean> {
  const view = await cluster.view();
  if (view === null) return false;
  const led = view.partitions.filter((one) => one.leader === broker && !kept(one.topic, topic));
  if (led.length === 0) return true;
  const topics = [...Map.groupBy(led, (one) => one.topic)].map(([name, some]) => ({
    topic: name,
    partitionAssignment: some.map(({ partition, replicas }) => ({
      partition,
      replicas: [...replicas.filter((replica) => replica !== broker), broker],
    })),
  }));
  await ask(cluster.addresses, clientId, (admin) => admin.alterPartitionReassignments({ topics }));
  return false;
}

/** Kafka's own topics stay as they are. */
function kept(name: string, topic: string): boolean {
  return name === topic || name.startsWith("__");
}

/** Of this topic, beside what is set for it; and one broker alone is enough for it from now on. */
export async function allowUncleanElection(addresses: readonly string[], topic: string): Promise<boolean> {
  const done = await ask(addresses, clientId, async (admin) => {
    const resources = [{ type: topicResource, name: topic }];
    const described = await admin.describeConfigs({ includeSynonyms: false, resources });
    const own = described.resources
      .flatMap(({ configEntries }) => configEntries)
      .filter(({ configSource }) => configSource === topicConfigSource)
      .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
    const added = [
      { name: "min.insync.replicas", value: "1" },
      { name: "unclean.leader.election.enable", value: "true" },
    ];
    const altered = [{ type: topicResource, name: topic, configEntries: [...own, ...added] }];
    await admin.alterConfigs({ validateOnly: false, resources: altered });
    return true;
  });
  return done ?? false;
}

/** Null: not available now. */
export function readTopicOffsets(
  addresses: readonly string[],
  topic: string,
): Promise<PartitionOffsets[] | null> {
  return ask(addresses, clientId, (admin) => readOffsets(admin, { groupId, topics: [topic] }));
}
