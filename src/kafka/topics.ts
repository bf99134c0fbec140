/** The four topics: created where they are missing, and checked for what the worker relies on. */
import { topicName } from "../domain/topics.ts";
import type { Clock, Topic } from "../ports.ts";
import type { Wire } from "./client.ts";
import { protocolError, reasonOf } from "./errors.ts";
import type { Node } from "./node.ts";
import { delay } from "./reader.ts";

export interface TopicsSettings {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly partitionCount: number;
  /** Below 1: the broker's default. */
  readonly replicationFactor: number;
  readonly createTopics: boolean;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  /** What to type. */
  readonly fix: string;
}

export type TopicsResult =
  | { readonly ok: true; readonly partitionCount: number }
  | { readonly ok: false; readonly problem: Problem };

const roles: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];
/** Room for what a record gains on its way into retry or the DLQ: headers that say where it came from and why. */
const headerRoomBytes = 64 * 1024;
const largerMessageBytes = 2 * 1024 * 1024;
const topicResource = 2;
const brokerResource = 4;
const createTimeoutMs = 10_000;

const configs: Readonly<Record<Topic, Readonly<Record<string, string>>>> = {
  enrolled: {},
  retry: { "max.message.bytes": String(largerMessageBytes) },
  registered: { "cleanup.policy": "compact" },
  dlq: { "retention.ms": "-1", "max.message.bytes": String(largerMessageBytes) },
};

export async function prepareTopics(
  wire: Wire,
  settings: TopicsSettings,
  clock: Clock,
): Promise<TopicsResult> {
  const counts = new Map<Topic, number>();
  const missing: Topic[] = [];
  for (const role of roles) {
    const count = await partitionCountOf(wire, topicName(role, settings.topicPrefix), clock);
    if (count === null) missing.push(role);
    else counts.set(role, count);
  }
  // New ones follow those that are there already.
  const partitionCount = counts.get("enrolled") ?? counts.get("registered") ?? settings.partitionCount;
  if (missing.length > 0 && !settings.createTopics) {
    const [first] = missing as [Topic];
    const names = missing.map((role) => topicName(role, settings.topicPrefix)).join(", ");
    return problem(
      "topics-missing",
      `missing on the broker: ${names}`,
      `set TOPICS_CREATE=true, or type: ${createCommand(first, partitionCount, settings)}`,
    );
  }
  if (missing.length > 0) {
    const failure = await create(wire, missing, partitionCount, settings);
    if (failure) return failure;
    for (const role of missing) {
      counts.set(
        role,
        (await partitionCountOf(wire, topicName(role, settings.topicPrefix), clock, true)) ?? 0,
      );
    }
  }
  return (
    checkCounts(counts, partitionCount, settings) ??
    (await checkConfigs(wire, settings)) ?? { ok: true, partitionCount }
  );
}

/** Null: there is no such topic. */
async function partitionCountOf(
  wire: Wire,
  name: string,
  clock: Clock,
  expected = false,
): Promise<number | null> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const node = await wire.controller();
      const { topicMetadata } = await node.metadata([name]);
      return topicMetadata.find((topic) => topic.topic === name)?.partitionMetadata.length ?? null;
    } catch (error) {
      const type = protocolError(error);
      if (type === "UNKNOWN_TOPIC_OR_PARTITION" && !expected) return null;
      // A topic that was just created is not known everywhere at once.
      if (attempt >= 50 || (type !== "LEADER_NOT_AVAILABLE" && type !== "UNKNOWN_TOPIC_OR_PARTITION"))
        throw error;
      await delay(clock, 100);
    }
  }
}

async function create(
  wire: Wire,
  missing: readonly Topic[],
  partitionCount: number,
  settings: TopicsSettings,
): Promise<TopicsResult | null> {
  const node = await wire.controller();
  const replicationFactor =
    settings.replicationFactor > 0 ? settings.replicationFactor : await defaultReplicationFactor(node);
  const topics = missing.map((role) => ({
    topic: topicName(role, settings.topicPrefix),
    numPartitions: partitionCount,
    replicationFactor,
    configEntries: Object.entries(configs[role]).map(([name, value]) => ({ name, value })),
  }));
  try {
    await node.createTopics({ topics, timeout: createTimeoutMs });
    return null;
  } catch (error) {
    const type = protocolError(error);
    // Another worker was faster.
    if (type === "TOPIC_ALREADY_EXISTS") return null;
    if (type === null) throw error;
    const fix =
      type === "INVALID_REPLICATION_FACTOR"
        ? `set TOPICS_REPLICATION_FACTOR to at most the number of brokers`
        : `grant this client the right to create topics, or type: ${createCommand(missing[0]!, partitionCount, settings)}`;
    return problem("topics-not-created", `topics can't be created: ${reasonOf(error)}`, fix);
  }
}

