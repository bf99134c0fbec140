/** Reads Graph's answers. Pure; lenient in what varies (casing, wrapping, absent members), strict in what matters. */
import type { GraphAnswer, GraphObject, GraphReply } from "../graph-port.ts";
import { type RawAnswer, silence } from "./exchange.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined: not JSON. A byte order mark before it is not part of it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/**
 * The object in a body, bare or wrapped as `{value: {...}}`; null without an id. Other members that are absent or
 * null become "": the object exists nevertheless.
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
  {
    status,
    headers,
    requestId = null,
  }: { readonly status: number; readonly headers: JsonObject; readonly requestId?: string | null },
  body: unknown,
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

/**
 * Graph's answer; a silence where something in between answered in its place: a redirection, a captive portal's page, a
 * proxy's refusal. None of these says whether the request reached Graph.
 */
export function readRawAnswer(raw: RawAnswer): GraphReply {
  const body = parseJson(raw.body);
  const stranger = strangerIn(raw, body);
  if (stranger === null) return readAnswer({ status: raw.status, headers: raw.headers }, body);
  const detail = `answered ${raw.status}, but not by Graph: ${stranger}`;
  return silence("malformed", { sent: true, detail });
}

/** Is this 401 Graph's own? Then it certainly did nothing. */
export function isGraphsRefusal(raw: RawAnswer): boolean {
  return raw.status === 401 && strangerIn(raw, parseJson(raw.body)) === null;
}

/** Null: Graph's own, as far as anyone can tell. */
function strangerIn({ status, headers, body: text }: RawAnswer, body: unknown): string | null {
  if (status === 407) return "a proxy asks for a user and password, set them in HTTPS_PROXY";
  if (status < 200 || (status >= 300 && status < 400)) return `it leads to ${placeOf(headers)}`;
  // "Throttled" and "in trouble" are believed; 501 would be taken for a missing operation.
  if (status === 429 || (status >= 500 && status !== 501)) return null;
  if (text.trim() === "") return null;
  const isGraphs = status < 300 ? isObject(body) : isObject(body) && body.error !== undefined;
  if (isGraphs) return null;
  const what = /^\s*(\ufeff)?<(!doctype )?html/i.test(text) ? "a page of HTML" : "a body that is not Graph's";
  return `${what} (${textOf(headers["content-type"]) || "of no type"}) of a proxy, a portal or the like in between`;
}

/** The origin only: what follows may be a secret. */
function placeOf(headers: RawAnswer["headers"]): string {
  const location = headerOf(headers, "location") ?? "";
  return URL.parse(location)?.origin ?? (location === "" ? "nowhere" : "another path");
}

/** A success without a readable object does not say which object was created: not an answer. */
export function requireObject(answer: GraphReply): GraphReply {
  if (answer.kind === "silence") return answer;
  const isSuccess = answer.status >= 200 && answer.status < 300;
  if (!isSuccess || answer.object !== null) return answer;
  const id = answer.requestId === null ? "" : `; request-id ${answer.requestId}`;
  return silence("malformed", {
    sent: true,
    detail: `answered ${answer.status} without a readable object${id}`,
  });
}

/** `nextLink` as it came; null: there is none. */
export interface Page {
  readonly objects: readonly GraphObject[];
  /** Items that are not objects with an id. */
  readonly unreadable: number;
  readonly nextLink: unknown;
}

/** Null: this is not a page. */
export function readPage(body: string): Page | null {
  const page = parseJson(body);
  if (!isObject(page) || !Array.isArray(page.value)) return null;
  const items = page.value.map(readObject);
  const objects = items.filter((item) => item !== null);
  return { objects, unreadable: items.length - objects.length, nextLink: page["@odata.nextLink"] ?? null };
}

function innerRequestId(error: JsonObject): string | null {
  const key = Object.keys(error).find((name) => name.toLowerCase() === "innererror");
  const inner = key === undefined ? undefined : error[key];
  return isObject(inner) ? headerOf(inner, "request-id") : null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
