/**
 * The coordinator's state of the one consumer group, with eager rebalancing:
 *
 * 1. A generation begins when all members have asked to join, or when the rebalance time-out has removed the rest.
 * 2. A member that sends no heartbeat for its session time-out is removed, whether it knows it or not.
 * 3. A commit counts only under the current generation, by a member of it.
 * 4. The rebalance time-out is the longest of its members', each at least as long as its session time-out: otherwise
 *    a member could lose its partitions while its last acknowledged commit still promises them.
 * 5. A commit is a sign of life too, as in Kafka (also while a rebalance is being prepared).
 * 6. A member that joins with the instance id of another one takes its place immediately, under the same generation where there is no
 *    rebalance; the other one is fenced from then on. A static member that does not rejoin in time stays, with a share.
 */

import type { SimContext } from "./context.ts";
import type { MemberTimeouts } from "./member-timing.ts";

export interface Joined {
  readonly generation: number;
  readonly partitions: readonly number[];
  /** Whom the leader counted; none for one that took another's place since. */
  readonly memberIds: readonly string[];
}

export type Heartbeat = "ok" | "rebalance" | "unknown" | "fenced";

/** Null: fenced. */
type OnJoined = (joined: Joined | null) => void;

/** `instanceId`: null for a member without one. */
export interface Joining extends MemberTimeouts {
  readonly instanceId: string | null;
}

export interface Group {
  join(memberId: string, joining: Joining, answer: OnJoined): void;
  heartbeat(memberId: string, generation: number): Heartbeat;
  /** The answer to heartbeats as of now: for a coordinator that continues from its memory. Renews nothing. */
  remember(): (memberId: string, generation: number) => Heartbeat;
  leave(memberId: string): void;
  mayCommit(memberId: string, generation: number): boolean;
  memberCount(): number;
  /** After an outage, or at another coordinator: every time-out starts over. */
  resume(): void;
}

export interface GroupSettings {
  readonly partitionCount: number;
  readonly isUp: () => boolean;
}

interface Member {
  timeouts: Joining;
  joining: OnJoined | null;
  partitions: readonly number[];
  cancelExpiry: () => void;
}

export function createGroup(settings: GroupSettings, { scheduler, rng, history }: SimContext): Group {
  const members = new Map<string, Member>();
  const fenced = new Set<string>();
  let generation = 0;
  let isRebalancing = false;
  let cancelRound = (): void => {};

  const renew = (memberId: string, member: Member): void => {
    member.cancelExpiry();
    member.cancelExpiry = scheduler.after(member.timeouts.sessionTimeoutMs, () => {
      if (member.joining !== null || !settings.isUp()) return;
      remove(memberId, "session time-out");
    });
  };

  const remove = (memberId: string, why: string): void => {
    const member = members.get(memberId);
    if (member === undefined) return;
    member.cancelExpiry();
    members.delete(memberId);
    history.add({ kind: "note", by: "group", text: `${memberId} removed: ${why}` });
    if (members.size > 0) rebalance();
    completeIfAllJoined();
  };

  const rebalance = (): void => {
    if (isRebalancing) return;
    isRebalancing = true;
    startRound();
  };

  const startRound = (): void => {
    cancelRound();
    const longestMs = Math.max(
      0,
      ...[...members.values()].map(({ timeouts }) => timeouts.rebalanceTimeoutMs),
    );
    cancelRound = scheduler.after(longestMs, complete); // 4
  };

  const completeIfAllJoined = (): void => {
    if (!isRebalancing || [...members.values()].some((member) => member.joining === null)) return;
    cancelRound();
    // The coordinator lingers a little for members that are about to join.
    cancelRound = scheduler.after(rng.int(1, 600), complete);
  };

  const complete = (): void => {
    if (!settings.isUp()) return;
    isRebalancing = false;
    for (const [memberId, member] of [...members]) {
      if (member.joining !== null || member.timeouts.instanceId !== null) continue; // 6
      member.cancelExpiry();
      members.delete(memberId);
      history.add({ kind: "note", by: "group", text: `${memberId} removed: rebalance time-out` });
    }
    generation++;
    const order = rng.shuffle([...members.keys()]);
    history.add({
      kind: "note",
      by: "group",
      text: `generation ${generation}: ${order.join(", ") || "empty"}`,
    });
    order.forEach((memberId, index) => {
      const member = members.get(memberId)!;
      const answer = member.joining;
      member.joining = null;
      member.partitions = share(index, order.length);
      renew(memberId, member);
      answer?.({ generation, partitions: member.partitions, memberIds: order });
    });
  };

  const share = (index: number, memberCount: number): number[] => {
    const all = Array.from({ length: settings.partitionCount }, (_, partition) => partition);
    return all.filter((partition) => partition % memberCount === index);
  };

  /** 6. Of an instance id, if another member has it. */
  const holderOf = ({ instanceId }: Joining, memberId: string): [string, Member] | null =>
    [...members].find(
      ([id, { timeouts }]) => id !== memberId && instanceId !== null && timeouts.instanceId === instanceId,
    ) ?? null;

  const takePlace = ([holder, { partitions, cancelExpiry }]: [string, Member], memberId: string): void => {
    history.strike("static place taken", holder);
    history.add({ kind: "note", by: "group", text: `${memberId} takes the place of ${holder}` });
    cancelExpiry();
    members.delete(holder);
    fenced.add(holder);
    const placeholder = { sessionTimeoutMs: 0, rebalanceTimeoutMs: 0, instanceId: null };
    members.set(memberId, { timeouts: placeholder, joining: null, partitions, cancelExpiry: () => {} });
  };

  return {
    join(memberId, timeouts, answer) {
      if (fenced.has(memberId)) return answer(null);
      const holder = holderOf(timeouts, memberId);
      if (holder !== null) takePlace(holder, memberId);
      const member = members.get(memberId) ?? {
        timeouts,
        joining: null,
        partitions: [],
        cancelExpiry: () => {},
      };
      members.set(memberId, member);
      member.timeouts = timeouts;
      if (holder !== null && !isRebalancing) {
        renew(memberId, member);
        return answer({ generation, partitions: member.partitions, memberIds: [] });
      }
      member.joining = answer;
      member.cancelExpiry();
      rebalance();
      completeIfAllJoined();
    },
    heartbeat(memberId, ofGeneration) {
      if (fenced.has(memberId)) return "fenced";
      const member = members.get(memberId);
      if (member === undefined || ofGeneration !== generation) return "unknown";
      if (member.joining === null) renew(memberId, member);
      return isRebalancing ? "rebalance" : "ok";
    },
    remember() {
      const [known, then, answer] = [
        new Set(members.keys()),
        generation,
        isRebalancing ? "rebalance" : "ok",
      ] as const;
      return (memberId, ofGeneration) => (known.has(memberId) && ofGeneration === then ? answer : "unknown");
    },
    leave: (memberId) => remove(memberId, "left"),
    mayCommit(memberId, ofGeneration) {
      const member = members.get(memberId);
      if (member === undefined || ofGeneration !== generation) return false;
      if (member.joining === null) renew(memberId, member); // 5
      return true;
    },
    memberCount: () => members.size,
    resume() {
      for (const [memberId, member] of members) if (member.joining === null) renew(memberId, member);
      if (!isRebalancing) return;
      startRound();
      completeIfAllJoined();
    },
  };
}
