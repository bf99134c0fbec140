/** Waiting for what can only be asked for. */

import { systemClock as clock } from "../../src/clock.ts";
import { sleep } from "../../src/sleep.ts";

const pollMs = 300;

/** Asks again until it is true, or the signal aborts. */
export async function until(signal: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
  while (!signal.aborted && !(await isTrue())) await sleep(clock, pollMs, signal);
}
