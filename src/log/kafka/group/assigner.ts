/**
 * Who works on which partition numbers. A number stands for the partition of every input topic, so one member holds
 * them together. Balanced: members' shares differ by one at the most. Sticky: a member keeps what it had, up to its
 * share; where two claim a number, the newer generation is right.
 */
import { AssignerProtocol } from "kafkajs";

export const protocolName = "registrar-same-number";

export interface Claim {
  readonly memberId: string;
  readonly generation: number;
  readonly partitions: readonly number[];
}

export function assignPartitions(claims: readonly Claim[], partitionCount: number): Map<string, number[]> {
  const owner = new Map<number, Claim>();
  for (const claim of claims) {
    for (const partition of claim.partitions) {
      const rival = owner.get(partition);
      if (partition < partitionCount && (!rival || rival.generation < claim.generation))
        owner.set(partition, claim); // INV-SINGLE-OWNER
    }
  }
  const kept = (memberId: string) => [...owner].filter(([, claim]) => claim.memberId === memberId).length;
  // Who has more may keep more: the larger shares go to them. By id where that leaves a choice.
  const members = claims
    .map(({ memberId }) => ({ memberId, had: kept(memberId) }))
    .sort((a, b) => b.had - a.had || (a.memberId < b.memberId ? -1 : 1));
  const least = Math.floor(partitionCount / members.length);
  const larger = partitionCount % members.length;
  const shares = new Map(members.map(({ memberId }, index) => [memberId, least + (index < larger ? 1 : 0)]));
  const assigned = new Map<string, number[]>(members.map(({ memberId }) => [memberId, []]));
  const free: number[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const memberId = owner.get(partition)?.memberId;
    const own = memberId === undefined ? undefined : assigned.get(memberId);
    if (own && own.length < shares.get(memberId!)!) own.push(partition);
    else free.push(partition);
  }
  for (const { memberId } of members) {
    const own = assigned.get(memberId)!;
    own.push(...free.splice(0, shares.get(memberId)! - own.length));
    own.sort((a, b) => a - b);
  }
  return assigned;
}

/** What a member tells the group's leader when it joins. */
export function encodeClaim(
  topics: readonly string[],
  generation: number,
  partitions: readonly number[],
): Buffer {
  const userData = Buffer.from(JSON.stringify({ generation, partitions }));
  return AssignerProtocol.MemberMetadata.encode({ version: 0, topics: [...topics], userData });
}

/** A member whose words are not understood claims nothing. */
export function decodeClaim(memberId: string, metadata: Buffer): Claim {
  try {
    const { generation, partitions } = JSON.parse(
      AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString("utf8") ?? "{}",
    ) as { generation?: unknown; partitions?: unknown };
    if (typeof generation === "number" && Array.isArray(partitions) && partitions.every(Number.isInteger)) {
      return { memberId, generation, partitions: partitions as number[] };
    }
  } catch {
    // Falls through to no claim.
  }
  return { memberId, generation: -1, partitions: [] };
}

/** `memberIds`: of the whole generation. */
export function encodeAssignment(
  topics: readonly string[],
  partitions: readonly number[],
  memberIds: readonly string[] = [],
): Buffer {
  const assignment = Object.fromEntries(topics.map((topic) => [topic, [...partitions]]));
  const userData = memberIds.length === 0 ? Buffer.of() : Buffer.from(JSON.stringify({ members: memberIds }));
  return AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData });
}

/**
 * The members of the generation for which `memberId` was given this assignment. None where it was another member's: a process
 * that takes a static place is given what its predecessor had, and nothing says who of that list is still there.
 */
export function decodeMembers(memberId: string, assignment: Buffer): string[] {
  try {
    const decoded = assignment.length > 0 ? AssignerProtocol.MemberAssignment.decode(assignment) : null;
    const { members } = JSON.parse(decoded?.userData.toString("utf8") || "{}") as { members?: unknown };
    if (!Array.isArray(members) || !members.includes(memberId)) return [];
    return members.filter((member) => typeof member === "string");
  } catch {
    return [];
  }
}

/** It was made for other topics: by members that were set up otherwise. */
export function isOfOtherTopics(topics: readonly string[], assignment: Buffer): boolean {
  const decoded = assignment.length > 0 ? AssignerProtocol.MemberAssignment.decode(assignment) : null;
  const named = Object.keys(decoded?.assignment ?? {});
  return named.length > 0 && !topics.every((topic) => named.includes(topic));
}

/** The partition numbers assigned for every one of the topics; a leader of another kind may have split them. */
export function decodeAssignment(topics: readonly string[], assignment: Buffer): number[] {
  const decoded = assignment.length > 0 ? AssignerProtocol.MemberAssignment.decode(assignment) : null;
  if (!decoded) return [];
  const [first, ...others] = topics.map((topic) => decoded.assignment[topic] ?? []);
  return (first ?? []).filter((p) => others.every((other) => other.includes(p))).sort((a, b) => a - b);
}
