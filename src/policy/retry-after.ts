/** Retry-After as Graph sends it: seconds, perhaps fractional, or an HTTP date. */

/** Longer waits are taken for a mistake of the sender; a day is far beyond anything documented. */
export const retryAfterMaxMs = 24 * 3_600_000;

/** Milliseconds to wait from `wallMs` on, rounded up, in 0..retryAfterMaxMs; null where the text is neither form. */
export function parseRetryAfterMs(text: string, wallMs: number): number | null {
  const trimmed = text.trim();
  const ms = readMs(trimmed, wallMs);
  return Number.isNaN(ms) ? null : Math.min(retryAfterMaxMs, Math.max(0, Math.ceil(ms)));
}

function readMs(text: string, wallMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse alone would take "-5" for a year.
  return /^[A-Z][a-z]+,? .* GMT$/.test(text) ? Date.parse(text) - wallMs : Number.NaN;
}
