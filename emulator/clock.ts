/** Time as the emulator sees it. Tests that share their clock with it pass their own. */

export interface Clock {
  /** Monotonic milliseconds; for durations. */
  nowMs(): number;
  /** Milliseconds since 1970; for certificates, tokens and HTTP dates. */
  wallMs(): number;
  /** Calls back once after `delayMs`; returns how to cancel it. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
