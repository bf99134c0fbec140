/**
 * The four topics: created where they are missing, and checked for what the worker relies on (topic-checks.ts).
 *
 * 1. A topic that this group has worked with before is never created again in silence: it was deleted, and what it held is gone.
 */

import { topicName, topics as topicRoles } from "../../../domain/topics.ts";
import type { Clock, Topic } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import { sleep } from "../../../sleep.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isUnreadable, protocolError, reasonOf } from "../cluster/errors.ts";
import { type CommandTarget, createCommands, grant, isEventHubs } from "./advice.ts";
import {
  type AllFacts,
  configNames,
  countProblem,
  countsOf,
  durabilityWarnings,
  settingProblem,
  type TopicFacts,
  unseenWarnings,
} from "./topic-checks.ts";
import { configsFor } from "./topic-configs.ts";

export interface TopicsSettings extends CommandTarget {
  readonly groupId: string;
  readonly partitionCount: number;
  /** Below 1: the broker's default. */
  readonly replicationFactor: number;
  readonly createTopics: boolean;
  /** How long the records of a blocked tenant wait: retention must be longer. */
  readonly tenantBlockedMaxMs: number;
  /** Set where the partition counts may differ: to bring them together. */
  readonly anyCounts?: boolean;
}

export type TopicsResult =
  | { readonly ok: true; readonly partitionCount: number; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problem: Problem };

const topicResource = 2;
const brokerResource = 4;
const createTimeoutMs = 10_000;

/** What metadata says of a topic, and how many brokers there are. */
type Layout = Omit<TopicFacts, "configs"> & { readonly brokerCount: number };

interface SetUp {
  readonly cluster: ClusterConnection;
  readonly settings: TopicsSettings;
  readonly clock: Clock;
}

interface Missing {
  readonly missing: readonly Topic[];
  readonly partitionCount: number;
  /** That create them. */
  readonly commands: string;
}

export async function prepareTopics(
  cluster: ClusterConnection,
  settings: TopicsSettings,
  clock: Clock,
): Promise<TopicsResult> {
  const setUp = { cluster, settings, clock };
  const found = new Map<Topic, Layout>();
  const readLayout = async (role: Topic, expected: boolean): Promise<Problem | null> => {
    const layout = await layoutOf(setUp, topicName(role, settings.topicPrefix), expected);
    if (layout === "refused") return notAllowedProblem(role, settings);
    if (layout !== null) found.set(role, layout);
    return null;
  };
  for (const role of topicRoles) {
    const refused = await readLayout(role, false);
    if (refused !== null) return { ok: false, problem: refused };
  }
  const missing = topicRoles.filter((role) => !found.has(role));
  // New ones follow those that are there already.
  const partitionCount =
    (found.get("enrolled") ?? found.get("registered"))?.partitionCount ?? settings.partitionCount;
  if (missing.length > 0) {
    const problem = await createMissing(setUp, missing, partitionCount);
    if (problem !== null) return { ok: false, problem };
    for (const role of missing) await readLayout(role, true);
  }
  return check(cluster, found, settings);
}

async function check(
  cluster: ClusterConnection,
  found: ReadonlyMap<Topic, Layout>,
  settings: TopicsSettings,
): Promise<TopicsResult> {
  const broker = await cluster.controller();
  const [enrolled, retry, registered, dlq] = await Promise.all(
    topicRoles.map(async (role) => {
      const layout = found.get(role) ?? { partitionCount: 0, replicas: 0, brokerCount: 0 };
      return { ...layout, configs: await configsOf(broker, topicName(role, settings.topicPrefix)) };
    }),
  );
  const facts: AllFacts = { enrolled: enrolled!, retry: retry!, registered: registered!, dlq: dlq! };
  const problem =
    (settings.anyCounts ? null : countProblem(countsOf(facts), settings)) ?? settingProblem(facts, settings);
  if (problem !== null) return { ok: false, problem };
  const brokerCount = Math.max(...[...found.values()].map((layout) => layout.brokerCount));
  const unseen = topicRoles.filter((role) => facts[role].configs === null);
  const warnings = [
    ...unseenWarnings(unseen, settings),
    ...durabilityWarnings(facts, { ...settings, brokerCount, blockedMaxMs: settings.tenantBlockedMaxMs }),
  ];
  return { ok: true, partitionCount: facts.enrolled.partitionCount, warnings };
}

/** Null: there is no such topic. "refused": this client may not know. */
async function layoutOf(
  { cluster, clock }: SetUp,
  name: string,
  expected: boolean,
): Promise<Layout | null | "refused"> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const broker = await cluster.controller();
      const { brokers, topicMetadata } = await broker.metadata([name]);
      const partitions = topicMetadata.find((topic) => topic.topic === name)?.partitionMetadata;
      if (partitions === undefined) return null;
      const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
      return { partitionCount: partitions.length, replicas, brokerCount: brokers.length };
    } catch (error) {
      const type = protocolError(error);
      if (type === "UNKNOWN_TOPIC_OR_PARTITION" && !expected) return null;
      if (type === "TOPIC_AUTHORIZATION_FAILED") return "refused";
      // A topic that was just created is not known to all brokers immediately.
      if (attempt >= 50 || (type !== "LEADER_NOT_AVAILABLE" && type !== "UNKNOWN_TOPIC_OR_PARTITION"))
        throw error;
      await sleep(clock, 100);
    }
  }
}

