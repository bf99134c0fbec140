/** One connected broker: what this adapter asks of it. kafkajs-internals.ts has kafkajs do it. */
import type { ApiVersions, ProtocolRequest } from "./protocol.ts";

type TopicPartitions<T> = readonly { topic: string; partitions: readonly T[] }[];

/** The requests that kafkajs encodes well enough, in its form, and `send` for the others. */
export interface Broker {
  readonly nodeId: number;
  readonly versions: ApiVersions;
  send<T>(request: ProtocolRequest<T>): Promise<T>;
  joinGroup(request: {
    groupId: string;
    memberId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    groupProtocols: { name: string; metadata: Buffer }[];
  }): Promise<{
    generationId: number;
    leaderId: string;
    memberId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: TopicPartitions<{ partition: number; offset: string; metadata: string }>;
  }): Promise<unknown>;
  offsetFetch(request: { groupId: string; topics: TopicPartitions<{ partition: number }> }): Promise<{
    responses: TopicPartitions<{ partition: number; offset: string; metadata: string | null }>;
  }>;
  listOffsets(request: {
    isolationLevel: number;
    topics: TopicPartitions<{ partition: number; timestamp: number }>;
  }): Promise<{ responses: TopicPartitions<{ partition: number; offset: string }> }>;
  initProducerId(request: {
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  metadata(topics: string[]): Promise<{
    brokers: { nodeId: number }[];
    topicMetadata: {
      topic: string;
      partitionMetadata: { partitionId: number; leader: number; replicas: number[] }[];
    }[];
  }>;
  createPartitions(request: {
    topicPartitions: readonly { topic: string; count: number }[];
    timeout: number;
  }): Promise<unknown>;
  /** Of the groups that this broker coordinates. */
  listGroups(): Promise<{ groups: readonly { groupId: string; protocolType: string }[] }>;
  describeGroups(request: { groupIds: readonly string[] }): Promise<{
    groups: readonly {
      errorCode: number;
      groupId: string;
      state: string;
      members: readonly { memberId: string; clientId: string; clientHost: string }[];
    }[];
  }>;
  createTopics(request: {
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
    timeout: number;
  }): Promise<unknown>;
  describeConfigs(request: {
    resources: readonly { type: number; name: string; configNames: readonly string[] }[];
  }): Promise<{
    resources: readonly {
      resourceName: string;
      configEntries: readonly { configName: string; configValue: string | null }[];
    }[];
  }>;
}
