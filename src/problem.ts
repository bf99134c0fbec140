/** What is wrong, and what a person can do about it: the one form of every failure that a retry does not change. */
export interface Problem {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  /** What to type or change, that it is safe, and what it loses. */
  readonly fix: string;
}

/** What could not be opened. */
export interface OpenFailure {
  readonly ok: false;
  readonly problem: Problem;
  /** Trying again may help without a change by people. */
  readonly retryable: boolean;
}

export function isProblem(value: object): value is Problem {
  return "fix" in value;
}
