/**
 * Access tokens by tenant.
 *
 * Invariants
 * 1. At most one acquisition a tenant is under way; all who wait share its result.
 * 2. A valid token is handed out immediately, also while its successor is fetched in the background.
 * 3. A tenant that was refused for a reason of its own, or whose tokens Graph refuses, asks the authority at most once per
 *    hold time.
 * 4. At most `maxTenants` are remembered, the least recently used goes first.
 * 5. A token that is over by this machine's clock when it comes serves for a while all the same: the clock may be ahead, and Graph judges
 *    by its own. Otherwise each request would ask for one of its own.
 */
import type { Clock } from "../../ports.ts";

export type TokenFailure = {
  readonly ok: false;
  /** "credential", "application": refused, and will be again (ports.ts says which is which). "connect": the authority gave no answer, or not now. */
  readonly reason: "credential" | "application" | "connect";
  /** One line for people; no secret. */
  readonly detail: string;
  /** What to type or do, as a sentence. */
  readonly fix?: string;
  /** As in GraphSilence. */
  readonly code?: "untrusted-ca";
};

export type AcquiredToken =
  | { readonly ok: true; readonly token: string; readonly expiresAtWallMs: number }
  | TokenFailure;

/** Fetches a new token, never one that it returned before (except managed-identity.ts). Never rejects; gives up when the signal aborts. */
export type TokenSource = (tenantId: string, signal: AbortSignal) => Promise<AcquiredToken>;

export type TokenResult = { readonly ok: true; readonly token: string } | TokenFailure;

export interface TokenCache {
  get(tenantId: string): TokenResult | Promise<TokenResult>;
  /** Graph refused this token. True: the next `get` brings another one. False: too soon after the last time. */
  invalidate(tenantId: string, token: string): boolean;
  /** Whatever is known of this tenant: another credential is asked next. */
  forget(tenantId: string): void;
  /** Ends what is under way. */
  close(): void;
}

export interface TokenCacheSettings {
  /** Bound of one acquisition. */
  readonly acquireTimeoutMs: number;
  readonly maxTenants: number;
  /** How long a refused credential is not tried again. */
  readonly credentialHoldMs: number;
  /** How often Graph's 401 may cause a new token, per tenant. */
  readonly invalidateEveryMs: number;
}

export const defaultTokenCacheSettings: Omit<TokenCacheSettings, "acquireTimeoutMs"> = {
  maxTenants: 10_000,
  credentialHoldMs: 5_000,
  invalidateEveryMs: 60_000,
};

const refreshAheadMs = 300_000;
const refreshRetryMs = 30_000;
const expiryMarginMs = 30_000;
const overUseMs = 30_000;

interface Entry {
  held: { readonly ok: true; readonly token: string } | null;
  /** Until when the token is handed out; from when its successor is fetched. Clock.nowMs. */
  usableUntilMs: number;
  refreshFromMs: number;
  flight: Promise<TokenResult> | null;
  refusal: TokenFailure | null;
  refusedUntilMs: number;
  invalidatedAtMs: number;
}

export function createTokenCache(
  source: TokenSource,
  settings: TokenCacheSettings,
  clock: Clock,
): TokenCache {
  const entries = new Map<string, Entry>();
  /** What is under way; a signal of signals would cost more. */
  const acquisitions = new Set<AbortController>();
  let isClosed = false;

  function get(tenantId: string): TokenResult | Promise<TokenResult> {
    const entry = touch(tenantId);
    const nowMs = clock.nowMs();
    if (entry.held !== null && nowMs < entry.usableUntilMs) {
      if (nowMs >= entry.refreshFromMs && entry.flight === null) {
        entry.refreshFromMs = nowMs + refreshRetryMs;
        acquire(tenantId, entry);
      }
      return entry.held;
    }
    if (entry.flight !== null) return entry.flight;
    if (entry.refusal !== null && nowMs < entry.refusedUntilMs) return entry.refusal;
    return acquire(tenantId, entry);
  }

  function invalidate(tenantId: string, token: string): boolean {
    const entry = entries.get(tenantId);
    if (entry === undefined || entry.held?.token !== token) return true;
    const nowMs = clock.nowMs();
    if (nowMs - entry.invalidatedAtMs < settings.invalidateEveryMs) return false;
    entry.invalidatedAtMs = nowMs;
    entry.held = null;
    return true;
  }

  /** The tenant's entry, as the most recently used one. */
  function touch(tenantId: string): Entry {
    let entry = entries.get(tenantId);
    if (entry === undefined) {
      entry = {
        held: null,
        usableUntilMs: 0,
        refreshFromMs: 0,
        flight: null,
        refusal: null,
        refusedUntilMs: 0,
        invalidatedAtMs: Number.NEGATIVE_INFINITY,
      };
      if (entries.size >= settings.maxTenants) entries.delete(entries.keys().next().value!);
    } else {
      entries.delete(tenantId);
    }
    entries.set(tenantId, entry);
    return entry;
  }

  function acquire(tenantId: string, entry: Entry): Promise<TokenResult> {
    const flight = bounded(tenantId).then((result) => {
      entry.flight = null;
      return settle(entry, result);
    });
    entry.flight = flight;
    return flight;
  }

  async function bounded(tenantId: string): Promise<AcquiredToken> {
    const acquisition = new AbortController();
    acquisitions.add(acquisition);
    if (isClosed) acquisition.abort();
    const { promise: expired, resolve: expire } = Promise.withResolvers<AcquiredToken>();
    const cancel = clock.after(settings.acquireTimeoutMs, () => {
      acquisition.abort();
      const detail = `no token for tenant ${tenantId} within ${settings.acquireTimeoutMs} ms`;
      expire({ ok: false, reason: "connect", detail });
    });
    const result = await Promise.race([source(tenantId, acquisition.signal), expired]);
    cancel();
    acquisitions.delete(acquisition);
    return result;
  }

  function settle(entry: Entry, result: AcquiredToken): TokenResult {
    const nowMs = clock.nowMs();
    if (!result.ok) {
      // What concerns the application is remembered for all of its tenants, by app-hold.ts.
      entry.refusal = result.reason === "credential" ? result : null;
      entry.refusedUntilMs = nowMs + settings.credentialHoldMs;
      return result;
    }
    const lifeMs = result.expiresAtWallMs - clock.wallMs();
    const held = { ok: true, token: result.token } as const;
    entry.held = held;
    entry.refusal = null;
    // The margins shrink with the life, so that short-lived tokens still serve.
    const isOver = !(lifeMs > 0); // 5
    entry.usableUntilMs = nowMs + (isOver ? overUseMs : lifeMs - Math.min(expiryMarginMs, lifeMs / 10));
    entry.refreshFromMs = nowMs + (isOver ? overUseMs : lifeMs - Math.min(refreshAheadMs, lifeMs / 5));
    return held;
  }

  // An acquisition under way continues, for those that wait for it.
  const forget = (tenantId: string) => void entries.delete(tenantId);
  const close = () => {
    isClosed = true;
    for (const acquisition of acquisitions) acquisition.abort();
  };
  return { get, invalidate, forget, close };
}
