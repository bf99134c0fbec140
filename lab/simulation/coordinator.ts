/**
 * What a worker reaches when it asks for the group's coordinator.
 *
 * 1. A coordinator that is cut off from the other brokers still answers heartbeats of the workers that reach
 *    it, from its memory, and committed offsets as of then. It can store nothing: commits, joins and leaves get no answer.
 * 2. After a while another broker is the coordinator, with what was stored: every member gets its whole session
 *    time-out there. Until then the others reach none.
 */
import type { Commit, CommitResult, Committed } from "../../src/ports.ts";
import type { Broker } from "./broker.ts";
import type { SimContext } from "./context.ts";
import type { Group, Heartbeat, Joined, Joining } from "./group.ts";

/** `term`: which coordinator answered. */
export interface Heard {
  readonly result: Heartbeat;
  readonly term: number;
}

export interface Stored {
  readonly result: CommitResult;
  readonly term: number;
}

/** Null: no answer. */
export interface Coordinator {
  join(memberId: string, timeouts: Joining, answer: (joined: Joined | null) => void): void;
  heartbeat(memberId: string, generation: number): Heard | null;
  leave(memberId: string): boolean;
  commit(memberId: string, generation: number, commits: readonly Commit[]): Stored | null;
  committed(memberId: string): ReadonlyMap<string, Committed> | null;
  isAvailable(): boolean;
  cutOff(reachedBy: readonly string[], takeOverMs: number, forMs: number): void;
  move(awayMs: number): void;
  /** Faults have stopped: a worker that still reaches one that was cut off finds the right one. */
  settle(): void;
}

export function createCoordinator(
  broker: Broker,
  group: Group,
  { scheduler, history }: Pick<SimContext, "scheduler" | "history">,
): Coordinator {
  let term = 1;
  let isAway = false;
  let stale = new Set<string>();
  let staleTerm = 0;
  let memory: ReadonlyMap<string, Committed> = new Map();
  let remembered = group.remember();

  const takeOver = (awayMs: number): void => {
    const next = ++term;
    isAway = true;
    scheduler.after(awayMs, () => {
      if (next !== term) return;
      isAway = false;
      group.resume(); // 2
      broker.wake();
    });
  };
  const isReached = (memberId: string): boolean => !isAway && !stale.has(memberId);

  return {
    join(memberId, timeouts, answer) {
      if (isReached(memberId)) group.join(memberId, timeouts, answer);
    },
    heartbeat(memberId, generation) {
      if (stale.has(memberId)) {
        const result = remembered(memberId, generation);
        if (result === "ok") history.strike("coordinator cut off acknowledges heartbeats", memberId);
        return { result, term: staleTerm }; // 1
      }
      return isAway ? null : { result: group.heartbeat(memberId, generation), term };
    },
    leave(memberId) {
      if (isReached(memberId)) group.leave(memberId);
      return isReached(memberId);
    },
    commit(memberId, generation, commits) {
      if (!isReached(memberId)) return null; // 1
      if (!group.mayCommit(memberId, generation)) {
        history.add({ kind: "note", by: memberId, text: "commit refused: superseded" });
        return { result: "superseded", term };
      }
      for (const commit of commits) broker.commit(memberId, commit);
      return { result: "committed", term };
    },
    committed(memberId) {
      if (stale.has(memberId)) return memory; // 1
      return isAway ? null : broker.commits();
    },
    isAvailable: () => !isAway,
    cutOff(reachedBy, takeOverMs, forMs) {
      if (isAway || stale.size > 0) return;
      const reached = new Set(reachedBy);
      [stale, staleTerm, memory, remembered] = [reached, term, broker.commits(), group.remember()];
      const text = `the coordinator is cut off; ${[...stale].join(", ") || "no worker"} still reaches it for ${forMs} ms`;
      history.add({ kind: "note", by: "group", text });
      takeOver(takeOverMs);
      scheduler.after(forMs, () => {
        if (stale === reached) stale = new Set();
      });
    },
    move(awayMs) {
      history.strike("coordinator moved", "group");
      takeOver(awayMs);
    },
    settle() {
      stale = new Set();
    },
  };
}
