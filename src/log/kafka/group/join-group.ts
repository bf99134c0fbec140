/** One round of joining the group: JoinGroup, the assignment if this member is the leader, SyncGroup. */
import { momentOf } from "../../../moment.ts";
import type { Clock } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { protocolError, reasonOf } from "../cluster/errors.ts";
import {
  assignPartitions,
  decodeAssignment,
  decodeClaim,
  decodeMembers,
  encodeAssignment,
  encodeClaim,
  isOfOtherTopics,
  protocolName,
} from "./assigner.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { instanceIdsRefused } from "./instance-id.ts";
import { memberRequests, takesInstanceIds } from "./member-requests.ts";

/** What this member held last; generation -1: nothing yet. */
export interface OwnClaim {
  readonly generation: number;
  readonly partitions: readonly number[];
}

export interface JoinRequest {
  readonly groupId: string;
  /** Null: a member without a place of its own. */
  readonly instanceId: string | null;
  /** As tools take it. */
  readonly bootstrap: string;
  readonly sessionTimeoutMs: number;
  readonly partitionCount: number;
  readonly topics: readonly string[];
  /** "" for a new member. */
  readonly memberId: string;
  readonly claim: OwnClaim;
}

export interface JoinPorts {
  readonly clock: Clock;
  /** Called as soon as the coordinator has given the id, so that it can be given back. */
  readonly onMemberId: (memberId: string) => void;
}

export interface Joined {
  readonly generationId: number;
  readonly partitions: readonly number[];
  /** That came into this generation by themselves, as far as it is known. */
  readonly memberIds: readonly string[];
  /** The broker counts SyncGroup as a heartbeat. */
  readonly sync: Heartbeat;
}

/** What no further attempt changes. */
export class GroupFault extends Error {}

export function checkPartitionCounts(
  cluster: ClusterConnection,
  topics: readonly string[],
  partitionCount: number,
): void {
  for (const topic of topics) {
    const found = cluster.partitionCount(topic);
    if (found === partitionCount) continue;
    // Deleted, and perhaps made again in a moment.
    if (found === 0) throw new Error(`there is no topic ${topic}`);
    throw new GroupFault(
      `${topic} has ${found} partitions, but had ${partitionCount} at the start: start again`,
    );
  }
}

export async function joinAndSync(
  broker: Broker,
  request: JoinRequest,
  { clock, onMemberId }: JoinPorts,
): Promise<Joined> {
  const { groupId, instanceId, sessionTimeoutMs, partitionCount, topics, claim } = request;
  if (instanceId !== null && !takesInstanceIds(broker.versions))
    throw new GroupFault(instanceIdsRefused(instanceId).message);
  const requests = memberRequests(broker, instanceId);
  const metadata = encodeClaim(topics, claim.generation, claim.partitions);
  const group = await requests.joinGroup({
    groupId,
    memberId: request.memberId,
    sessionTimeout: sessionTimeoutMs,
    // Longer than a session: being slow to rejoin must not lose partitions sooner than being silent does.
    rebalanceTimeout: sessionTimeoutMs * 2,
    groupProtocols: [{ name: protocolName, metadata }],
  });
  const { generationId, memberId } = group;
  onMemberId(memberId);
  // Members of the classic protocol always have a leader.
  if (group.leaderId === "") throw new GroupFault(assignedByBroker(request));
  let groupAssignment: { memberId: string; memberAssignment: Buffer }[] = [];
  if (group.leaderId === memberId) {
    const claims = group.members.map((member) => decodeClaim(member.memberId, member.memberMetadata));
    const memberIds = claims.map((member) => member.memberId);
    groupAssignment = [...assignPartitions(claims, partitionCount)].map(([member, partitions]) => ({
      memberId: member,
      memberAssignment: encodeAssignment(topics, partitions, memberIds),
    }));
  }
  const sync = { nodeId: broker.nodeId, sentAt: momentOf(clock) };
  const { memberAssignment } = await requests.syncGroup({ groupId, generationId, memberId, groupAssignment });
  const partitions = decodeAssignment(topics, memberAssignment);
  const isInherited = instanceId !== null && request.memberId === "";
  if (isInherited && isOfOtherTopics(topics, memberAssignment)) {
    // A new member makes the group assign again; one that takes a static place does not.
    await requests.leaveGroup({ groupId, memberId });
    onMemberId("");
    throw new Error(`the place of KAFKA_GROUP_INSTANCE_ID=${instanceId} was assigned for other topics`);
  }
  return { generationId, partitions, memberIds: decodeMembers(memberId, memberAssignment), sync };
}

/**
 * A consumer of KIP-848 made the group one of the new protocol while no worker was in it. The broker takes a worker in all the same, and
 * gives it partitions that are not the same of every topic.
 */
function assignedByBroker({ groupId, bootstrap }: JoinRequest): string {
  return (
    `group ${groupId} is used by consumers of the new group protocol (group.protocol=consumer), for whom the broker assigns ` +
    `partitions; workers assign theirs themselves. To see them, type: kafka-consumer-groups.sh --bootstrap-server ${bootstrap} ` +
    `--describe --group ${groupId} --members. Stop them, or give the workers a group of their own: KAFKA_GROUP_ID.`
  );
}

/** What has to be changed before this worker can be a member, or read what it was assigned. */
export function refused(reason: string): { readonly reason: string; readonly problem: Problem } {
  const problem = {
    code: "membership-refused",
    message: `The worker can't continue to read from the log: ${reason}`,
    fix: "Correct that, then start it again. Nothing is lost: it continues from what is committed.",
  };
  return { reason, problem };
}

export function refusalReason(
  error: unknown,
  request: { groupId: string; sessionTimeoutMs: number },
): string {
  const { groupId, sessionTimeoutMs } = request;
  switch (protocolError(error)) {
    case "INCONSISTENT_GROUP_PROTOCOL":
      return `group ${groupId} is used by consumers of another kind; give the workers a group of their own: KAFKA_GROUP_ID`;
    case "INVALID_SESSION_TIMEOUT":
      return (
        `the broker refuses KAFKA_SESSION_TIMEOUT_MS=${sessionTimeoutMs}; set it between the broker's ` +
        "group.min.session.timeout.ms and group.max.session.timeout.ms"
      );
    default:
      return `group ${groupId}: ${reasonOf(error)}`;
  }
}
