/**
 * Bytes to JSON, for bytes of any kind: bounded in size and depth before anything is built, never throws.
 * A member named `__proto__`, at any depth, is refused: it is harmless here, but not to everyone who merges objects.
 */
import { quote, type Refusal, type RefusalCode, refusal } from "./refusal.ts";

const maxValueBytes = 65_536;
const maxDepth = 32;
const maxPointerCharacters = 200;

export type JsonObject = Readonly<Record<string, unknown>>;
export type JsonRead =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly refusal: Refusal };

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The JSON object that the value holds, or why it holds none. `pointer`: what the value is in the structured event. */
export function readJsonObject(value: Uint8Array | null, pointer: "" | "/data"): JsonRead {
  const refuse = (code: RefusalCode, message: string): JsonRead => {
    return { ok: false, refusal: refusal(code, message, [pointer]) };
  };
  if (value === null || value.length === 0) {
    return refuse("value-empty", "The record has no value. Send the event as JSON in it.");
  }
  if (value.length > maxValueBytes) {
    return refuse("value-too-large", `The value has ${value.length} bytes. Send at most ${maxValueBytes}.`);
  }
  const text = decodeUtf8(value);
  if (text === null) return refuse("value-not-utf8", "The value is not UTF-8. Send JSON encoded as UTF-8.");
  if (isTooDeep(text)) {
    return refuse("value-too-deep", `The value is nested deeper than ${maxDepth} levels. Flatten it.`);
  }
  const parsed = parseJson(text);
  if (parsed === undefined) return refuse("value-not-json", "The value is not JSON. Send one JSON object.");
  if (!isJsonObject(parsed)) {
    return refuse("value-not-object", "The value is JSON, but not an object. Send one JSON object.");
  }
  const unsafe = mayHoldProto(text) ? findProto(parsed, pointer) : null;
  if (unsafe !== null) {
    const at = unsafe.length <= maxPointerCharacters ? unsafe : pointer;
    const message = `The value has a member named __proto__ (${quote(unsafe)}). Leave it out.`;
    return { ok: false, refusal: refusal("value-unsafe-member", message, [at]) };
  }
  return { ok: true, value: parsed };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Cheap, and never wrong where it says no: the name can only be spelled out or with an escape. */
function mayHoldProto(text: string): boolean {
  return text.includes("__proto__") || text.includes("\\u");
}

/** The pointer of the first such member. The value is no deeper than maxDepth. */
function findProto(value: unknown, pointer: string): string | null {
  if (typeof value !== "object" || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (name === "__proto__") return at;
    const found = findProto(member, at);
    if (found !== null) return found;
  }
  return null;
}

/** Null: not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text with few brackets can't be deep: native searches settle nearly every event without looking at each character. */
function isTooDeep(text: string): boolean {
  return (
    countUpTo(text, "{", maxDepth + 1) + countUpTo(text, "[", maxDepth + 1) > maxDepth &&
    depth(text) > maxDepth
  );
}

function countUpTo(text: string, character: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0 && count < limit; at = text.indexOf(character, at + 1))
    count++;
  return count;
}

/** The deepest nesting, without brackets in strings. Correct for JSON; for other text it only has to end. */
function depth(text: string): number {
  let deepest = 0;
  let level = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') inString = !inString;
    else if (inString) at += character === "\\" ? 1 : 0;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++level);
    else if (character === "}" || character === "]") level--;
  }
  return deepest;
}
