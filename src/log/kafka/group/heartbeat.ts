/** What proves to a member that it is one. */
import type { Moment } from "../../../moment.ts";

/** A request that was answered as a heartbeat is: when it was sent, and to which coordinator. */
export interface Heartbeat {
  readonly nodeId: number;
  readonly sentAt: Moment;
}

export interface LastHeartbeats {
  record(heartbeat: Heartbeat): void;
  commitStoredBy(nodeId: number): void;
  /** When the coordinator that stored the last commit was last heard from; before the first commit, any. */
  at(): Moment | null;
}

export function createLastHeartbeats(joined: Heartbeat): LastHeartbeats {
  const last = new Map([[joined.nodeId, joined.sentAt]]);
  let storedBy: number | null = null;
  return {
    record({ nodeId, sentAt }) {
      last.set(nodeId, later(last.get(nodeId) ?? sentAt, sentAt));
    },
    commitStoredBy(nodeId) {
      storedBy = nodeId;
    },
    at: () => (storedBy === null ? [...last.values()].reduce(later) : (last.get(storedBy) ?? null)),
  };
}

function later(a: Moment, b: Moment): Moment {
  return b.monotonicMs > a.monotonicMs ? b : a;
}
