/**
 * Whose turn it is: the queues that wait for a request permit, in the order in which they came to wait.
 *
 * 1. A queue stands in line once at the most. One that must wait for a time comes back by itself, one that the gate does not let
 *    through when those are released.
 * 2. While Graph is probed, those who did not just fail go first.
 */
import type { Clock } from "../../ports.ts";
import type { Gate } from "./gate.ts";
import type { TenantQueue } from "./tenant-queue.ts";

export interface QueueTurns {
  /** Puts it in line, unless it stands there or is timed. */
  give(queue: TenantQueue): void;
  giveAt(queue: TenantQueue, atMs: number): void;
  /** The gate does not let it through. */
  hold(queue: TenantQueue): void;
  /** The gate may let through those that it held. */
  release(): void;
  /** Takes the next one out of the line. */
  next(): TenantQueue | undefined;
}

/** `onTurn`: another queue stands in line. */
export function createQueueTurns(
  clock: Clock,
  gate: Pick<Gate, "isProbed" | "isSuspected">,
  onTurn: () => void,
): QueueTurns {
  const line: TenantQueue[] = [];
  const held = new Set<TenantQueue>();
  return {
    give,
    giveAt(queue, atMs) {
      queue.state = "timed";
      clock.after(Math.max(0, atMs - clock.nowMs()), () => {
        queue.state = "idle";
        give(queue);
      });
    },
    hold: (queue) => void held.add(queue),
    release() {
      const waiting = [...held];
      held.clear();
      for (const queue of waiting) give(queue);
    },
    next() {
      const first = line[0];
      if (first === undefined) return undefined;
      const at = gate.isProbed(first.tenantId)
        ? line.findIndex(({ tenantId }) => !gate.isSuspected(tenantId))
        : 0;
      const queue = line.splice(Math.max(0, at), 1)[0]!; // 2
      queue.state = "idle";
      return queue;
    },
  };

  function give(queue: TenantQueue): void {
    if (queue.state !== "idle") return; // 1
    queue.state = "turn";
    line.push(queue);
    onTurn();
  }
}
