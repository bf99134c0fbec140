/** What to do about a batch that can't be read: safe by topic, and with what it loses. */
import type { Topic } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { BatchError } from "./record-batch.ts";

/** What the commands to type need. */
export interface ReadContext {
  readonly role: Topic;
  readonly topic: string;
  readonly partition: number;
  readonly bootstrap: string;
  readonly groupId: string;
}

export function unreadableBatch(error: BatchError, context: ReadContext): Problem {
  const { topic, partition } = context;
  return {
    code: "batch-unreadable",
    message: `The batch at ${topic}/${partition}@${error.offset} can't be read: ${error.message}.`,
    fix: `${fromAnotherReplica(context)} ${otherwise(error, context)}`,
  };
}

function fromAnotherReplica({ topic, partition, bootstrap }: ReadContext): string {
  return (
    `If another replica is in sync, its copy may be whole: kafka-topics.sh --bootstrap-server ${bootstrap} --describe --topic ${topic} ` +
    `names the leader of partition ${partition}; stop that broker, and start this again.`
  );
}

function otherwise(
  { offset, nextOffset }: BatchError,
  { role, topic, partition, bootstrap, groupId }: ReadContext,
): string {
  if (role === "registered") {
    return (
      "Otherwise restore the topic from a backup. Delete and skip nothing of it: what stands there would be registered " +
      "a second time."
    );
  }
  if (role === "dlq") {
    return "Otherwise read on behind it with another consumer; the dead letters in it are lost to this command only.";
  }
  return (
    `Otherwise keep a copy of the partition's files in the broker's log.dirs, stop every worker of group ${groupId}, and skip it: ` +
    `kafka-consumer-groups.sh --bootstrap-server ${bootstrap} --group ${groupId} --topic ${topic}:${partition} ` +
    `--reset-offsets --to-offset ${nextOffset} --execute. The enrollments at offsets ${offset} to ${nextOffset - 1} that ` +
    "connector.registered does not hold are then never registered: emit them again."
  );
}
