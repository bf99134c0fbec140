/**
 * Other consumer groups that do, or did, a worker's job on the same topics. A group knows nothing of what another one has
 * attempted, so two at a time make each object twice, and one that follows another takes records in doubt for new ones.
 *
 * 1. A group counts only if its commits carry a worker's watermark. Others (a lag exporter, a copy job) may read what they like.
 * 2. Another group is in the way while it has members, or while it left records that it may have attempted and has not settled.
 * 3. Groups that this client may not list are skipped, with a note.
 */
import type { Problem } from "../../../problem.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isUnreadable, protocolError } from "../cluster/errors.ts";
import { listBounds, type TopicPartition } from "../fetch/offsets.ts";

export interface GroupCheck {
  readonly groupId: string;
  /** Names of the topics that workers consume. */
  readonly inputs: readonly string[];
  readonly partitionCount: number;
  /** The watermark in a commit's metadata; null: no worker wrote it. */
  readonly attemptedThroughOf: (metadata: string) => number | null;
}

export interface GroupsResult {
  readonly problem: Problem | null;
  readonly warnings: readonly Problem[];
}

/** Where a partition's log ends. */
export type PartitionEnd = TopicPartition & { readonly end: number };

export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly attemptedThrough: number;
}

export interface OtherGroup {
  readonly groupId: string;
  readonly members: number;
  readonly positions: readonly Position[];
}

const groupsMax = 2_000;

/** `cluster` knows the input topics. */
export async function checkGroups(cluster: ClusterConnection, check: GroupCheck): Promise<GroupsResult> {
  const unseen: string[] = [];
  const others = await findOthers(cluster, check, unseen);
  const warnings = unseen.length === 0 ? [] : [unseenGroups(unseen)]; // 3
  if (others.length === 0) return { problem: null, warnings };
  const isAnyAhead = others.some(({ positions }) => positions.some(isAhead));
  const ends = isAnyAhead ? await listEnds(cluster, check) : [];
  const own = await positionsOf(await cluster.coordinator(check.groupId), check.groupId, check);
  const judged = judgeGroups(check.groupId, { others, ends, isNew: own.length === 0 });
  return { ...judged, warnings: [...warnings, ...judged.warnings] };
}

function unseenGroups(unseen: readonly string[]): Problem {
  const [first] = unseen;
  const more = unseen.length === 1 ? "" : ` and ${unseen.length - 1} more`;
  return {
    code: "groups-unseen",
    message: `it can't be checked whether another consumer group works on the same topics: this client lacks the operation Describe on ${first}${more}`,
    fix: "grant this client the operation Describe on the cluster and on groups (docs/OPERATING.md lists all that a worker needs)",
  };
}

export interface FoundGroups {
  readonly others: readonly OtherGroup[];
  readonly ends: readonly PartitionEnd[];
  /** This group has committed nothing yet. */
  readonly isNew: boolean;
}

/** Pure. */
export function judgeGroups(groupId: string, { others, ends, isNew }: FoundGroups): GroupsResult {
  for (const other of others) {
    const problem = membersProblem(groupId, other) ?? doubtProblem(groupId, other, ends);
    if (problem !== null) return { problem, warnings: [] }; // 2
  }
  const [former] = others;
  if (former === undefined || !isNew) return { problem: null, warnings: [] };
  const message = `KAFKA_GROUP_ID=${groupId} has no positions yet, while group ${former.groupId} has settled records of these topics: all that is still in them is looked up again`;
  const fix = `to continue where ${former.groupId} stopped, type: export KAFKA_GROUP_ID=${former.groupId}`;
  return { problem: null, warnings: [{ code: "group-new", message, fix }] };
}

function membersProblem(groupId: string, other: OtherGroup): Problem | null {
  if (other.members === 0) return null;
  return {
    code: "group-changed",
    message:
      `group ${other.groupId} works on these topics with ${other.members} ${other.members === 1 ? "worker" : "workers"}, and ` +
      `KAFKA_GROUP_ID=${groupId} would do the same work a second time: two objects for each enrollment`,
    fix:
      `to share the work, type: export KAFKA_GROUP_ID=${other.groupId}. To take it over under another name, let the others settle all ` +
      "(lag 0), stop them with SIGTERM, and start again",
  };
}

