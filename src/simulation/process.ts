/**
 * A simulated operating-system process: the only way in (`deliver`) and out (`send`) for a worker.
 *
 * 1. Dead: nothing goes in or out any more; calls that are open never settle.
 * 2. Frozen: what leaves and what arrives is held until the thaw, while the world goes on. What the code had decided
 *    to send before it froze still goes out at the thaw, however late: that is how a POST outlives every check.
 * 3. A trip-wire on the count of sends (all, or those of one kind) crashes or freezes the process between any two of its actions.
 */
import type { Clock, Random } from "../ports.ts";
import type { Dice } from "./dice.ts";
import type { Scheduler } from "./scheduler.ts";

/** What leaves a process: a create, an append, a commit, or anything else. */
export type SendKind = "create" | "append" | "commit" | "other";

export interface TripWire {
  /** How many more sends, of this kind only if it is given. */
  readonly sends: number;
  readonly kind: SendKind | null;
  /** Just before the last of them leaves, or just after. */
  readonly before: boolean;
}

export interface SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  isDead(): boolean;
  isFrozen(): boolean;
  send(kind: SendKind, effect: () => void): void;
  deliver(arrival: () => void): void;
  /**
   * One call over the network: `begin` runs when it leaves, and may answer at any later time, or never; then
   * `onTimeout` gives the result. `timeoutMs` counts from the call by this process's clock.
   */
  request<T>(
    kind: SendKind,
    timeoutMs: number,
    onTimeout: () => T,
    begin: (answer: (result: T) => void) => void,
  ): Promise<T>;
  crash(): void;
  freeze(): void;
  thaw(): void;
  jumpWall(byMs: number): void;
  /** Runs `act` once. */
  trip(wire: TripWire, act: () => void): void;
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
  let tripped: { readonly wire: TripWire; readonly act: () => void; left: number } | null = null;

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
    send(kind, effect) {
      const trap = tripped;
      const counts = trap !== null && (trap.wire.kind === null || trap.wire.kind === kind);
      if (!counts || --trap.left > 0) return leave(effect);
      tripped = null;
      if (trap.wire.before) trap.act();
      leave(effect);
      if (!trap.wire.before) trap.act();
    },
    deliver: (arrival) => arrive(false, arrival),
    request(kind, timeoutMs, onTimeout, begin) {
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
        self.send(kind, () => begin((result) => self.deliver(() => settled || settle(result))));
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
    trip(wire, act) {
      tripped = { wire, act, left: wire.sends };
    },
  };
  return self;
}
