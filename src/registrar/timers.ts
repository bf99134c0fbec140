/** Waiting, on the Clock port. */
import type { Clock } from "../ports.ts";

/** Resolves after `ms`, or as soon as the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    function stop() {
      cancel();
      resolve();
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
