/** Lets events that wait for others go out while nothing more comes: someone types them, or a pipe is slow. */
import { systemClock } from "../clock.ts";

/** How long an event waits for others to share its append. */
const lingerMs = 100;

/** The source's values, and "idle" when something waits and the next value takes its time. */
export async function* orIdle<T>(
  source: Iterable<T> | AsyncIterable<T>,
  waits: () => boolean,
): AsyncGenerator<T | "idle"> {
  const values = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  try {
    for (let next = values.next(); ; ) {
      const result = waits() ? await orLate(next) : await next;
      if (result !== "idle" && result.done) return;
      yield result === "idle" ? result : result.value;
      if (result !== "idle") next = values.next();
    }
  } finally {
    await values.return?.();
  }
}

/** A value that is there already costs no timer. */
async function orLate<T>(next: T | Promise<T>): Promise<T | "idle"> {
  if (!(next instanceof Promise)) return next;
  let cancel = () => {};
  const late = new Promise<"idle">((resolve) => {
    cancel = systemClock.after(lingerMs, () => resolve("idle"));
  });
  const first = await Promise.race([next, late]);
  cancel();
  return first;
}
