/** Retry-After as Graph sends it: seconds, perhaps fractional, or an HTTP date. */

/** Longer waits are taken for a mistake of the sender; a day is far beyond anything documented. */
export const retryAfterMaxMs = 24 * 3_600_000;

/** As much of a reply as tells when it was sent. */
interface Dated {
  readonly date: string | null;
}

/**
 * When the reply was sent, by its sender's clock: what a date in its Retry-After is to be read against, since our own
 * clock may differ from the sender's by more than the wait. `wallMs`, our own, where the reply has no readable Date.
 */
export function replyWallMs({ date }: Dated, wallMs: number): number {
  const sentMs = date === null ? Number.NaN : readDateMs(date.trim());
  return Number.isNaN(sentMs) ? wallMs : sentMs;
}

/** Milliseconds to wait from `wallMs` on, rounded up, in 0..retryAfterMaxMs; null where the text is neither form. */
export function parseRetryAfterMs(text: string, wallMs: number): number | null {
  const trimmed = text.trim();
  const ms = readMs(trimmed, wallMs);
  return Number.isNaN(ms) ? null : Math.min(retryAfterMaxMs, Math.max(0, Math.ceil(ms)));
}

function readMs(text: string, wallMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  return readDateMs(text) - wallMs;
}

/** An HTTP date. Date.parse alone would take "-5" for a year. */
function readDateMs(text: string): number {
  return /^[A-Z][a-z]+,? .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
