/**
 * When a tenant may be sent to: at most `limit` writes in any `windowMs`, and nothing while closed. A plain record
 * that answers and never sleeps.
 *
 * 1. In every interval of windowMs at most `limit` writes are taken, so a server that counts in fixed or sliding
 *    windows of that length never refuses.
 * 2. Nothing is taken before `closedUntilMs`; closing never shortens a wait that is longer already.
 */

export interface Pacing {
  readonly limit: number;
  readonly windowMs: number;
  /** What was taken within the window, oldest first; times rise. */
  readonly taken: { atMs: number; count: number }[];
  takenCount: number;
  closedUntilMs: number;
}

/** `limit` 0 means no limit. */
export function createPacing(limit: number, windowMs: number): Pacing {
  return { limit, windowMs, taken: [], takenCount: 0, closedUntilMs: Number.NEGATIVE_INFINITY };
}

/** How many writes may be sent now. */
export function available(pacing: Pacing, nowMs: number): number {
  if (nowMs < pacing.closedUntilMs) return 0; // 2
  if (pacing.limit === 0) return Number.POSITIVE_INFINITY;
  forget(pacing, nowMs);
  return pacing.limit - pacing.takenCount; // 1
}

export function take(pacing: Pacing, count: number, nowMs: number): void {
  if (pacing.limit === 0) return;
  pacing.taken.push({ atMs: nowMs, count });
  pacing.takenCount += count;
}

export function closeUntil(pacing: Pacing, untilMs: number): void {
  pacing.closedUntilMs = Math.max(pacing.closedUntilMs, untilMs); // 2
}

/** How many writes could be sent within the next `ms`, starting now. */
export function availableWithin(pacing: Pacing, ms: number, nowMs: number): number {
  if (nowMs + ms < pacing.closedUntilMs) return 0;
  if (pacing.limit === 0) return Number.POSITIVE_INFINITY;
  let kept = 0;
  for (const { atMs, count } of pacing.taken) if (atMs + pacing.windowMs > nowMs + ms) kept += count;
  return pacing.limit - kept;
}

/** When `available` next becomes positive, if nothing else is taken. */
export function opensAtMs(pacing: Pacing, nowMs: number): number {
  if (pacing.limit > 0 && pacing.takenCount >= pacing.limit) {
    const first = pacing.taken[0];
    if (first !== undefined) return Math.max(pacing.closedUntilMs, first.atMs + pacing.windowMs);
  }
  return Math.max(pacing.closedUntilMs, nowMs);
}

function forget(pacing: Pacing, nowMs: number): void {
  let gone = 0;
  for (const { atMs, count } of pacing.taken) {
    if (atMs + pacing.windowMs > nowMs) break;
    pacing.takenCount -= count;
    gone++;
  }
  if (gone > 0) pacing.taken.splice(0, gone);
}
