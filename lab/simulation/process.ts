/**
 * A simulated operating-system process: the only way in (`deliver`) and out (`send`) for a worker.
 *
 * 1. Dead: nothing goes in or out any more; open calls never settle.
 * 2. Paused: what leaves and what arrives is held until it resumes, while the rest of the world continues. What the code
 *    had decided to send is still sent then, even very late: so a POST outlives every check. In a frozen process the
 *    monotonic clock runs on; in a suspended machine it stops, and only the wall clock shows the pause.
 * 3. A trip-wire on the count of sends (all, or those of one kind) pauses or ends the process between any two of its actions.
 * 4. The monotonic clock may run a little fast or slow. A timer never fires before its time by that clock.
 */
import type { Clock, Random } from "../../src/ports.ts";
import type { SimContext } from "./context.ts";

/** What leaves a process: a create, an append, a commit, or anything else. */
export type SendKind = "create" | "append" | "commit" | "other";

export interface TripWire {
  /** How many more sends, of this kind only if it is given. */
  readonly sends: number;
  readonly kind: SendKind | null;
  /** Just before the last of them leaves, or just after. */
  readonly before: boolean;
}

/** One call over the network. `timeoutMs` counts from the call by the caller's clock; then `onTimeout` gives the result. */
export interface Call<T> {
  readonly kind: SendKind;
  readonly timeoutMs: number;
  readonly onTimeout: () => T;
}

export interface SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  isDead(): boolean;
  diedAtMs(): number | null;
  isPaused(): boolean;
  isSuspended(): boolean;
  send(kind: SendKind, effect: () => void): void;
  deliver(arrival: () => void): void;
  /** `begin` runs when the call leaves, and may answer at any later time, or never. */
  request<T>(
    call: Call<T>,
    begin: (answer: (result: T) => void, isWanted: () => boolean) => void,
  ): Promise<T>;
  crash(): void;
  pause(how: "freeze" | "suspend"): void;
  resume(): void;
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
/** More than what rounding takes from a time of this size. */
const roundingMs = 1e-6;

export interface ProcessOptions {
  /** Given what its code throws. */
  readonly onThrow: (error: unknown) => void;
  /** Of its monotonic clock; default: 1. */
  readonly rate?: number;
}

export function createProcess(
  name: string,
  { scheduler, rng }: Pick<SimContext, "scheduler" | "rng">,
  { onThrow, rate = 1 }: ProcessOptions,
): SimProcess {
  const startedMs = scheduler.nowMs();
  const monotonicOffsetMs = rng.int(0, 1_000_000);
  let wallOffsetMs = rng.int(-2_000, 2_000);
  let diedAtMs: number | null = null;
  let paused = false;
  let suspendedAtMs: number | null = null;
  let suspendedMs = 0;
  let outgoing: (() => void)[] = [];
  let incoming: Held[] = [];
  let tripped: { readonly wire: TripWire; readonly act: () => void; left: number } | null = null;

  const arrive = (isTimer: boolean, run: () => void): void => {
    if (diedAtMs !== null) return;
    if (paused) {
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
    nowMs: () => monotonicOffsetMs + ((suspendedAtMs ?? scheduler.nowMs()) - startedMs - suspendedMs) * rate,
    wallMs: () => epochMs + scheduler.nowMs() + wallOffsetMs,
    after(delayMs, callback) {
      const dueMs = clock.nowMs() + delayMs;
      let cancelled = false;
      let cancel = (): void => {};
      const arm = (ms: number): void => {
        cancel = scheduler.after(rate === 1 ? ms : ms / rate + roundingMs, () => arrive(true, fire)); // 4
      };
      const fire = (): void => {
        if (cancelled) return;
        const leftMs = suspendedMs === 0 ? 0 : dueMs - clock.nowMs();
        if (leftMs > roundingMs) arm(leftMs);
        else callback();
      };
      arm(delayMs);
      return () => {
        cancelled = true;
        cancel();
      };
    },
  };

  const leave = (effect: () => void): void => {
    if (diedAtMs !== null) return;
    if (paused) outgoing.push(effect);
    else effect();
  };

  const self: SimProcess = {
    name,
    clock,
    random: rng.next,
    isDead: () => diedAtMs !== null,
    diedAtMs: () => diedAtMs,
    isPaused: () => paused,
    isSuspended: () => suspendedAtMs !== null,
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
    request({ kind, timeoutMs, onTimeout }, begin) {
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
        self.send(kind, () =>
          begin(
            (result) => self.deliver(() => settled || settle(result)),
            () => !settled,
          ),
        );
      });
    },
    crash() {
      diedAtMs ??= scheduler.nowMs();
      outgoing = [];
      incoming = [];
    },
    pause(how) {
      if (paused) return;
      paused = true;
      if (how === "suspend") suspendedAtMs = scheduler.nowMs();
    },
    resume() {
      if (!paused || diedAtMs !== null) return;
      paused = false;
      if (suspendedAtMs !== null) suspendedMs += scheduler.nowMs() - suspendedAtMs;
      suspendedAtMs = null;
      const late = outgoing;
      outgoing = [];
      for (const effect of late) effect();
      // A real event loop runs the timers that are due before it looks at its sockets; another may not.
      const arrivals = incoming;
      incoming = [];
      const timersFirst = rng.chance(0.5);
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
