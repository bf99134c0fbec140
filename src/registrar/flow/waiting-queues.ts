/**
 * The tenants' queues that wait for a request permit, in the order in which they came to wait.
 *
 * 1. A queue waits here once at the most. One that must wait for a time comes back by itself, one that the gate does not let
 *    through when those are released.
 * 2. A queue that comes near the front is announced once: what its request needs can be fetched while it waits.
 * 3. While Graph is probed, those who did not just fail go first.
 */
import type { Clock } from "../../ports.ts";
import type { Gate } from "./gate.ts";
import type { TenantQueue } from "./tenant-queue.ts";

export interface WaitingQueues {
  /** Puts it behind the others, unless it waits already. */
  add(queue: TenantQueue): void;
  addAt(queue: TenantQueue, atMs: number): void;
  /** The gate does not let it through. */
  hold(queue: TenantQueue): void;
  /** The gate may let through those that it held. */
  release(): void;
  /** Takes the next one out. */
  next(): TenantQueue | undefined;
}

const spentMax = 1_024;

export interface WaitingQueuesParts {
  readonly clock: Clock;
  readonly gate: Pick<Gate, "isProbed" | "isSuspected">;
  /** Another queue waits. */
  readonly onAdded: () => void;
  /** It is one of the first `nearMax` now. */
  readonly onNear: (queue: TenantQueue) => void;
  /** At least 1. */
  readonly nearMax: number;
}

export function createWaitingQueues(parts: WaitingQueuesParts): WaitingQueues {
  const { clock, gate, onAdded, onNear, nearMax } = parts;
  const waiting: TenantQueue[] = [];
  /** Of `waiting`, those in front of it were taken out: to move all others up for each would cost more the more there are. */
  let head = 0;
  /** Of `waiting`, those in front of it were said to be near: at least the first one, as `nearMax` is at least 1. */
  let near = 0;
  const held = new Set<TenantQueue>();
  return {
    add,
    addAt(queue, atMs) {
      queue.state = "timed";
      clock.after(Math.max(0, atMs - clock.nowMs()), () => {
        queue.state = "idle";
        add(queue);
      });
    },
    hold: (queue) => void held.add(queue),
    release() {
      const released = [...held];
      held.clear();
      for (const queue of released) add(queue);
    },
    next() {
      const first = waiting[head];
      if (first === undefined) return undefined;
      const queue = gate.isProbed(first.tenantId) ? takeUnsuspected() : takeFirst();
      queue.state = "idle";
      return queue;
    },
  };

  function add(queue: TenantQueue): void {
    if (queue.state !== "idle") return; // 1
    queue.state = "waiting";
    waiting.push(queue);
    sayNear();
    onAdded();
  }

  function takeUnsuspected(): TenantQueue {
    const at = waiting.findIndex(({ tenantId }, i) => i >= head && !gate.isSuspected(tenantId));
    if (at <= head) return takeFirst();
    if (at < near) near--;
    return waiting.splice(at, 1)[0]!; // 3
  }

  function takeFirst(): TenantQueue {
    const queue = waiting[head++]!;
    if (head >= spentMax || head === waiting.length) {
      waiting.splice(0, head);
      near -= head;
      head = 0;
    }
    sayNear();
    return queue;
  }

  function sayNear(): void {
    while (near < waiting.length && near - head < nearMax) onNear(waiting[near++]!); // 2
  }
}
