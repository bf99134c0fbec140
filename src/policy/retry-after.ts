/** Retry-After as Graph sends it: seconds, perhaps fractional, or an HTTP date. */

/** Longer waits are taken for a mistake of the sender; a day is far beyond anything documented. */
export const retryAfterMaxMs = 24 * 3_600_000;

/**
 * Milliseconds to wait, rounded up, in 0..retryAfterMaxMs; null where the text is neither form. `wallMs`: what a date
 * is read against (see replyWallMs).
 */
export function parseRetryAfterMs(text: string, wallMs: number): number | null {
  const trimmed = text.trim();
  const ms = readMs(trimmed, wallMs);
  return Number.isNaN(ms) ? null : Math.min(retryAfterMaxMs, Math.max(0, Math.ceil(ms)));
}

/**
 * The sender's clock as its answer shows it: the Date header. Without a readable one, our own: then a date in
 * Retry-After is wrong by as much as our clock is.
 */
export function replyWallMs(date: string | null, wallMs: number): number {
  const sentMs = date === null ? Number.NaN : readDateMs(date.trim());
  return Number.isNaN(sentMs) ? wallMs : sentMs;
}

function readMs(text: string, wallMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  return readDateMs(text) - wallMs;
}

/** An HTTP date. Date.parse alone would take "-5" for a year. */
function readDateMs(text: string): number {
  return /^[A-Z][a-z]+,? .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
