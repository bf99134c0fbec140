/**
 * Virtual time: a queue of events by time, ties in an order that the seed decides. After an event that ran worker
 * code, the next one waits until that code has come to rest (no microtask left), so a run is a function of its seed.
 */
import type { Rng } from "./rng.ts";

export interface Scheduler {
  nowMs(): number;
  /** Runs once at now + delayMs; returns how to cancel it. `tie` in [0, 1) orders events of the same moment. */
  after(delayMs: number, run: () => void, tie?: number): () => void;
  /** To be called by an event that ran worker code. */
  touch(): void;
  /** Runs events until `isDone`, the time limit ("late"), or until none is left ("idle"). */
  run(isDone: () => boolean, limitMs: number): Promise<"done" | "late" | "idle">;
  eventCount(): number;
}

interface Event {
  readonly timeMs: number;
  readonly tie: number;
  readonly run: () => void;
  cancelled: boolean;
}

export function createScheduler(rng: Rng): Scheduler {
  const heap: Event[] = [];
  let nowMs = 0;
  let touched = true;
  let count = 0;
  return {
    nowMs: () => nowMs,
    after(delayMs, run, tie = rng.next()) {
      const event: Event = { timeMs: nowMs + Math.max(0, delayMs), tie, run, cancelled: false };
      push(heap, event);
      return () => {
        event.cancelled = true;
      };
    },
    touch() {
      touched = true;
    },
    async run(isDone, limitMs) {
      for (;;) {
        if (touched) {
          touched = false;
          await rest();
        }
        if (isDone()) return "done";
        const event = pop(heap);
        if (event === undefined) return "idle";
        if (event.cancelled) continue;
        if (event.timeMs > limitMs) {
          push(heap, event);
          return "late";
        }
        nowMs = event.timeMs;
        count++;
        event.run();
      }
    },
    eventCount: () => count,
  };
}

/** Node runs every microtask, and those that they add, before the next immediate. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.tie < b.tie);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}
