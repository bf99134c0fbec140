/** Every bound of the HTTP service that no setting changes. docs/HTTP.md has them as a table; a test compares the two. */
export const limits = {
  /** Body of one request. */
  bodyBytes: 1_048_576,
  /** Events in one batch. */
  batchEvents: 500,
  /** All header lines of a request together; Node answers 431 beyond. */
  headerBytes: 16_384,
  /** From the connection, or the end of the former request, to the end of the headers. */
  headersTimeoutMs: 10_000,
  /** From the first byte of a request to the last one of its body. */
  requestTimeoutMs: 30_000,
  /** A connection without a request under way. */
  idleTimeoutMs: 5_000,
  /** A connection on which nothing moves: longer than any wait for an answer. */
  stalledTimeoutMs: 120_000,
  /** How often connections are looked at for the first three above. */
  sweepIntervalMs: 1_000,
  /** Requests on one connection before it is closed. */
  connectionRequests: 100_000,
  /** `Prefer: wait`, in seconds. */
  waitS: 60,
  /** Requests that wait for an outcome at the same time. */
  waiters: 5_000,
  /** Events that were taken in and are not confirmed by the log. */
  pendingEvents: 20_000,
  /** The same in bytes. */
  pendingBytes: 33_554_432,
  /** Events in one append to the log. */
  appendEvents: 2_000,
  /** How long the tokens of a file may differ from those in use. */
  tokensCheckMs: 1_000,
  /** How often the files of the certificate and its key are looked at. */
  tlsCheckMs: 1_000,
  /** The largest burst, in seconds of the allowed rate. */
  burstS: 10,
} as const;
