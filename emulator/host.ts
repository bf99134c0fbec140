/** The process that the command runs in: what it says there, and when it is asked to end. */

export interface Problem {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  /** What to type. */
  readonly fix: string;
}

export interface Host {
  /** A line of the result. */
  print(line: string): void;
  /** Reports the problem; the process will end with this exit code. */
  fail(problem: Problem, exitCode: number): void;
  /** From now on the command itself ends in good order when the process is asked to end. */
  onStop(): { readonly signal: AbortSignal; stopListening(): void };
}

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;
