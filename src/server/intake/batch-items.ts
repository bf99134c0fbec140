/**
 * The items of a JSON array as the bytes that they came as, so that a record holds what its installer wrote.
 *
 * 1. Linear in the bytes, and nothing is parsed: depth costs nothing here.
 * 2. The array is valid JSON if and only if it is cut and each item is valid JSON by itself, which decode() finds out.
 */

export type BatchCut =
  | { readonly ok: true; readonly items: readonly Uint8Array[] }
  | { readonly ok: false; readonly why: "not-array" | "too-many" };

const [quote, backslash, comma, open, close] = [...Buffer.from('"\\,[]')] as number[];
const [openBrace, closeBrace] = [...Buffer.from("{}")] as number[];
const byteOrderMark = [0xef, 0xbb, 0xbf];

export function batchItems(body: Uint8Array, maxItems: number): BatchCut {
  const refused: BatchCut = { ok: false, why: "not-array" };
  const start = byteOrderMark.every((byte, at) => body[at] === byte) ? byteOrderMark.length : 0;
  let at = skipBlanks(body, start);
  if (body[at] !== open) return refused;
  at = skipBlanks(body, at + 1);
  const items: Uint8Array[] = [];
  if (body[at] === close) return skipBlanks(body, at + 1) === body.length ? { ok: true, items } : refused;
  for (;;) {
    const end = itemEnd(body, at);
    if (end >= body.length) return refused;
    items.push(trimmed(body, at, end));
    if (items.length > maxItems) return { ok: false, why: "too-many" };
    at = end + 1;
    if (body[end] === close) return skipBlanks(body, at) === body.length ? { ok: true, items } : refused;
  }
}

/** Of the comma or bracket after the item that begins at `from`; the length of the body, if there is none. */
function itemEnd(body: Uint8Array, from: number): number {
  let level = 0;
  for (let at = from; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) at = stringEnd(body, at);
    else if (byte === open || byte === openBrace) level++;
    else if (level === 0 && (byte === comma || byte === close)) return at;
    else if (byte === close || byte === closeBrace) level--;
  }
  return body.length;
}

/** Of the quote that ends the string which begins at `from`. */
function stringEnd(body: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < body.length && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at;
}

function trimmed(body: Uint8Array, from: number, to: number): Uint8Array {
  let end = to;
  const start = Math.min(skipBlanks(body, from), end);
  while (end > start && isBlank(body[end - 1])) end--;
  return body.subarray(start, end);
}

function skipBlanks(body: Uint8Array, from: number): number {
  let at = from;
  while (at < body.length && isBlank(body[at])) at++;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
