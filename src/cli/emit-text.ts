/**
 * JSON objects out of a file or a pipe, whatever wrote it: one a line, one over many lines, several in an array; UTF-8 or
 * UTF-16, with a byte order mark or without; any line ends.
 *
 * Invariants
 * 1. Nothing is skipped silently: each object is handed over, or refused with the number of the line where it begins.
 * 2. One broken object does not take the next one with it: a line that begins with `{` begins a new object.
 * 3. What is held is bounded by the longest object.
 */

import { TextDecoder } from "node:util";

export type JsonText =
  | { readonly ok: true; readonly line: number; readonly text: string }
  /** `rawHelps`: as a line, unchecked, it can be emitted. */
  | { readonly ok: false; readonly line: number; readonly problem: string; readonly rawHelps: boolean };

/** More than a topic takes by default (max.message.bytes), so that --raw can't help either. */
const maxCharacters = 1_000_000;
const tooLong = `longer than ${maxCharacters} characters, the most that emit takes; shorten it`;
const notUtf8 = "has bytes that are not UTF-8; save the file as UTF-8 (PowerShell: Out-File -Encoding utf8)";

/** Text of the bytes, in pieces. Without a byte order mark, a zero byte beside the first character tells UTF-16. */
export async function* decodedText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let head: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    if (decoder !== null) {
      yield decoder.decode(chunk, { stream: true });
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < 2) continue;
    decoder = new TextDecoder(encodingOf(head));
    yield decoder.decode(head, { stream: true });
  }
  yield decoder === null ? new TextDecoder().decode(head) : decoder.decode();
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (second === 0) return "utf-16le";
  return first === 0 ? "utf-16be" : "utf-8";
}

/** The lines as they are, without their ends. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<JsonText> {
  let rest = "";
  let line = 0;
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const text of lines) yield checked(text.replace(/\r$/, ""), ++line);
    if (rest.length > maxCharacters) rest = rest.slice(0, maxCharacters + 1);
  }
  if (rest !== "") yield checked(rest, line + 1);
}

/** The objects, each with all its characters. */
export async function* objectsOf(pieces: AsyncIterable<string>): AsyncGenerator<JsonText> {
  const scanner = createScanner();
  for await (const piece of pieces) yield* scanner.take(piece);
  yield* scanner.end();
}

/** `between`: outside of any object. `inside`: of one. `skipping`: to the end of a line that is wrong. */
type State = "between" | "inside" | "skipping";

function createScanner() {
  let state: State = "between";
  let inArray = false;
  let line = 1;
  let column = 0;
  // Of the object: its characters so far, where it began, and the brackets and quotes that are open.
  let text = "";
  let beganAt = 1;
  let depth = 0;
  let inString = false;
  let escaped = false;

  function begin(): void {
    state = "inside";
    text = "";
    beganAt = line;
    depth = 0;
    inString = false;
    escaped = false;
  }

  function refused(problem: string, next: State): JsonText {
    state = next;
    return { ok: false, line: beganAt, problem, rawHelps: problem !== tooLong };
  }

  /** A character between objects. */
  function between(character: string): JsonText | null {
    if (character === "{") begin();
    else if (character === "[" && !inArray) inArray = true;
    else if (character === "]" && inArray) inArray = false;
    else if (!/\s/.test(character) && !(character === "," && inArray)) {
      beganAt = line;
      return refused("not a JSON object", character === "\n" ? "between" : "skipping");
    }
    return null;
  }

  /** Follows the brackets and quotes; true: this character ends the object. */
  function ends(character: string): boolean {
    if (escaped) escaped = false;
    else if (inString) {
      if (character === "\\") escaped = true;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    return depth === 0;
  }

  /** A character of an object, its first one included. */
  function* inside(character: string): Generator<JsonText> {
    if (character === "{" && column === 0 && text !== "") {
      yield refused(`not a JSON object: ${unfinished}`, "between");
      begin();
    }
    if (character === "\n" && inString)
      return yield refused("not a JSON object: a text has no end on its line", "between");
    text += character;
    if (text.length > maxCharacters) return yield refused(tooLong, "skipping");
    if (!ends(character)) return;
    state = "between";
    yield checkedObject(text, beganAt);
  }

  return {
    *take(piece: string): Generator<JsonText> {
      for (const character of piece) {
        if (state === "between") {
          const wrong = between(character);
          if (wrong !== null) yield wrong;
        }
        if (state === "inside") yield* inside(character);
        if (state === "skipping" && character === "\n") state = "between";
        column += 1;
        if (character === "\n") {
          line += 1;
          column = 0;
        }
      }
    },
    *end(): Generator<JsonText> {
      if (state === "inside") yield refused(`not a JSON object: ${unfinished}`, "between");
      else if (inArray)
        yield { ok: false, line, problem: "the array has no end: is the file complete?", rawHelps: true };
    },
  };
}

const unfinished = "it begins here and has no end";

function checked(text: string, line: number): JsonText {
  const problem = text.length > maxCharacters ? tooLong : text.includes("\ufffd") ? notUtf8 : null;
  return problem === null ? { ok: true, line, text } : { ok: false, line, problem, rawHelps: false };
}

function checkedObject(text: string, line: number): JsonText {
  try {
    JSON.parse(text);
    return checked(text, line);
  } catch (error) {
    // The parser quotes what it read; the rest of its message names what it misses.
    const why = (error as Error).message.replace(/, (\.\.\.)?".*$|,? in JSON.*$|\s+\(line.*$/su, "");
    return { ok: false, line, problem: `not a JSON object: ${why}`, rawHelps: true };
  }
}
