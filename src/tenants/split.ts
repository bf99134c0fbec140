/**
 * Cuts a tenants file into the texts of its entries, so that a large one can be read piece by piece: JSON.parse would block
 * the process for as long as the whole file takes. It finds where an entry ends, and no more: whether an entry is JSON is said
 * by JSON.parse.
 */

export type Split =
  /** The file without its entries. */
  | { readonly ok: true; readonly envelope: string }
  | { readonly ok: false; readonly pointer: string; readonly text: string };

const quote = 34;
const backslash = 92;
const comma = 44;
const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93];

/** Yields each entry of the array `tenants`. */
export function* splitEntries(text: string): Generator<string, Split> {
  const start = arrayStart(text);
  // Whatever it is, it has no such array: the envelope says what is wrong.
  if (start === null) return { ok: true, envelope: text };
  let at = skipBlanks(text, start + 1);
  for (let index = 0; text.charCodeAt(at) !== closeBracket; index++) {
    const pointer = `/tenants/${index}`;
    const end = valueEnd(text, at);
    if (end === null) return { ok: false, pointer, text: "is cut off: the file ends within it" };
    if (end === at) return { ok: false, pointer, text: "is missing: there is a comma too many" };
    yield text.slice(at, end);
    at = skipBlanks(text, end);
    const next = text.charCodeAt(at);
    if (next === comma) {
      at = skipBlanks(text, at + 1);
      if (text.charCodeAt(at) !== closeBracket) continue;
      return { ok: false, pointer: `/tenants/${index + 1}`, text: "is missing: there is a comma too many" };
    }
    if (next === closeBracket) break;
    const problem = at >= text.length ? "is cut off: the file ends after it" : "is not followed by a comma";
    return { ok: false, pointer, text: problem };
  }
  return { ok: true, envelope: `${text.slice(0, start)}[]${text.slice(at + 1)}` };
}

/** Where the value of the outermost member `tenants` begins, if it is an array. */
function arrayStart(text: string): number | null {
  let at = skipBlanks(text, 0);
  if (text.charCodeAt(at) !== openBrace) return null;
  at = skipBlanks(text, at + 1);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = stringEnd(text, at);
    if (nameEnd === null) return null;
    const name = text.slice(at, nameEnd);
    at = skipBlanks(text, nameEnd);
    if (text[at] !== ":") return null;
    at = skipBlanks(text, at + 1);
    if (name === '"tenants"') return text.charCodeAt(at) === openBracket ? at : null;
    const end = valueEnd(text, at);
    if (end === null || end === at) return null;
    at = skipBlanks(text, end);
    if (text.charCodeAt(at) !== comma) return null;
    at = skipBlanks(text, at + 1);
  }
  return null;
}

/** After the value that begins here; `at` itself: none does. Null: the text ends within it. */
function valueEnd(text: string, at: number): number | null {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      const end = stringEnd(text, i);
      if (end === null) return null;
      i = end - 1;
      if (depth === 0) return end;
    } else if (code === openBrace || code === openBracket) depth++;
    else if (code === closeBrace || code === closeBracket) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (depth === 0 && (code === comma || isBlank(code))) return i;
  }
  return null;
}

function stringEnd(text: string, at: number): number | null {
  for (let i = text.indexOf('"', at + 1); i >= 0; i = text.indexOf('"', i + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(i - 1 - backslashes) === backslash) backslashes++;
    if (backslashes % 2 === 0) return i + 1;
  }
  return null;
}

function skipBlanks(text: string, at: number): number {
  let i = at;
  while (isBlank(text.charCodeAt(i))) i++;
  return i;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
