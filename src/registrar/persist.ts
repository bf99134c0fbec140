/** Tries an operation of the log until it succeeds or is no longer wanted. */

import { backoffMs } from "../policy/backoff.ts";
import type { Problem } from "../problem.ts";
import { sleep } from "../sleep.ts";
import type { BackoffPorts } from "./ports.ts";

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  /** `problem`: no repetition changes it. */
  | { readonly ok: false; readonly reason: string; readonly problem?: Problem };

/** Resolves to null once the signal aborted; an attempt that was under way then does not count. */
export type Persist = <T>(
  signal: AbortSignal,
  operation: string,
  attempt: () => Promise<Attempt<T>>,
) => Promise<T | null>;

const retryBackoff = { baseMs: 200, capMs: 5_000 };

/** `onProblem`: what no repetition changes; the attempt is given up. */
export function createPersist(
  { clock, random, observe }: BackoffPorts,
  onProblem: (problem: Problem) => void = () => {},
): Persist {
  return async (signal, operation, attempt) => {
    for (let failures = 0; !signal.aborted; ) {
      const result = await attempt();
      if (signal.aborted) return null;
      if (result.ok) return result.value;
      if (result.problem !== undefined) {
        onProblem(result.problem);
        return null;
      }
      failures++;
      const retryInMs = backoffMs(failures, random, retryBackoff);
      observe({ kind: "log-failed", operation, reason: result.reason, retryInMs });
      await sleep(clock, retryInMs, signal);
    }
    return null;
  };
}
