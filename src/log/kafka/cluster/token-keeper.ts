/**
 * The token that logins to the brokers show (SASL OAUTHBEARER): one for all connections, renewed before it ends.
 *
 * Invariants
 * 1. One request for a token is under way at most; all who wait share its result.
 * 2. While a token is good, a failure to renew it costs nothing: it is tried again with growing waits, and who logs in is given
 *    the old one as long as it lives.
 * 3. A token that the brokers refused is not given out again.
 * 4. No token is in an event, a reason or a log.
 * 5. A token that is over by this machine's clock when it comes (the clock is ahead, or the source keeps old ones) is renewed no sooner
 *    than after the longest wait. It is shown to the brokers all the same: they judge by their own clocks.
 */
import type { RegistrarEvent } from "../../../observer.ts";
import type { Clock } from "../../../ports.ts";

export type TokenEvent = Extract<RegistrarEvent, { kind: "log-token-failed" | "log-token-renewed" }>;

export interface NoToken {
  readonly ok: false;
  /** Refused until a setting is changed. Otherwise it may pass by itself. */
  readonly refused: boolean;
  /** One line for people; no secret. */
  readonly detail: string;
  /** What to type or do, as a sentence. */
  readonly fix?: string;
}

/** Asks for a new token. Never rejects; gives up when the signal aborts. */
export type TokenSource = (
  signal: AbortSignal,
) => Promise<{ readonly ok: true; readonly token: string; readonly expiresAtWallMs: number } | NoToken>;

export interface LoginToken {
  readonly ok: true;
  readonly token: string;
  /** A broker took it before. */
  readonly isProven: boolean;
}

export interface TokenKeeper {
  get(): Promise<LoginToken | NoToken>;
  /** What a broker said to it. */
  accepted(token: string): void;
  refused(token: string): void;
  /** From now on it is renewed before it expires, and failures are reported. Returns how to stop that. */
  renewAhead(onEvent: (event: TokenEvent) => void): () => void;
}

interface Held {
  readonly token: string;
  isProven: boolean;
  /** All of Clock.nowMs. From when a new one is asked for in the background; from when logins wait for it; its end. */
  readonly renewFromMs: number;
  readonly waitFromMs: number;
  readonly endsAtMs: number;
}

interface Failure {
  readonly result: NoToken;
  readonly count: number;
  readonly sinceMs: number;
  /** Not asked again before. */
  readonly untilMs: number;
}

const acquireTimeoutMs = 8_000;
const renewAheadMs = 300_000;
/** More than the 10 s before a session's end at which kafkajs logs in again. */
const waitAheadMs = 30_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

export function createTokenKeeper(source: TokenSource, clock: Clock): TokenKeeper {
  let held: Held | null = null;
  let failure: Failure | null = null;
  let flight: Promise<LoginToken | NoToken> | null = null;
  const listeners = new Set<(event: TokenEvent) => void>();
  let cancel: (() => void) | null = null;

  const tell = (event: TokenEvent) => {
    for (const listener of listeners) listener(event);
  };
  const given = ({ token, isProven }: Held): LoginToken => ({ ok: true, token, isProven });
  /** 2 */
  const orHeld = (result: NoToken): LoginToken | NoToken =>
    held !== null && clock.nowMs() < held.endsAtMs ? given(held) : result;

  async function get(): Promise<LoginToken | NoToken> {
    const nowMs = clock.nowMs();
    if (held !== null && nowMs < held.waitFromMs) return given(held);
    if (flight === null && failure !== null && nowMs < failure.untilMs) return orHeld(failure.result);
    const result = await acquire();
    return result.ok ? result : orHeld(result);
  }

  function acquire(): Promise<LoginToken | NoToken> {
    flight ??= bounded()
      .then((result) => (result.ok ? keep(result) : fail(result)))
      .finally(() => {
        flight = null;
        schedule();
      });
    return flight;
  }

  async function bounded(): ReturnType<TokenSource> {
    const timeout = new AbortController();
    const expired = Promise.withResolvers<NoToken>();
    const cancelTimeout = clock.after(acquireTimeoutMs, () => {
      timeout.abort();
      expired.resolve({ ok: false, refused: false, detail: `no answer within ${acquireTimeoutMs} ms` });
    });
    const result = await Promise.race([source(timeout.signal), expired.promise]);
    cancelTimeout();
    return result;
  }

  function keep({ token, expiresAtWallMs }: { readonly token: string; readonly expiresAtWallMs: number }) {
    const nowMs = clock.nowMs();
    const lifeMs = expiresAtWallMs - clock.wallMs();
    const waitMs = Math.min(waitAheadMs, lifeMs / 2);
    held = {
      ...{ token, isProven: false, endsAtMs: nowMs + lifeMs },
      waitFromMs: nowMs + lifeMs - waitMs,
      renewFromMs:
        nowMs + (lifeMs > 0 ? lifeMs - Math.max(waitMs, Math.min(renewAheadMs, lifeMs / 5)) : lastRetryMs), // 5
    };
    if (failure !== null)
      tell({ kind: "log-token-renewed", forMs: Math.max(0, Math.round(nowMs - failure.sinceMs)) });
    failure = null;
    return given(held);
  }

  function fail(result: NoToken): NoToken {
    const nowMs = clock.nowMs();
    const count = (failure?.count ?? 0) + 1;
    const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(count - 1, 10));
    const { detail: reason, fix = "" } = result;
    if (failure?.result.detail !== reason) {
      const leftMs = held === null ? 0 : Math.max(0, Math.round(held.endsAtMs - nowMs));
      tell({ kind: "log-token-failed", reason, fix, leftMs });
    }
    failure = { result, count, sinceMs: failure?.sinceMs ?? nowMs, untilMs: nowMs + waitMs };
    return result;
  }

  /** The next renewal in the background, if that is wanted. */
  function schedule(): void {
    cancel?.();
    cancel = null;
    if (listeners.size === 0 || (held === null && failure === null)) return;
    const dueMs = failure?.untilMs ?? held!.renewFromMs;
    cancel = clock.after(Math.max(0, dueMs - clock.nowMs()), () => {
      cancel = null;
      void acquire();
    });
  }

  return {
    get,
    accepted(token) {
      if (held?.token === token) held.isProven = true;
    },
    refused(token) {
      if (held?.token === token) held = null; // 3
    },
    renewAhead(onEvent) {
      const listener = (event: TokenEvent) => onEvent(event);
      listeners.add(listener);
      schedule();
      return () => {
        listeners.delete(listener);
        schedule();
      };
    },
  };
}
