/**
 * What the service answers when it does not do what was requested: our form of a problem (code, message, fix) in a body of
 * RFC 9457, `application/problem+json`.
 */
import { STATUS_CODES } from "node:http";
import Type from "typebox";
import type { Problem } from "../../problem.ts";
import { limits } from "./limits.ts";

export interface Failure extends Problem {
  readonly status: number;
  readonly pointers?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a batch: what is to be said of each event. */
  readonly events?: readonly object[];
  /** Of an enrollment that is known by now. */
  readonly key?: string;
}

export const problemContentType = "application/problem+json";

export const problemBody = Type.Object(
  {
    type: Type.String({ description: "urn:connector-registrar:problem:CODE" }),
    title: Type.String({ description: "The status in words." }),
    status: Type.Integer(),
    detail: Type.String({ description: "As message." }),
    code: Type.String({ description: "What is wrong, for programs: stable." }),
    message: Type.String({ description: "What is wrong, and where." }),
    fix: Type.String({ description: "What to do about it." }),
    pointers: Type.Optional(Type.Array(Type.String(), { description: "JSON pointers into the event." })),
    key: Type.Optional(Type.String()),
    events: Type.Optional(Type.Array(Type.Unknown(), { description: "Of a batch, one for each event." })),
  },
  { description: "RFC 9457" },
);

/** The whole body, as text: it is written by hand where no route is known, on a raw socket too. */
export function problemText({ status, code, message, fix, pointers, key, events }: Failure): string {
  const title = STATUS_CODES[status] ?? "Error";
  const type = `urn:connector-registrar:problem:${code}`;
  return JSON.stringify({ type, title, status, detail: message, code, message, fix, pointers, key, events });
}

// biome-ignore lint/complexity/useMaxParams: the columns of the table below
function failure(
  status: number,
  code: string,
  message: string,
  fix: string,
  more: Partial<Failure> = {},
): Failure {
  return { status, code, message, fix, ...more };
}

const retryAfter = (seconds: number) => ({ headers: { "retry-after": String(seconds) } });
const challenge = (error: string) => ({
  headers: { "www-authenticate": `Bearer realm="connector-registrar"${error}` },
});
const accepts =
  "application/cloudevents+json (one event), application/cloudevents-batch+json (an array of them), or application/json with ce- headers";
const sendAgain = "Send the request again after the time in Retry-After: the same event twice is harmless.";

