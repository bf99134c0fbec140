/** What a member with a place of its own (KAFKA_GROUP_INSTANCE_ID, Kafka's group.instance.id) can meet, for people. */
import type { Problem } from "../../../problem.ts";

export function instanceIdsRefused(instanceId: string): Problem {
  return {
    code: "instance-id-unknown",
    message: `The brokers do not know static members (Kafka has them from 2.4 on), and KAFKA_GROUP_INSTANCE_ID=${instanceId} is set.`,
    fix: "Type: unset KAFKA_GROUP_INSTANCE_ID",
  };
}

export const instanceIdsUntried: Problem = {
  code: "instance-id-untried",
  message:
    "Event Hubs' documentation does not say whether it keeps the place of a static member (KAFKA_GROUP_INSTANCE_ID); where it does not, a restart costs a rebalance, as without it",
  fix: "to go without, type: unset KAFKA_GROUP_INSTANCE_ID",
};

/** The process that joins last under an id has its place; nothing is to be done where that is this worker's own successor. */
export function instanceIdTaken(groupId: string, instanceId: string): Problem {
  return {
    code: "instance-id-taken",
    message: `Another process has joined group ${groupId} as KAFKA_GROUP_INSTANCE_ID=${instanceId}: this one has lost its partitions to it.`,
    fix:
      "If that is a worker of its own, give each worker an id that no other has: export KAFKA_GROUP_INSTANCE_ID='<name of this worker>', then start " +
      "this one again. If it took this one's place, nothing is to be done.",
  };
}
