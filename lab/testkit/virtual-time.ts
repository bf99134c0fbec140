/** Time that moves only when a test moves it, one timer after the other, each followed to the end of what it sets off. */
import assert from "node:assert/strict";
import type { Clock } from "../../src/ports.ts";

export interface VirtualTime extends Clock {
  /** Lets everything run that needs no time to pass. */
  rest(): Promise<void>;
  /** Moves time on by `ms`, running what falls due on the way. */
  pass(ms: number): Promise<void>;
  /** Moves time on until the condition holds; fails when that takes more than `limitMs`. */
  until(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  /** Moves time on until this is resolved. */
  untilResolved<T>(work: Promise<T>): Promise<T>;
  /** The machine was suspended for so long: the wall clock went on, the monotonic one did not. */
  suspend(ms: number): void;
  /** A clock of one process: none of its timers runs once `isDead`. */
  ofProcess(isDead: () => boolean): Clock;
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

const limitDefaultMs = 600_000;
const startMs = 1_000_000;
const startWallMs = Date.UTC(2026, 0, 5, 8);

export function virtualTime(): VirtualTime {
  const timers = new Set<Timer>();
  let nowMs = startMs;
  let suspendedMs = 0;

  const clock: Clock = {
    nowMs: () => nowMs,
    wallMs: () => startWallMs + nowMs - startMs + suspendedMs,
    after(delayMs, callback) {
      assert(Number.isFinite(delayMs), `a timer of ${delayMs} ms`);
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };

  return {
    ...clock,
    rest,
    suspend(ms) {
      suspendedMs += ms;
    },
    async pass(ms) {
      const endMs = nowMs + ms;
      await rest();
      while (runNext(endMs)) await rest();
      nowMs = endMs;
    },
    until,
    async untilResolved<T>(work: Promise<T>) {
      let result: { value: T } | null = null;
      void work.then((value) => {
        result = { value };
      });
      await until("it is resolved", () => result !== null);
      return result!.value;
    },
    ofProcess: (isDead) => ({
      ...clock,
      after: (delayMs, callback) => clock.after(delayMs, () => isDead() || callback()),
    }),
  };

  async function until(what: string, condition: () => boolean, limitMs = limitDefaultMs): Promise<void> {
    const endMs = nowMs + limitMs;
    await rest();
    while (!condition()) {
      if (!runNext(endMs)) throw new Error(`within ${limitMs} ms this did not happen: ${what}`);
      await rest();
    }
  }

  function runNext(endMs: number): boolean {
    let next: Timer | undefined;
    for (const timer of timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    if (next === undefined || next.atMs > endMs) return false;
    timers.delete(next);
    nowMs = next.atMs;
    next.callback();
    return true;
  }
}

/** Node runs all microtasks, and those that they add, before the next immediate. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