// biome-ignore format: reads as a table
export const failures = {
  charset: (given: string) => failure(415, "charset-unsupported", `Content-Type ${shown(given)} is not UTF-8.`,
    "Encode the body as UTF-8 and leave the charset out, or name utf-8."),
  contentEncoding: () => failure(415, "content-encoding-unsupported", "The body is compressed.",
    "Send it as it is, without Content-Encoding.", { headers: { "accept-encoding": "identity" } }),
  mediaType: (given: string) => failure(415, "media-type-unsupported", `Content-Type ${shown(given)} is not supported.`,
    `Send ${accepts}.`),
  batchTooLong: () => failure(413, "batch-too-long", `The batch has more than ${limits.batchEvents} events.`,
    `Send at most ${limits.batchEvents} in one request.`),
  batchNotArray: () => failure(400, "batch-not-array", "The body is not a JSON array.",
    "Send an array of events, [{...}, {...}], or one event as application/cloudevents+json."),
  batchEmpty: () => failure(400, "batch-empty", "The batch holds no event.", "Send at least one."),
  bodyTooLarge: () => failure(413, "body-too-large", `The body has more than ${limits.bodyBytes} bytes.`,
    "Send fewer events in one request.", { headers: { connection: "close" } }),
  bodyUnreadable: () => failure(400, "body-unreadable", "The body does not match its headers.",
    "Send the request again, with a Content-Length that is the number of its bytes."),
  eventsRefused: (status: 400 | 403, refused: number, events: readonly object[]) =>
    failure(status, "events-refused", `${refused} of ${events.length} events are refused, and none of the batch is stored.`,
      "Correct those of which `events` says why, or leave them out, and send the batch again.", { events }),
  tenantForbidden: (tenantId: string) => failure(403, "tenant-forbidden", `This token may not enroll for tenant ${tenantId}.`,
    "Use a token of that tenant, or have one made: connector-registrar tokens create --tenant <guid>.", { pointers: ["/tenantid"] }),
  operatorToken: () => failure(403, "operator-token", "This token is an operator's: it opens the console, and can't enroll.",
    "Have a token made that enrolls: connector-registrar tokens create --name <name> --tenant <guid>."),
  tokenMissing: () => failure(401, "token-missing", "The request carries no token.",
    "Send the header Authorization: Bearer <token>.", challenge("")),
  tokenUnknown: () => failure(401, "token-unknown", "The token is not known, or has expired.",
    "Have a token made: connector-registrar tokens create.", challenge(', error="invalid_token"')),
  roleMissing: (role: string) => failure(403, "role-missing", `The access token does not hold the application role ${role}.`,
    `Assign the role ${role} to the application that asks for the token, and let it ask for a new one.`, challenge(', error="insufficient_scope"')),
  tokensUnavailable: () => failure(503, "tokens-unavailable", "The tokens can't be checked at present.", sendAgain, retryAfter(5)),
  otherHost: () => failure(421, "host-unknown", "The Host header does not name this machine.",
    "Ask at http://localhost, or set TOKENS_FILE, so that the service may be asked by other names."),
  crossSite: () => failure(403, "cross-site", "The request comes from a page of another site.",
    "Send it from a program, without an Origin header."),
  notFound: (path: string) => failure(404, "not-found", `There is nothing at ${shown(path)}.`, "GET /openapi.json lists all addresses."),
  enrollmentUnknown: () => failure(404, "enrollment-unknown", "No enrollment of your tenants has this key.",
    "Take the key of the answer to POST /events."),
  keyMalformed: () => failure(400, "key-malformed", "The key is not a UUID.", "Take the key of the answer to POST /events."),
  methodNotAllowed: (allow: string) => failure(405, "method-not-allowed", `Only ${allow} are answered here.`,
    "GET /openapi.json lists all addresses.", { headers: { allow } }),
  notAcceptable: () => failure(406, "not-acceptable", "The answer is JSON, which the Accept header excludes.",
    "Send Accept: application/json, or leave the header out."),
  rateExceeded: (seconds: number, perSecond: number) => failure(429, "rate-exceeded", `This token may send ${perSecond} events a second.`,
    sendAgain, retryAfter(seconds)),
  tooManyWaiters: () => failure(429, "too-many-waiters", `${limits.waiters} requests wait for outcomes already; the event is not stored.`,
    "Send it again without Prefer: wait, and ask at the status address.", retryAfter(1)),
  overloaded: () => failure(503, "overloaded", "Too many events wait for the log.", sendAgain, retryAfter(1)),
  logSilent: () => failure(503, "log-unavailable", "The log does not answer, so it is not known whether the events are stored.", sendAgain, retryAfter(5)),
  logNotOpen: () => failure(503, "log-unavailable", "The log is not open yet.", sendAgain, retryAfter(2)),
  indexBehind: () => failure(503, "index-behind", "The index has not read the topics to their end yet.", "Ask again after the time in Retry-After.", retryAfter(2)),
  stopping: () => failure(503, "stopping", "The service is being stopped.", sendAgain, { headers: { "retry-after": "5", connection: "close" } }),
  internal: () => failure(500, "internal", "The service failed on this request.", "Look into its log, and report what it says."),
  requestTimeout: () => failure(408, "request-timeout", "The request did not arrive in time.",
    `Send its headers within ${limits.headersTimeoutMs / 1000} s and its body within ${limits.requestTimeoutMs / 1000} s.`),
  headersTooLarge: () => failure(431, "headers-too-large", `The headers have more than ${limits.headerBytes} bytes.`, "Send fewer or shorter ones."),
  headerRepeated: (name: string) => failure(400, "header-repeated", `The request has the header ${name} more than once.`,
    "Send it once."),
  expectation: () => failure(417, "expectation-unsupported", "The Expect header asks for something that is not supported.",
    "Send Expect: 100-continue, or leave the header out."),
  malformed: () => failure(400, "request-malformed", "This is not a valid HTTP request.", "Send HTTP/1.1, as RFC 9112 says."),
} as const;

const shownCharacters = 80;

/** Foreign text for a message: quoted and short. */
function shown(text: string): string {
  return JSON.stringify(text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text);
}
