/** How likely each fault of the network is at a moment: probabilities a request, unless the name says otherwise. */
export interface LogFaultRates {
  readonly latencyMaxMs: number;
  /** Seconds instead of milliseconds. */
  readonly slow: number;
  readonly loseRequest: number;
  readonly loseReply: number;
  /** On top, for heartbeats only. */
  readonly loseHeartbeat: number;
  readonly appendFails: number;
  /** A beginning of the records is stored, then failure. */
  readonly appendPartly: number;
  /** Stored, but after the publish time-out. */
  readonly appendLate: number;
  readonly commitLate: number;
  readonly scanFails: number;
  readonly positionsFail: number;
  /** An append of a process that died meanwhile is stored in part. */
  readonly unsyncedRate: number;
}

/** Of one item of a create, or of one list. */
export interface GraphFaultRates {
  readonly latencyMaxMs: number;
  /** Answer just within, or beyond, the request time-out; the effect takes place. */
  readonly slow: number;
  readonly refuseConnection: number;
  readonly resetBefore: number;
  readonly resetAfter: number;
  /** Reset immediately; the effect takes place later, within the settle time. */
  readonly resetThenEffect: number;
  readonly silent: number;
  /** Time-out; the effect takes place later, within the settle time. */
  readonly silentThenEffect: number;
  readonly malformed: number;
  readonly throttle: number;
  /** 503, 509 or 423: of a proxy in between, perhaps. */
  readonly unavailable: number;
  readonly error500: number;
  readonly error504: number;
  /** HTTP 400 with code InternalError: transient. */
  readonly quirk400: number;
  /** A batch is refused as a whole, and nothing of it is carried out. */
  readonly batchRefused: number;
  /** Whether a 5xx or 423 answered although the object was created. */
  readonly errorHasEffect: number;
  /** New objects appear in lists only after up to this long. */
  readonly listLagMaxMs: number;
}

export const calmLog: LogFaultRates = {
  latencyMaxMs: 5,
  slow: 0,
  loseRequest: 0,
  loseReply: 0,
  loseHeartbeat: 0,
  appendFails: 0,
  appendPartly: 0,
  appendLate: 0,
  commitLate: 0,
  scanFails: 0,
  positionsFail: 0,
  unsyncedRate: 0,
};

export const calmGraph: GraphFaultRates = {
  latencyMaxMs: 100,
  slow: 0,
  refuseConnection: 0,
  resetBefore: 0,
  resetAfter: 0,
  resetThenEffect: 0,
  silent: 0,
  silentThenEffect: 0,
  malformed: 0,
  throttle: 0,
  unavailable: 0,
  error500: 0,
  error504: 0,
  quirk400: 0,
  batchRefused: 0,
  errorHasEffect: 0,
  listLagMaxMs: 0,
};