/** Null: this client may not read them. */
async function configsOf(broker: Broker, name: string): Promise<ReadonlyMap<string, string> | null> {
  try {
    const { resources } = await broker.describeConfigs({
      resources: [{ type: topicResource, name, configNames }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue ?? ""]));
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

/** Creates what is missing, or says why not. */
async function createMissing(
  setUp: SetUp,
  missing: readonly Topic[],
  partitionCount: number,
): Promise<Problem | null> {
  const { settings } = setUp;
  const newTopics = missing.map((role) => ({ role, configs: configsFor(role, settings) }));
  const commands = createCommands(newTopics, { ...settings, partitionCount });
  const lost = missing.find((role) => role === "registered" || role === "retry");
  if (lost !== undefined && !missing.includes("enrolled") && (await hasCommitted(setUp, partitionCount)))
    return deletedProblem(lost, commands, settings); // 1
  if (settings.createTopics) return create(setUp, { missing, partitionCount, commands });
  const names = missing.map((role) => topicName(role, settings.topicPrefix)).join(", ");
  return {
    code: "topics-missing",
    message: `missing on the broker: ${names}`,
    fix: `type: export TOPICS_CREATE=true, or: ${commands}`,
  };
}

/** Did this group ever commit a position in the enrollments? */
async function hasCommitted(
  { cluster, settings: { groupId, topicPrefix }, clock }: SetUp,
  partitionCount: number,
): Promise<boolean> {
  const topic = topicName("enrolled", topicPrefix);
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ partition }));
  for (let attempt = 0; ; attempt += 1) {
    try {
      const broker = await cluster.coordinator(groupId);
      const { responses } = await broker.offsetFetch({ groupId, topics: [{ topic, partitions }] });
      return responses.some((response) => response.partitions.some(({ offset }) => Number(offset) >= 0));
    } catch (error) {
      const type = protocolError(error);
      // Who may not read the group's positions is none of its workers: `emit`, for one.
      if (type === "GROUP_AUTHORIZATION_FAILED") return false;
      // The first coordinator of a new cluster takes a moment.
      if (attempt >= 50 || type === null || !coordinatorErrors.has(type)) throw error;
      await sleep(clock, 100);
    }
  }
}

const coordinatorErrors: ReadonlySet<string> = new Set([
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
]);

function deletedProblem(role: Topic, commands: string, settings: TopicsSettings): Problem {
  const name = topicName(role, settings.topicPrefix);
  const what =
    role === "registered"
      ? "the memory of what is registered: each enrollment that is emitted again would make a second object"
      : "the enrollments that waited in it";
  return {
    code: "topic-deleted",
    message: `${name} is missing, but group ${settings.groupId} has worked with it: it was deleted, and with it ${what}`,
    fix: `restore it from a backup, each partition under its number. To continue without what it held, type: ${commands}`,
  };
}

async function create(
  { cluster, settings }: SetUp,
  { missing, partitionCount, commands }: Missing,
): Promise<Problem | null> {
  const broker = await cluster.controller();
  const replicationFactor = await replicationFactorOf(broker, settings);
  if (replicationFactor === null) {
    return {
      code: "topics-not-created",
      message:
        "topics can't be created: this client lacks the operation DescribeConfigs on the cluster, so it does not know the brokers' default.replication.factor",
      fix: `type: export TOPICS_REPLICATION_FACTOR=3 (or how many replicas the topics are to have), or: ${commands}`,
    };
  }
  const topics = missing.map((role) => ({
    topic: topicName(role, settings.topicPrefix),
    numPartitions: partitionCount,
    replicationFactor,
    configEntries: Object.entries(configsFor(role, settings)).map(([name, value]) => ({ name, value })),
  }));
  try {
    await broker.createTopics({ topics, timeout: createTimeoutMs });
    return null;
  } catch (error) {
    const type = protocolError(error);
    // Another worker was faster.
    if (type === "TOPIC_ALREADY_EXISTS") return null;
    if (type === null) throw error;
    const fix =
      type === "INVALID_REPLICATION_FACTOR"
        ? "type: export TOPICS_REPLICATION_FACTOR=1, or another number up to that of the brokers"
        : `let an administrator type: ${commands}; or grant this client the operation Create: ${grant(settings, "Create", topics[0]!.topic)}`;
    return { code: "topics-not-created", message: `topics can't be created: ${reasonOf(error)}`, fix };
  }
}

async function replicationFactorOf(broker: Broker, settings: TopicsSettings): Promise<number | null> {
  if (settings.replicationFactor > 0) return settings.replicationFactor;
  // Event Hubs replicates as it likes.
  return isEventHubs(settings) ? 1 : defaultReplicationFactor(broker);
}

/** The version of CreateTopics that kafkajs speaks has no word for "your default". Null: this client may not ask. */
async function defaultReplicationFactor(broker: Broker): Promise<number | null> {
  const names = ["default.replication.factor"];
  try {
    const { resources } = await broker.describeConfigs({
      resources: [{ type: brokerResource, name: String(broker.nodeId), configNames: names }],
    });
    return Number(resources[0]?.configEntries[0]?.configValue ?? 1);
  } catch (error) {
    if (protocolError(error) === "CLUSTER_AUTHORIZATION_FAILED") return null;
    throw error;
  }
}

function notAllowedProblem(role: Topic, settings: TopicsSettings): Problem {
  const name = topicName(role, settings.topicPrefix);
  return {
    code: "topic-not-allowed",
    message: `this client lacks the operation Describe on ${name}`,
    fix: `${grant(settings, "Describe", name)} (docs/OPERATING.md lists all that a worker needs)`,
  };
}
