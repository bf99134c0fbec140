/** Every bound of the console. docs/CONSOLE.md has them as a table; a test compares the two. */
export const consoleLimits = {
  /** Rows on one page. */
  pageRows: 50,
  /** Tenants on one page. */
  pageTenants: 100,
  /** Pages that are kept up to date at the same time. */
  streams: 100,
  /** How often the service looks whether something has changed. */
  lookIntervalMs: 1_000,
  /** The longest time between two messages to a page that is kept up to date. */
  pulseIntervalMs: 15_000,
  /** Operators that are signed in at the same time; the oldest is signed out. */
  sessions: 1_000,
  /** From signing in to the end of the session. */
  sessionMs: 12 * 3_600_000,
  /** From the last request to the end of the session. */
  sessionIdleMs: 3_600_000,
  /** How long one record is looked for in its topic. */
  recordReadMs: 3_000,
  /** Of a record's value, as text. */
  shownCharacters: 16_384,
  /** The same of a value that is not text. */
  shownBytes: 2_048,
  /** From the end of a dry run to its confirmation. */
  confirmMs: 15 * 60_000,
  /** Replays that are remembered. */
  replaysKept: 20,
  /** Dead letters of dry runs that may be confirmed, in all of them. */
  replayIdsKept: 200_000,
  /** Dead letters put back a second, as by the command. */
  replaysPerSecond: 100,
  /** Dead letters that a dry run lists one by one. */
  replayListed: 50,
  /** Exports that are kept for their download. */
  exportsKept: 4,
  /** From asking for an export to its removal. */
  exportMs: 30 * 60_000,
  /** How old what a worker says of itself may be. */
  workerAgeMs: 2_000,
  /** How long a worker may take to answer. */
  workerAnswerMs: 2_000,
  /** Of what a worker answers. */
  workerAnswerBytes: 2_097_152,
  /** Addresses that one worker's name may stand for. */
  workersPerName: 64,
} as const;
