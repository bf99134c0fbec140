/** The worker's side of group membership, as a Kafka client has it: join, heartbeat, rejoin, leave. */
import type { Holder, Membership, Session } from "../../src/ports.ts";
import type { Coordinator, Heard } from "./coordinator.ts";
import type { Joined } from "./group.ts";
import type { Client } from "./link.ts";
import type { MemberSettings } from "./member-timing.ts";

/** What a session needs to know about the membership that it is part of. */
export interface Hold {
  readonly memberId: string;
  readonly generation: number;
  readonly partitions: readonly number[];
  readonly ended: AbortSignal;
  readonly holder: Holder | null;
  joinedBy(memberId: string): boolean;
  /** How long after the sending of an acknowledged commit no other worker can own the partitions. */
  readonly leaseMs: number;
  heldUntilMs(): number;
  /** The coordinator of this term acknowledged a commit: heartbeats that another one answered count no more. */
  committedAt(term: number): void;
}

export interface Member extends Membership {
  /** The client gives up for good, as clients do after errors that they can't retry. */
  fail(reason: string): void;
}

interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

const placeTaken = "another process has its instance id";

const never: Moment = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };

/** What a member reaches its group by. */
export interface GroupClient extends Client {
  readonly coordinator: Coordinator;
}

/** What becomes of a membership. */
export interface MemberEvents {
  readonly openSession: (hold: Hold) => Session;
  readonly onSession: (session: Session) => void;
  /** It is over for good. */
  readonly onFailure: (reason: string) => void;
  /** A generation is over. */
  readonly onOver: () => void;
}

export function startMember(
  { process, link, coordinator }: GroupClient,
  timing: MemberSettings,
  { openSession, onSession, onFailure, onOver }: MemberEvents,
): Member {
  const memberId = process.name;
  const now = (): Moment => ({ monotonicMs: process.clock.nowMs(), wallMs: process.clock.wallMs() });
  const elapsedMs = (from: Moment, to: Moment): number =>
    Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
  let endSession = (): void => {};
  let hasLeft = false;

  const join = async (): Promise<void> => {
    while (!hasLeft) {
      const sentAt = now();
      const joined = await link.ask<Joined | "fenced" | null>(
        { kind: "other", timeoutMs: timing.rebalanceTimeoutMs + 5_000, onTimeout: () => null },
        (answer) => coordinator.join(memberId, timing, (given) => answer(given ?? "fenced")),
      );
      if (hasLeft) return;
      if (joined === "fenced") return fail(placeTaken);
      if (joined !== null) {
        runSession(joined, sentAt);
        return;
      }
    }
  };

  const runSession = (joined: Joined, joinSentAt: Moment): void => {
    const ended = new AbortController();
    const leaseMs = timing.sessionTimeoutMs - timing.marginMs;
    /** When the last heartbeat was sent that counts, and which coordinator answered; 0: it was the join that did. */
    let heard = { at: joinSentAt, term: 0 };
    let storedTerm = 0;
    let cancelTimer = (): void => {};
    endSession = () => {
      heard = { at: never, term: 0 };
      cancelTimer();
      endSession = () => {};
      ended.abort();
    };
    const beat = async (): Promise<void> => {
      const sentAt = now();
      const answered = await link.ask<Heard | null>(
        {
          kind: "other",
          timeoutMs: timing.heartbeatMs,
          onTimeout: () => null,
          extraLoss: link.faultRates().loseHeartbeat,
        },
        (answer) => {
          const said = coordinator.heartbeat(memberId, joined.generation);
          if (said !== null) answer(said);
        },
      );
      if (ended.signal.aborted) return;
      if (answered?.result === "fenced") return fail(placeTaken);
      if (answered !== null && answered.result !== "ok") {
        onOver();
        endSession();
        void join();
        return;
      }
      if (answered !== null && answered.term >= storedTerm) heard = { at: sentAt, term: answered.term };
      cancelTimer = process.clock.after(timing.heartbeatMs, () => void beat());
    };
    const hold: Hold = {
      memberId,
      generation: joined.generation,
      partitions: joined.partitions,
      ended: ended.signal,
      holder: timing.instanceId === null ? null : { memberId, overlapMs: timing.sessionTimeoutMs },
      joinedBy: (other) => joined.memberIds.includes(memberId) && joined.memberIds.includes(other),
      leaseMs,
      // Its age counts by both clocks: the monotonic one stands still in a suspended machine.
      heldUntilMs: () =>
        elapsedMs(heard.at, now()) < leaseMs ? heard.at.monotonicMs + leaseMs : Number.NEGATIVE_INFINITY,
      committedAt(term) {
        storedTerm = Math.max(storedTerm, term);
        if (heard.term > 0 && heard.term < term) heard = { at: never, term };
      },
    };
    const session = openSession(hold);
    void beat();
    onSession(session);
  };

  function fail(reason: string): void {
    if (hasLeft) return;
    hasLeft = true;
    endSession();
    onFailure(reason);
  }

  void join();
  return {
    async leave() {
      if (hasLeft) return;
      hasLeft = true;
      endSession();
      if (timing.instanceId !== null) return;
      await link.ask<null>({ kind: "other", timeoutMs: 2_000, onTimeout: () => null }, (answer) => {
        if (coordinator.leave(memberId)) answer(null);
      });
    },
    fail,
  };
}