function doubtProblem(groupId: string, other: OtherGroup, ends: readonly PartitionEnd[]): Problem | null {
  const doubtful = other.positions.flatMap((position) => {
    const end =
      ends.find(({ topic, partition }) => topic === position.topic && partition === position.partition)
        ?.end ?? 0;
    const count = Math.min(position.attemptedThrough, end) - position.offset;
    return count > 0 ? [{ ...position, count }] : [];
  });
  const [first] = doubtful;
  if (first === undefined) return null;
  const count = doubtful.reduce((sum, each) => sum + each.count, 0);
  return {
    code: "group-changed",
    message:
      `group ${other.groupId} has left ${count} ${count === 1 ? "record" : "records"} that it may have posted and has not settled ` +
      `(the first: ${first.topic}/${first.partition} at ${first.offset}), and KAFKA_GROUP_ID=${groupId} knows nothing of that: ` +
      "they could be posted a second time",
    fix:
      `type: export KAFKA_GROUP_ID=${other.groupId}. To change the name, start workers under ${other.groupId} first, wait for ` +
      "lag 0, stop them with SIGTERM, then start under the new one",
  };
}

/** @param unseen gets what may not be looked into. */
async function findOthers(
  cluster: ClusterConnection,
  check: GroupCheck,
  unseen: string[],
): Promise<OtherGroup[]> {
  const controller = await cluster.controller();
  const { brokers } = await controller.metadata([check.inputs[0]!]);
  const found = await Promise.all(
    brokers.map(async ({ nodeId }) => {
      const broker = await cluster.broker(nodeId);
      const groups = await listGroups(broker, unseen);
      const others = await Promise.all(
        groups
          .filter((groupId) => groupId !== check.groupId)
          .slice(0, groupsMax)
          .map((groupId) => inspectGroup(broker, groupId, { ...check, unseen })),
      );
      return others.filter((other) => other !== null);
    }),
  );
  return found.flat();
}

async function listGroups(broker: Broker, unseen: string[]): Promise<string[]> {
  try {
    const { groups } = await broker.listGroups();
    // "": it never had members, only commits.
    return groups
      .filter(({ protocolType }) => protocolType === "consumer" || protocolType === "")
      .map(({ groupId }) => groupId);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    unseen.push("the cluster");
    return [];
  }
}

/** Null: no worker's group. A broker lists the groups that it coordinates itself. */
async function inspectGroup(
  broker: Broker,
  groupId: string,
  { unseen, ...check }: GroupCheck & { readonly unseen: string[] },
): Promise<OtherGroup | null> {
  try {
    const positions = await positionsOf(broker, groupId, check);
    if (positions.length === 0) return null; // 1
    const { groups } = await broker.describeGroups({ groupIds: [groupId] });
    return { groupId, members: groups[0]?.members.length ?? 0, positions };
  } catch (error) {
    const type = protocolError(error);
    if (type === null) throw error;
    if (type === "GROUP_AUTHORIZATION_FAILED") unseen.push(`group ${groupId}`);
    // Otherwise it has just moved to another coordinator, which lists it.
    return null;
  }
}

async function positionsOf(broker: Broker, groupId: string, check: GroupCheck): Promise<Position[]> {
  const partitions = Array.from({ length: check.partitionCount }, (_, partition) => ({ partition }));
  const topics = check.inputs.map((topic) => ({ topic, partitions }));
  const { responses } = await broker.offsetFetch({ groupId, topics });
  return responses.flatMap(({ topic, partitions: stored }) =>
    stored.flatMap(({ partition, offset, metadata }) => {
      const attemptedThrough = check.attemptedThroughOf(metadata ?? "");
      if (Number(offset) < 0 || attemptedThrough === null) return [];
      return [{ topic, partition, offset: Number(offset), attemptedThrough }];
    }),
  );
}

function isAhead({ offset, attemptedThrough }: Position): boolean {
  return attemptedThrough > offset;
}

async function listEnds(cluster: ClusterConnection, check: GroupCheck): Promise<PartitionEnd[]> {
  const topicPartitions = check.inputs.flatMap((topic) =>
    Array.from({ length: check.partitionCount }, (_, partition) => ({ topic, partition })),
  );
  return listBounds(cluster, topicPartitions, false);
}
