/** Waiting for what a broker does. */
import { systemClock } from "../../../src/clock.ts";
import type { Clock } from "../../../src/ports.ts";
import { lookAgain } from "../../support/look-again.ts";

/** Returns once the condition holds; the test's time-out bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await lookAgain();
}

/** Tries again until there is a result. */
export async function eventually<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const result = await attempt();
    if (result !== null) return result;
    await lookAgain();
  }
}

/** The system's clock with timers that can be held: a process that was frozen, as far as timers tell. */
export function freezableClock(): Clock & { freeze(): void; thaw(): void } {
  let frozen = false;
  let held: (() => void)[] = [];
  return {
    ...systemClock,
    after: (delayMs, callback) =>
      systemClock.after(delayMs, () => {
        if (frozen) held.push(callback);
        else callback();
      }),
    freeze() {
      frozen = true;
    },
    thaw() {
      frozen = false;
      const callbacks = held;
      held = [];
      for (const callback of callbacks) callback();
    },
  };
}
