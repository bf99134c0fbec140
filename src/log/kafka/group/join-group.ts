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
  encodeAssignment,
  encodeClaim,
  protocolName,
} from "./assigner.ts";
import type { Heartbeat } from "./heartbeat.ts";

/** What this member held last; generation -1: nothing yet. */
export interface OwnClaim {
  readonly generation: number;
  readonly partitions: readonly number[];
}

export interface JoinRequest {
  readonly groupId: string;
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
  const { groupId, sessionTimeoutMs, partitionCount, topics, claim } = request;
  const metadata = encodeClaim(topics, claim.generation, claim.partitions);
  const group = await broker.joinGroup({
    groupId,
    memberId: request.memberId,
    sessionTimeout: sessionTimeoutMs,
    // Longer than a session: being slow to rejoin must not lose partitions sooner than being silent does.
    rebalanceTimeout: sessionTimeoutMs * 2,
    groupProtocols: [{ name: protocolName, metadata }],
  });
  const { generationId, memberId } = group;
  onMemberId(memberId);
  let groupAssignment: { memberId: string; memberAssignment: Buffer }[] = [];
  if (group.leaderId === memberId) {
    const claims = group.members.map((member) => decodeClaim(member.memberId, member.memberMetadata));
    groupAssignment = [...assignPartitions(claims, partitionCount)].map(([member, partitions]) => ({
      memberId: member,
      memberAssignment: encodeAssignment(topics, partitions),
    }));
  }
  const sync = { nodeId: broker.nodeId, sentAt: momentOf(clock) };
  const { memberAssignment } = await broker.syncGroup({ groupId, generationId, memberId, groupAssignment });
  return { generationId, partitions: decodeAssignment(topics, memberAssignment), sync };
}

/** What somebody has to change before this worker can be a member, or read what it was given. */
export function refused(reason: string): { readonly reason: string; readonly problem: Problem } {
  const problem = {
    code: "membership-refused",
    message: `The worker can't go on reading from the log: ${reason}`,
    fix: "Put that right, then start it again. Nothing is lost: it goes on from what is committed.",
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
