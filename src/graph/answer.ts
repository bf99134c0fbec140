/** Reads Graph's answers. Pure; lenient in what varies (casing, wrapping, absent members), strict in what matters. */
import type { GraphAnswer, GraphObject, GraphReply } from "../ports.ts";
import { type RawAnswer, silence } from "./exchange.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined: not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The object in a body, bare or wrapped as `{value: {...}}`; null without an id. Other members that are absent or
 * null become "": the object exists all the same.
 */
function readObject(body: unknown): GraphObject | null {
  const source = isObject(body) && isObject(body.value) ? body.value : body;
  if (!isObject(source) || typeof source.id !== "string" || source.id === "") return null;
  return {
    id: source.id,
    connectorName: textOf(source.connectorName),
    machineName: textOf(source.machineName),
    enrollmentDateTime: textOf(source.enrollmentDateTime),
    lastCheckinDateTime: textOf(source.lastCheckinDateTime),
    connectorVersion: textOf(source.connectorVersion),
  };
}

/** The value of a header, its name in any case; the first of several. */
export function headerOf(headers: JsonObject, name: string): string | null {
  const value = headers[name] ?? headers[nameInAnyCase(headers, name)];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" || typeof first === "number" ? String(first) : null;
}

function nameInAnyCase(headers: JsonObject, name: string): string {
  for (const other in headers) if (other.length === name.length && other.toLowerCase() === name) return other;
  return name;
}

/**
 * `headers`: of an HTTP answer or of an item of a batch. `body`: parsed; undefined if it isn't JSON. `requestId`: of the
 * batch, for an item that has none of its own.
 */
export function readAnswer(
  status: number,
  headers: JsonObject,
  body: unknown,
  requestId: string | null = null,
): GraphAnswer {
  const isSuccess = status >= 200 && status < 300;
  const error = !isSuccess && isObject(body) && isObject(body.error) ? body.error : {};
  return {
    kind: "answer",
    status,
    object: isSuccess ? readObject(body) : null,
    errorCode: textOf(error.code),
    errorMessage: textOf(error.message),
    retryAfter: headerOf(headers, "retry-after"),
    requestId: headerOf(headers, "request-id") ?? innerRequestId(error) ?? requestId,
    date: headerOf(headers, "date"),
    ofBatch: false,
  };
}

export function readRawAnswer(raw: RawAnswer): GraphAnswer {
  return readAnswer(raw.status, raw.headers, parseJson(raw.body));
}

/** A success without a readable object does not say which object was created: not an answer. */
export function requireObject(answer: GraphAnswer): GraphReply {
  const isSuccess = answer.status >= 200 && answer.status < 300;
  if (!isSuccess || answer.object !== null) return answer;
  const id = answer.requestId === null ? "" : `; request-id ${answer.requestId}`;
  return silence("malformed", true, `answered ${answer.status} without a readable object${id}`);
}

/** One page of a list. Null: unreadable. `nextLink` as it came. */
export function readPage(body: string): { objects: GraphObject[]; nextLink: string | null } | null {
  const page = parseJson(body);
  if (!isObject(page) || !Array.isArray(page.value)) return null;
  const objects = page.value.map(readObject);
  // A list with a hole in it must not pass for a whole one: what seems absent would be created again.
  if (objects.includes(null)) return null;
  const nextLink = page["@odata.nextLink"] ?? null;
  if (nextLink !== null && typeof nextLink !== "string") return null;
  return { objects: objects as GraphObject[], nextLink };
}

function innerRequestId(error: JsonObject): string | null {
  const key = Object.keys(error).find((name) => name.toLowerCase() === "innererror");
  const inner = key === undefined ? undefined : error[key];
  return isObject(inner) ? headerOf(inner, "request-id") : null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