/** The version of CreateTopics that kafkajs speaks has no word for "your default". */
async function defaultReplicationFactor(node: Node): Promise<number> {
  const configNames = ["default.replication.factor"];
  const request = { resources: [{ type: brokerResource, name: String(node.nodeId), configNames }] };
  const { resources } = await node.describeConfigs(request);
  return Number(resources[0]?.configEntries[0]?.configValue ?? 1);
}

function checkCounts(
  counts: ReadonlyMap<Topic, number>,
  partitionCount: number,
  settings: TopicsSettings,
): TopicsResult | null {
  for (const role of roles) {
    const count = counts.get(role) ?? 0;
    // A dead letter goes to the partition number that its record had.
    if (role === "dlq" ? count >= partitionCount : count === partitionCount) continue;
    const name = topicName(role, settings.topicPrefix);
    const enrolled = topicName("enrolled", settings.topicPrefix);
    const fewer = count < partitionCount;
    return problem(
      "topic-partitions",
      `${name} has ${count} partitions, ${enrolled} has ${partitionCount}; the numbers must be equal`,
      fewer
        ? `kafka-topics.sh --bootstrap-server ${settings.brokers[0]} --alter --topic ${name} --partitions ${partitionCount}`
        : `stop every worker, then delete ${name} and type: ${createCommand(role, partitionCount, settings)}`,
    );
  }
  return null;
}

async function checkConfigs(wire: Wire, settings: TopicsSettings): Promise<TopicsResult | null> {
  const configNames = ["cleanup.policy", "max.message.bytes"];
  const names = new Map(roles.map((role) => [topicName(role, settings.topicPrefix), role]));
  const node = await wire.controller();
  const { resources } = await node.describeConfigs({
    resources: [...names.keys()].map((name) => ({ type: topicResource, name, configNames })),
  });
  const configOf = (role: Topic, config: string) =>
    resources
      .find((resource) => names.get(resource.resourceName) === role)
      ?.configEntries.find((entry) => entry.configName === config)?.configValue ?? null;
  const alter = (role: Topic, entry: string) =>
    `kafka-configs.sh --bootstrap-server ${settings.brokers[0]} --alter --entity-type topics ` +
    `--entity-name ${topicName(role, settings.topicPrefix)} --add-config ${entry}`;
  for (const role of roles) {
    const policy = configOf(role, "cleanup.policy");
    const wanted = role === "registered" ? "compact" : "delete";
    if (policy === null || policy === wanted) continue;
    const why =
      role === "registered"
        ? "it is the memory of what was registered, so nothing in it may expire"
        : "compaction would remove records that share a key";
    return problem(
      "topic-cleanup-policy",
      `${topicName(role, settings.topicPrefix)} has cleanup.policy=${policy} instead of ${wanted}: ${why}`,
      alter(role, `cleanup.policy=${wanted}`),
    );
  }
  const inputBytes = Number(configOf("enrolled", "max.message.bytes") ?? 0);
  for (const role of ["retry", "dlq"] as const) {
    const bytes = Number(configOf(role, "max.message.bytes") ?? Number.POSITIVE_INFINITY);
    if (bytes >= inputBytes + headerRoomBytes) continue;
    return problem(
      "topic-message-bytes",
      `${topicName(role, settings.topicPrefix)} takes records of ${bytes} bytes, too few for the largest of ` +
        `${topicName("enrolled", settings.topicPrefix)} (${inputBytes}) with the headers added to it`,
      alter(role, `max.message.bytes=${Math.max(largerMessageBytes, inputBytes * 2)}`),
    );
  }
  return null;
}

function createCommand(role: Topic, partitionCount: number, settings: TopicsSettings): string {
  const entries = Object.entries(configs[role]).map(([name, value]) => ` --config ${name}=${value}`);
  const factor = settings.replicationFactor < 1 ? "" : ` --replication-factor ${settings.replicationFactor}`;
  return (
    `kafka-topics.sh --bootstrap-server ${settings.brokers[0]} --create --topic ${topicName(role, settings.topicPrefix)} ` +
    `--partitions ${partitionCount}${factor}${entries.join("")}`
  );
}

function problem(code: string, message: string, fix: string): TopicsResult {
  return { ok: false, problem: { code, message, fix } };
}
