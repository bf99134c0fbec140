/** Waiting that an interrupt ends. */
import type { Clock } from "../ports.ts";

/** False: aborted before the time was over. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve(!signal.aborted);
    };
    const cancel = clock.after(delayMs, end);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}
