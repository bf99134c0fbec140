/**
 * What to type about topics and rights: with Apache Kafka's tools, or with Azure's where the brokers are Event Hubs. Pure.
 *
 * 1. No advice removes records that may still be needed.
 */
import { topicName } from "../../../domain/topics.ts";
import type { Topic } from "../../../ports.ts";
import type { KafkaFlavor } from "../flavor.ts";

export interface CommandTarget {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  /** Default: Apache Kafka. */
  readonly flavor?: KafkaFlavor;
}

export const template = "deploy/azure/event-hubs.bicep";
const section = 'docs/OPERATING.md, "Azure Event Hubs"';

export function isEventHubs({ flavor }: CommandTarget): boolean {
  return flavor === "event-hubs";
}

/** The line that changes a setting of a topic. */
export function alter(target: CommandTarget, role: Topic, entry: string): string {
  const name = topicName(role, target.topicPrefix);
  if (isEventHubs(target)) return alterEventHub(name, entry);
  return (
    `kafka-configs.sh --bootstrap-server ${target.brokers[0]} --alter --entity-type topics ` +
    `--entity-name ${name} --add-config ${entry}`
  );
}

function alterEventHub(name: string, entry: string): string {
  const [setting, value] = entry.split("=");
  if (setting === "retention.ms") {
    const hours = Math.ceil(Number(value) / 3_600_000);
    return `set the retention time of event hub ${name} to ${hours} hours, in the Azure portal under its properties or by retentionHours of ${template} (Standard keeps up to 168, Premium up to 2160)`;
  }
  return (
    `an event hub keeps the cleanup policy that it was made with: make all four under another prefix by ${template}, copy what is in ` +
    `these, and set KAFKA_TOPIC_PREFIX to it (${section})`
  );
}

/** The line that lets this client do something with a topic. */
export function grant(target: CommandTarget, operation: string | readonly string[], name: string): string {
  if (isEventHubs(target)) {
    const role = operation === "Create" ? "Owner" : operation === "Write" ? "Sender" : "Receiver";
    return `az role assignment create --role 'Azure Event Hubs Data ${role}' --assignee '<this client's id>' --scope '<resource id of the namespace>'`;
  }
  const operations = [operation].flat().map((one) => `--operation ${one}`);
  return `${aclCommand(target)} ${operations.join(" ")} --topic ${name}`;
}

/** The line that lets this client do something with a consumer group. */
export function grantOnGroup(target: CommandTarget, operation: string, groupId: string): string {
  const name = /^[\w.-]+$/.test(groupId) ? groupId : `'${groupId.replaceAll("'", `'\\''`)}'`;
  return `${aclCommand(target)} --operation ${operation} --group ${name}`;
}

function aclCommand({ brokers }: CommandTarget): string {
  return `kafka-acls.sh --bootstrap-server ${brokers[0]} --add --allow-principal User:<this client's>`;
}

export interface NewTopic {
  readonly role: Topic;
  readonly configs: Readonly<Record<string, string>>;
}

export interface NewTopics extends CommandTarget {
  readonly partitionCount: number;
  /** Below 1: the broker's default. */
  readonly replicationFactor: number;
}

/** The lines that make topics. */
export function createCommands(topics: readonly NewTopic[], target: NewTopics): string {
  if (isEventHubs(target)) return deployCommand(target);
  return topics.map((topic) => createCommand(topic, target)).join(" && ");
}

function createCommand({ role, configs }: NewTopic, target: NewTopics): string {
  const { partitionCount, replicationFactor } = target;
  const entries = Object.entries(configs).map(([name, value]) => ` --config ${name}=${value}`);
  const factor = replicationFactor < 1 ? "" : ` --replication-factor ${replicationFactor}`;
  return (
    `kafka-topics.sh --bootstrap-server ${target.brokers[0]} --create --topic ${topicName(role, target.topicPrefix)} ` +
    `--partitions ${partitionCount}${factor}${entries.join("")}`
  );
}

/** It leaves those that are there as they are. */
function deployCommand({ brokers, topicPrefix, partitionCount }: NewTopics): string {
  const namespace = brokers[0]?.split(".")[0] ?? "";
  const prefix = topicPrefix === "" ? "" : ` topicPrefix=${topicPrefix}`;
  return (
    `az deployment group create --resource-group '<resource group>' --template-file ${template} ` +
    `--parameters namespaceName=${namespace} partitionCount=${partitionCount}${prefix}`
  );
}
