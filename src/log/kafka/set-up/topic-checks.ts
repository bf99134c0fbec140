/**
 * What the worker relies on in the settings of the four topics (problems), and what it only warns of (warnings), each with what
 * to type. Pure.
 *
 * 1. No advice removes records that may still be needed: it neither deletes a topic, nor lowers a retention or a size, nor
 *    changes a partition count by hand once the topics were used.
 * 2. What this client may not see is not a problem: it is skipped, with a note.
 */
import { areEqual, leastTarget, type PartitionCounts } from "../../../domain/partition-counts.ts";
import { topicName, topics } from "../../../domain/topics.ts";
import type { Topic } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import { alter, type CommandTarget, grant, isEventHubs, template } from "./advice.ts";

export interface TopicFacts {
  readonly partitionCount: number;
  /** Of the partition that has the fewest. */
  readonly replicas: number;
  /** Null: this client may not read them. */
  readonly configs: ReadonlyMap<string, string> | null;
}

export type AllFacts = Readonly<Record<Topic, TopicFacts>>;

/** Room for what a record gains on its way into retry or the DLQ: headers that say where it came from and why. */
const headerRoomBytes = 64 * 1024;
export const largerMessageBytes = 2 * 1024 * 1024;
const dayMs = 86_400_000;
const leastRetentionMs = 7 * dayMs;

/** The settings that are looked at. */
export const configNames = [
  "cleanup.policy",
  "max.message.bytes",
  "min.insync.replicas",
  "unclean.leader.election.enable",
  "retention.ms",
  "retention.bytes",
];

export function countsOf(facts: AllFacts): PartitionCounts {
  const { enrolled, retry, registered, dlq } = facts;
  return {
    enrolled: enrolled.partitionCount,
    retry: retry.partitionCount,
    registered: registered.partitionCount,
    dlq: dlq.partitionCount,
  };
}

/** There, a change of the count is refused (Standard) or resets compaction (Premium). */
const sameCounts = `make all four with one partition count under another prefix by ${template}, copy what is in these, and set KAFKA_TOPIC_PREFIX to it (docs/OPERATING.md, "Azure Event Hubs")`;

/** Null: the numbers are as they must be. */
export function countProblem(counts: PartitionCounts, target: CommandTarget): Problem | null {
  if (areEqual(counts)) return null;
  const shown = topics.map((role) => `${topicName(role, target.topicPrefix)} ${counts[role]}`).join(", ");
  return {
    code: "topic-partitions",
    message:
      `the partition counts differ: ${shown}; those of the first three must be equal, and that of the dead letters at least ` +
      "as large. A tenant's partition follows from the number, so what is registered of it has to move along",
    fix: isEventHubs(target)
      ? sameCounts
      : `stop every worker, then type: connector-registrar repartition --partitions ${leastTarget(counts)}`,
  };
}

export function settingProblem(facts: AllFacts, target: CommandTarget): Problem | null {
  for (const role of topics) {
    const policy = facts[role].configs?.get("cleanup.policy");
    const wanted = role === "registered" ? "compact" : "delete";
    if (policy === undefined || policy === wanted) continue;
    const why =
      role === "registered"
        ? "it is the memory of what was registered, so nothing in it may expire"
        : "compaction removes records that share a key";
    return {
      code: "topic-cleanup-policy",
      message: `${topicName(role, target.topicPrefix)} has cleanup.policy=${policy} instead of ${wanted}: ${why}`,
      fix: alter(target, role, `cleanup.policy=${wanted}`),
    };
  }
  // All event hubs of a namespace have the same limit for records, which can't be changed.
  if (isEventHubs(target)) return null;
  const inputBytes = numberOf(facts.enrolled, "max.message.bytes") ?? 0;
  for (const role of ["retry", "dlq"] as const) {
    const bytes = numberOf(facts[role], "max.message.bytes") ?? Number.POSITIVE_INFINITY;
    if (bytes >= inputBytes + headerRoomBytes) continue;
    return {
      code: "topic-message-bytes",
      message:
        `${topicName(role, target.topicPrefix)} takes records of ${bytes} bytes, too few for the largest of ` +
        `${topicName("enrolled", target.topicPrefix)} (${inputBytes}) with the headers added to it`,
      fix: alter(target, role, `max.message.bytes=${Math.max(largerMessageBytes, inputBytes * 2)}`),
    };
  }
  return null;
}

export interface Surroundings extends CommandTarget {
  readonly brokerCount: number;
  /** How long a blocked tenant's records wait before they are dead-lettered. */
  readonly blockedMaxMs: number;
}

export function durabilityWarnings(facts: AllFacts, surroundings: Surroundings): Problem[] {
  return topics.flatMap((role) => [
    ...(isEventHubs(surroundings)
      ? []
      : [
          ...replicaWarnings(role, facts[role], surroundings),
          ...electionWarnings(role, facts[role], surroundings),
        ]),
    ...(role === "enrolled" || role === "retry" ? retentionWarnings(role, facts[role], surroundings) : []),
  ]);
}

