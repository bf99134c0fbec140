/** Waiting, on the Clock port. */
import type { Clock } from "./ports.ts";

/** Resolves after `delayMs`, or as soon as the signal aborts: then to false. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve(true);
    });
    function stop() {
      cancel();
      resolve(false);
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
