/** The worker's side of group membership, as a Kafka client has it: join, heartbeat, rejoin, leave. */
import type { Membership, Session } from "../ports.ts";
import type { Group, Joined } from "./group.ts";
import type { Link } from "./link.ts";
import type { SimProcess } from "./process.ts";

export interface MemberTiming {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How much earlier than the coordinator the worker considers its session over. */
  readonly marginMs: number;
}

/** What a session needs to know about the membership that it is part of. */
export interface Hold {
  readonly memberId: string;
  readonly generation: number;
  readonly ended: AbortSignal;
  /** How long after the sending of an acknowledged commit nobody else can own the partitions. */
  readonly leaseMs: number;
  heldUntilMs(): number;
}

export interface Member extends Membership {
  /** The client gives up for good, as clients do after errors that they can't retry. */
  fail(reason: string): void;
}

export function startMember(
  process: SimProcess,
  link: Link,
  group: Group,
  timing: MemberTiming,
  openSession: (hold: Hold, partitions: readonly number[]) => Session,
  onSession: (session: Session) => void,
  onFailure: (reason: string) => void,
): Member {
  const memberId = process.name;
  let endSession = (): void => {};
  let hasLeft = false;

  const join = async (): Promise<void> => {
    while (!hasLeft) {
      const sentMs = process.clock.nowMs();
      const joined = await link.ask<Joined | null>(
        "other",
        timing.rebalanceTimeoutMs + 5_000,
        () => null,
        (answer) => group.join(memberId, answer),
      );
      if (hasLeft) return;
      if (joined !== null) {
        runSession(joined, sentMs);
        return;
      }
    }
  };

  const runSession = (joined: Joined, joinSentMs: number): void => {
    const ended = new AbortController();
    const leaseMs = timing.sessionTimeoutMs - timing.marginMs;
    let heldUntilMs = joinSentMs + leaseMs;
    let cancelTimer = (): void => {};
    endSession = () => {
      heldUntilMs = Number.NEGATIVE_INFINITY;
      cancelTimer();
      endSession = () => {};
      ended.abort();
    };
    const beat = async (): Promise<void> => {
      const sentMs = process.clock.nowMs();
      const result = await link.ask<"ok" | "rebalance" | "unknown" | "lost">(
        "other",
        timing.heartbeatMs,
        () => "lost",
        (answer) => answer(group.heartbeat(memberId, joined.generation)),
        link.weather().loseHeartbeat,
      );
      if (ended.signal.aborted) return;
      if (result === "rebalance" || result === "unknown") {
        endSession();
        void join();
        return;
      }
      if (result === "ok") heldUntilMs = Math.max(heldUntilMs, sentMs + leaseMs);
      cancelTimer = process.clock.after(timing.heartbeatMs, () => void beat());
    };
    const hold: Hold = {
      memberId,
      generation: joined.generation,
      ended: ended.signal,
      leaseMs,
      heldUntilMs: () => heldUntilMs,
    };
    const session = openSession(hold, joined.partitions);
    void beat();
    onSession(session);
  };

  void join();
  return {
    async leave() {
      if (hasLeft) return;
      hasLeft = true;
      endSession();
      await link.ask<null>(
        "other",
        2_000,
        () => null,
        (answer) => {
          group.leave(memberId);
          answer(null);
        },
      );
    },
    fail(reason) {
      if (hasLeft) return;
      hasLeft = true;
      endSession();
      onFailure(reason);
    },
  };
}