function replicaWarnings(role: Topic, facts: TopicFacts, target: Surroundings): Problem[] {
  const { brokerCount } = target;
  const { replicas } = facts;
  const name = topicName(role, target.topicPrefix);
  if (brokerCount > 1 && replicas === 1) {
    const message = `${name} has one replica on a cluster of ${brokerCount} brokers: when that broker's disk is lost, so are its records`;
    const fix = `give it ${Math.min(3, brokerCount)} replicas with kafka-reassign-partitions.sh, as docs/OPERATING.md says under "More replicas"`;
    return [{ code: "topic-replicas", message, fix }];
  }
  const inSync = numberOf(facts, "min.insync.replicas");
  if (inSync === null || replicas < 2) return [];
  if (replicas >= 3 && inSync < 2) {
    const message = `${name} has min.insync.replicas=${inSync} with ${replicas} replicas: what is acknowledged may be on one broker only, and lost with it`;
    return [{ code: "topic-in-sync", message, fix: alter(target, role, "min.insync.replicas=2") }];
  }
  if (inSync < replicas) return [];
  const message = `${name} has min.insync.replicas=${inSync} with ${replicas} replicas: while any of its brokers is down, nothing can be appended`;
  const fix =
    replicas >= 3
      ? alter(target, role, `min.insync.replicas=${replicas - 1}`)
      : 'give it 3 replicas with kafka-reassign-partitions.sh, as docs/OPERATING.md says under "More replicas"';
  return [{ code: "topic-in-sync", message, fix }];
}

function electionWarnings(role: Topic, facts: TopicFacts, target: CommandTarget): Problem[] {
  if (facts.replicas < 2 || facts.configs?.get("unclean.leader.election.enable") !== "true") return [];
  const message = `${topicName(role, target.topicPrefix)} has unclean.leader.election.enable=true: a replica that lacks acknowledged records may become leader, and they are lost`;
  const fix = alter(target, role, "unclean.leader.election.enable=false");
  return [{ code: "topic-unclean-election", message, fix }];
}

function retentionWarnings(role: "enrolled" | "retry", facts: TopicFacts, target: Surroundings): Problem[] {
  const { blockedMaxMs } = target;
  const name = topicName(role, target.topicPrefix);
  const warnings: Problem[] = [];
  const keptMs = numberOf(facts, "retention.ms");
  // Twice: the time for which a tenant is blocked begins again when its worker starts again.
  if (keptMs !== null && keptMs >= 0 && keptMs < 2 * blockedMaxMs) {
    warnings.push({
      code: "topic-retention",
      message:
        `${name} keeps records for ${inHours(keptMs)} (retention.ms=${keptMs}), and those of a blocked tenant wait for up to ` +
        `TENANT_BLOCKED_MAX (${inHours(blockedMaxMs)}), longer when workers start again: they can be deleted before they are settled`,
      fix: alter(target, role, `retention.ms=${Math.max(leastRetentionMs, 4 * blockedMaxMs)}`),
    });
  }
  const keptBytes = numberOf(facts, "retention.bytes");
  if (keptBytes !== null && keptBytes >= 0 && !isEventHubs(target)) {
    const message = `${name} has retention.bytes=${keptBytes}: a larger backlog loses records that are not settled`;
    warnings.push({ code: "topic-retention", message, fix: alter(target, role, "retention.bytes=-1") });
  }
  return warnings;
}

/** 2 */
export function unseenWarnings(roles: readonly Topic[], target: CommandTarget): Problem[] {
  if (roles.length === 0) return [];
  const names = roles.map((role) => topicName(role, target.topicPrefix));
  if (isEventHubs(target)) {
    const registered = topicName("registered", target.topicPrefix);
    const message = `the settings of ${names.join(", ")} can't be read through Event Hubs`;
    const fix = `look in the Azure portal: the cleanup policy of ${registered} must be Compact (Basic has none), that of the others Delete, with a retention time longer than twice TENANT_BLOCKED_MAX`;
    return [{ code: "topic-settings-unseen", message, fix }];
  }
  return names.map((name) => ({
    code: "topic-settings-unseen",
    message: `the settings of ${name} can't be checked: this client lacks the operation DescribeConfigs on it`,
    fix: grant(target, "DescribeConfigs", name),
  }));
}

function numberOf(facts: TopicFacts, config: string): number | null {
  const value = facts.configs?.get(config);
  return value === undefined || value === "" ? null : Number(value);
}

function inHours(ms: number): string {
  return ms % dayMs === 0 ? `${ms / dayMs} d` : `${Math.round(ms / 36_000) / 100} h`;
}
