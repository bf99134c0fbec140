/** What `repartition` needs of a cluster beside the log: counts, the group's members and positions, and raising a count. */

import type { PartitionCounts } from "../../../domain/partition-counts.ts";
import { topicName, topics as topicRoles } from "../../../domain/topics.ts";
import { type Clock, type Commit, type InputPosition, inputTopics, type Topic } from "../../../ports.ts";
import { sleep } from "../../../sleep.ts";
import { type ClusterConnection, openClusterConnection } from "../cluster/cluster-connection.ts";
import { protocolError, reasonOf } from "../cluster/errors.ts";
import { createHealth, type Health } from "../cluster/health.ts";
import type { KafkajsSecurity } from "../cluster/security.ts";
import { commitTopics, readPositions } from "../group/committed-offsets.ts";

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

export interface TopicAdmin {
  /** 0: there is no such topic. */
  counts(): Promise<Outcome<PartitionCounts>>;
  /** Of the workers' group: 0 when none runs. */
  members(): Promise<Outcome<number>>;
  /** Of both inputs, all partitions. */
  positions(): Promise<Outcome<readonly InputPosition[]>>;
  /** Adds partitions, and waits until all have a leader. */
  raise(topic: Topic, count: number): Promise<Outcome<null>>;
  /** The broker refuses it while the group has members. */
  commit(commits: readonly Commit[]): Promise<Outcome<null>>;
}

export interface TopicAdminSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly groupId: string;
  readonly topicPrefix: string;
  readonly kafkajs?: KafkajsSecurity;
}

const requestTimeoutMs = 40_000;
const raiseTimeoutMs = 30_000;
const retryDelayMs = 200;
/** In an OffsetCommit without membership. */
const noGeneration = -1;
const tries = 25;
/** Nothing was done; it passes by itself. */
const passing: ReadonlySet<string> = new Set([
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
  "NOT_CONTROLLER",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_FOR_PARTITION",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

export function createTopicAdmin(settings: TopicAdminSettings, clock: Clock): TopicAdmin {
  const { groupId, brokers, clientId } = settings;
  const security = settings.kafkajs ?? {};
  const nameOf = (topic: Topic) => topicName(topic, settings.topicPrefix);
  const group = { groupId, nameOf };

  const connect = (health: Health) =>
    openClusterConnection({ brokers, clientId, security, requestTimeoutMs, health }, []);
  const step = <T>(use: (cluster: ClusterConnection) => Promise<T>) => stepOver(connect, clock, use);

  const counts = () =>
    step(async (cluster): Promise<PartitionCounts> => {
      const [enrolled, retry, registered, dlq] = await Promise.all(
        topicRoles.map(async (role) => (await leaders(cluster, nameOf(role))).length),
      );
      return { enrolled: enrolled!, retry: retry!, registered: registered!, dlq: dlq! };
    });

  const members = () =>
    step(async (cluster) => {
      const broker = await cluster.coordinator(groupId);
      const { groups } = await broker.describeGroups({ groupIds: [groupId] });
      return groups[0]?.members.length ?? 0;
    });

  const positions = () =>
    step(async (cluster) => {
      const topicPartitions = [];
      for (const topic of inputTopics) {
        const { length } = await leaders(cluster, nameOf(topic));
        for (let partition = 0; partition < length; partition++) topicPartitions.push({ topic, partition });
      }
      const coordinator = await cluster.coordinator(groupId);
      return readPositions({ cluster, coordinator }, group, topicPartitions);
    });

  async function raise(topic: Topic, count: number): Promise<Outcome<null>> {
    const name = nameOf(topic);
    const raised = await step(async (cluster) => {
      const broker = await cluster.controller();
      await broker.createPartitions({ topicPartitions: [{ topic: name, count }], timeout: raiseTimeoutMs });
      return null;
    });
    if (!raised.ok) return raised;
    return step(async (cluster) => {
      for (let attempt = 1; ; attempt++) {
        const found = await leaders(cluster, name);
        if (found.length === count && found.every((leader) => leader >= 0)) return null;
        if (attempt >= tries)
          throw new Error(`${name} has ${found.length} partitions with leaders, not ${count}`);
        await sleep(clock, retryDelayMs);
      }
    });
  }

  const commit = (commits: readonly Commit[]) =>
    step(async (cluster) => {
      const broker = await cluster.coordinator(groupId);
      const topics = commitTopics(commits, group);
      await broker.offsetCommit({ groupId, groupGenerationId: noGeneration, memberId: "", topics });
      return null;
    });

  return { counts, members, positions, raise, commit };
}

/** Each step on connections of its own: between two of them minutes may pass. */
async function stepOver<T>(
  connect: (health: Health) => Promise<ClusterConnection>,
  clock: Clock,
  use: (cluster: ClusterConnection) => Promise<T>,
): Promise<Outcome<T>> {
  for (let attempt = 1; ; attempt++) {
    // Only the outcome reports trouble.
    const health = createHealth(clock, () => {});
    let cluster: ClusterConnection | null = null;
    try {
      cluster = await connect(health);
      return { ok: true, value: await use(cluster) };
    } catch (error) {
      const type = protocolError(error);
      if (attempt >= tries || type === null || !passing.has(type))
        return { ok: false, reason: reasonOf(error) };
      await sleep(clock, retryDelayMs);
    } finally {
      cluster?.close();
      health.close();
    }
  }
}

/** Of a topic's partitions; -1: none now. Empty: there is no such topic. */
async function leaders(cluster: ClusterConnection, name: string): Promise<number[]> {
  try {
    const broker = await cluster.controller();
    const { topicMetadata } = await broker.metadata([name]);
    const found = topicMetadata.find(({ topic }) => topic === name)?.partitionMetadata ?? [];
    return found.map(({ leader }) => leader);
  } catch (error) {
    if (protocolError(error) === "UNKNOWN_TOPIC_OR_PARTITION") return [];
    throw error;
  }
}
