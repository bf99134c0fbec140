/** Each worker stopped in good order and started again, one after the other, each once the former is at work again. */
import type { Clock } from "../../../src/ports.ts";
import { sleep } from "../../../src/sleep.ts";
import type { TimeSpan } from "../../simulation/time-span.ts";
import type { Crew } from "../crew.ts";

export interface Restart extends TimeSpan {
  /** From 1. */
  readonly worker: number;
  /** From SIGTERM to the end of the process. */
  readonly stopMs: number;
  /** From the start of the process to its first session. */
  readonly startMs: number;
}

export interface RestartSettings {
  readonly workers: number;
  readonly rounds: number;
  /** From a worker that is at work again to the next restart. */
  readonly betweenMs: number;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/** Longer than SHUTDOWN_TIMEOUT_MS. */
const endMs = 30_000;
const pollMs = 20;

export async function restartAll(
  crew: Pick<Crew, "replace" | "isWorking">,
  { workers, rounds, betweenMs, clock, say }: RestartSettings,
  signal: AbortSignal,
): Promise<readonly Restart[]> {
  const done: Restart[] = [];
  const order = Array.from({ length: workers * rounds }, (_, index) => index % workers);
  for (const worker of order) {
    await until(() => crew.isWorking(worker));
    if (signal.aborted) return done;
    const fromMs = clock.wallMs();
    const begunMs = clock.nowMs();
    if ((await crew.replace(worker, endMs)) === null) throw new Error("a worker at work can be replaced");
    const stoppedMs = clock.nowMs();
    await until(() => crew.isWorking(worker));
    const workingMs = clock.nowMs();
    await sleep(clock, betweenMs, signal);
    const stopMs = Math.round(stoppedMs - begunMs);
    const startMs = Math.round(workingMs - stoppedMs);
    if (signal.aborted) return done;
    done.push({ worker: worker + 1, stopMs, startMs, fromMs, untilMs: clock.wallMs() });
    say(
      `worker ${worker + 1} stopped within ${stopMs} ms, and was at work again ${startMs} ms after its start`,
    );
  }
  return done;

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !signal.aborted) await sleep(clock, pollMs, signal);
  }
}
