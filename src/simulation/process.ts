/**
 * A simulated operating-system process: the only way in (`deliver`) and out (`send`) for a worker.
 *
 * 1. Dead: nothing goes in or out any more; calls that are open never settle.
 * 2. Frozen: what leaves and what arrives is held until the thaw, while the world goes on. What the code had decided
 *    to send before it froze still goes out at the thaw, however late: that is how a POST outlives every check.
 * 3. A trip-wire on the count of sends crashes or freezes the process between any two of its actions.
 */
import type { Clock, Random } from "../ports.ts";
import type { Dice } from "./dice.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  isDead(): boolean;
  isFrozen(): boolean;
  send(effect: () => void): void;
  deliver(arrival: () => void): void;
  /**
   * One call over the network: `begin` runs when it leaves, and may answer at any later time, or never; then
   * `onTimeout` gives the result. `timeoutMs` counts from the call by this process's clock.
   */
  request<T>(timeoutMs: number, onTimeout: () => T, begin: (answer: (result: T) => void) => void): Promise<T>;
  crash(): void;
  freeze(): void;
  thaw(): void;
  jumpWall(byMs: number): void;
  /** Runs `act` once, just before (or after) the given number of further sends. */
  trip(sends: number, before: boolean, act: () => void): void;
}

interface Held {
  readonly isTimer: boolean;
  readonly run: () => void;
}

/** World time 0 as milliseconds since 1970. */
export const epochMs = Date.UTC(2026, 0, 5);

export function createProcess(
  name: string,
  scheduler: Scheduler,
  dice: Dice,
  onThrow: (error: unknown) => void,
): SimProcess {
  const monotonicOffsetMs = dice.int(0, 1_000_000) - scheduler.nowMs();
  let wallOffsetMs = dice.int(-2_000, 2_000);
  let dead = false;
  let frozen = false;
  let outgoing: (() => void)[] = [];
  let incoming: Held[] = [];
  let wire: { sends: number; readonly before: boolean; readonly act: () => void } | null = null;

  const arrive = (isTimer: boolean, run: () => void): void => {
    if (dead) return;
    if (frozen) {
      incoming.push({ isTimer, run });
      return;
    }
    scheduler.touch();
    try {
      run();
    } catch (error) {
      onThrow(error);
    }
  };

  const clock: Clock = {
    nowMs: () => scheduler.nowMs() + monotonicOffsetMs,
    wallMs: () => epochMs + scheduler.nowMs() + wallOffsetMs,
    after(delayMs, callback) {
      let cancelled = false;
      const cancel = scheduler.after(delayMs, () => arrive(true, () => cancelled || callback()));
      return () => {
        cancelled = true;
        cancel();
      };
    },
  };

  const leave = (effect: () => void): void => {
    if (dead) return;
    if (frozen) outgoing.push(effect);
    else effect();
  };

  const self: SimProcess = {
    name,
    clock,
    random: dice.next,
    isDead: () => dead,
    isFrozen: () => frozen,
    send(effect) {
      const tripped = wire !== null && --wire.sends <= 0 ? wire : null;
      if (tripped !== null) wire = null;
      if (tripped?.before) tripped.act();
      leave(effect);
      if (tripped !== null && !tripped.before) tripped.act();
    },
    deliver: (arrival) => arrive(false, arrival),
    request(timeoutMs, onTimeout, begin) {
      return new Promise((resolve) => {
        let settled = false;
        const settle = (value: Parameters<typeof resolve>[0]): void => {
          settled = true;
          cancel();
          resolve(value);
        };
        const cancel =
          timeoutMs === Number.POSITIVE_INFINITY
            ? () => {}
            : clock.after(timeoutMs, () => settled || settle(onTimeout()));
        self.send(() => begin((result) => self.deliver(() => settled || settle(result))));
      });
    },
    crash() {
      dead = true;
      outgoing = [];
      incoming = [];
    },
    freeze() {
      frozen = true;
    },
    thaw() {
      if (!frozen || dead) return;
      frozen = false;
      const late = outgoing;
      outgoing = [];
      for (const effect of late) effect();
      // A real event loop runs the timers that are due before it looks at its sockets; another may not.
      const arrivals = incoming;
      incoming = [];
      const timersFirst = dice.chance(0.5);
      const inOrder = timersFirst
        ? [...arrivals.filter((held) => held.isTimer), ...arrivals.filter((held) => !held.isTimer)]
        : arrivals;
      inOrder.forEach((held, index) => {
        scheduler.after(0, () => arrive(held.isTimer, held.run), index / inOrder.length / 1000);
      });
    },
    jumpWall(byMs) {
      wallOffsetMs += byMs;
    },
    trip(sends, before, act) {
      wire = { sends, before, act };
    },
  };
  return self;
}
