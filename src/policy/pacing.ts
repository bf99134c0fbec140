/**
 * When a tenant may be sent to: at most `limit` writes in any `windowMs`, and nothing while closed. A plain record
 * that answers and never sleeps.
 *
 * 1. In every interval of windowMs at most `limit` writes are taken, each counted as of its answer once that is there
 *    (it reached the server before), so a server that counts in fixed or sliding windows of that length never refuses.
 * 2. Nothing is taken before `closedUntilMs`; closing never shortens a wait that is longer already.
 * 3. An unknown limit is learned from refusals that name no wait: it becomes what was accepted within one window.
 *    It grows again by small steps, less often each time that a step was too much, up to what is configured.
 */

export interface Pacing {
  /** As configured; 0: none. */
  limitMax: number;
  readonly windowMs: number;
  /** In force; 0: none. */
  limit: number;
  /** What was taken within the window, oldest first; times rise. */
  readonly taken: Taken[];
  takenCount: number;
  closedUntilMs: number;
  /** Null: nothing was learned, the configured limit is in force. */
  learned: { grownAtMs: number; windowsPerStep: number } | null;
}

/** What was taken at about one time, counted as of its end. */
export interface Taken {
  atMs: number;
  count: number;
  /** Of these, what Graph refused for their number. */
  refused: number;
}

/** A refusal tells a limit only if so much was accepted before it; fewer are a passing fault. */
const learnFromMin = 20;
const stepShare = 0.05;
/** Bounds `taken` to windowMs / mergeMs entries, and costs no more than that share of the limit. */
const mergeMs = 20;
const windowsPerStepMax = 32;

/** `limit` 0 means no limit. */
export function createPacing(limit: number, windowMs: number): Pacing {
  const closedUntilMs = Number.NEGATIVE_INFINITY;
  return { limitMax: limit, windowMs, limit, taken: [], takenCount: 0, closedUntilMs, learned: null };
}

/** Another limit is configured: it applies immediately, unless a lower one was learned. */
export function setLimit(pacing: Pacing, limit: number): void {
  if (limit === pacing.limitMax) return;
  pacing.limitMax = limit;
  if (pacing.learned !== null && (limit === 0 || pacing.limit < limit)) return;
  pacing.limit = limit;
  pacing.learned = null;
}

/** How many writes may be sent now. */
export function available(pacing: Pacing, nowMs: number): number {
  if (nowMs < pacing.closedUntilMs) return 0; // 2
  forget(pacing, nowMs);
  grow(pacing, nowMs);
  return pacing.limit === 0 ? Number.POSITIVE_INFINITY : pacing.limit - pacing.takenCount; // 1
}

/** The caller tells later, in what is returned, how many of them were refused. */
export function take(pacing: Pacing, count: number, nowMs: number): Taken {
  forget(pacing, nowMs);
  pacing.takenCount += count;
  const last = pacing.taken.at(-1);
  const before = pacing.taken.at(-2);
  if (last !== undefined && nowMs - (before?.atMs ?? Number.NEGATIVE_INFINITY) < mergeMs) {
    last.atMs = nowMs;
    last.count += count;
    return last;
  }
  const taken = { atMs: nowMs, count, refused: 0 };
  pacing.taken.push(taken);
  return taken;
}

/** The answer came: the server counted it at this time at the latest. */
export function countAsOf(taken: Taken, nowMs: number): void {
  taken.atMs = Math.max(taken.atMs, nowMs); // 1
}

export function closeUntil(pacing: Pacing, untilMs: number): void {
  pacing.closedUntilMs = Math.max(pacing.closedUntilMs, untilMs); // 2
}

/**
 * Graph refused for their number and did not say how long. `isPersistent`: again and again; a single such refusal
 * lowers only a limit that was learned before.
 */
export function learn(pacing: Pacing, isPersistent: boolean, nowMs: number): void {
  if (pacing.learned === null && !isPersistent) return;
  forget(pacing, nowMs);
  const accepted = pacing.taken.reduce((sum, { count, refused }) => sum + count - refused, 0);
  if (accepted < learnFromMin || (pacing.limit > 0 && accepted >= pacing.limit)) return;
  const windowsPerStep = Math.min(windowsPerStepMax, (pacing.learned?.windowsPerStep ?? 1) * 2);
  pacing.limit = accepted; // 3
  pacing.learned = { grownAtMs: nowMs, windowsPerStep };
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
  let over = pacing.limit === 0 ? -1 : pacing.takenCount - pacing.limit;
  for (const { atMs, count } of pacing.taken) {
    if (over < 0) break;
    over -= count;
    if (over < 0) return Math.max(pacing.closedUntilMs, atMs + pacing.windowMs);
  }
  return Math.max(pacing.closedUntilMs, nowMs);
}

function grow(pacing: Pacing, nowMs: number): void {
  const { learned } = pacing;
  if (learned === null || nowMs < learned.grownAtMs + learned.windowsPerStep * pacing.windowMs) return;
  learned.grownAtMs = nowMs;
  pacing.limit += Math.ceil(pacing.limit * stepShare); // 3
  if (pacing.limitMax === 0 || pacing.limit < pacing.limitMax) return;
  pacing.limit = pacing.limitMax;
  pacing.learned = null;
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
