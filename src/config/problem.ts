/** What is wrong with settings. */

export interface SettingProblem {
  readonly variable: string;
  /** What was given, quoted; secrets masked; "nothing" when unset. */
  readonly given: string;
  readonly problem: string;
  /** What to type. */
  readonly fix: string;
}

export interface Findings {
  readonly problems: readonly SettingProblem[];
  readonly warnings: readonly string[];
}
