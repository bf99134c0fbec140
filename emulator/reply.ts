/** What the emulated Graph answers with, as plain values: the HTTPS server and a virtual-time caller share it. */

import type { Random } from "./random.ts";
import type { GraphBehaviour } from "./settings.ts";

export interface Reply {
  readonly status: number;
  /** Beside those that every answer carries (request-id and the like). */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON value; null: no body. */
  readonly body: unknown;
  /** The body's text is to be cut in the middle, so that it is not JSON. */
  readonly malformed?: true;
}

/** One request as it reaches the emulated Graph. */
export interface Call {
  readonly tenantId: string;
  /** Monotonic milliseconds: throttling windows, list lag. */
  readonly nowMs: number;
  /** Milliseconds since 1970: dates in bodies and headers. */
  readonly wallMs: number;
  readonly random: Random;
  /** UUID that this answer is known by. */
  readonly requestId: string;
  /** As the client sent it, else the request id. */
  readonly clientRequestId: string;
  /** Before `/deviceManagement` in links, such as `https://localhost:8443/beta`. */
  readonly linkBase: string;
}

const noHeaders: Readonly<Record<string, string>> = {};

export function okReply(status: number, body: unknown, headers = noHeaders): Reply {
  return { status, headers, body };
}

/** Graph's error body. `headers`: Retry-After, mostly. */
export function errorReply(
  call: Call,
  status: number,
  {
    code,
    message,
    headers = noHeaders,
  }: { readonly code: string; readonly message: string; readonly headers?: Reply["headers"] },
): Reply {
  return { status, headers, body: { error: { code, message, innerError: innerError(call) } } };
}

/** Graph's 429 carries more: the code and the status again, inside. */
export function throttledReply(call: Call, message: string, headers = noHeaders): Reply {
  const inner = { code: "429", ...innerError(call), message, status: "429" };
  return { status: 429, headers, body: { error: { code: "TooManyRequests", innerError: inner, message } } };
}

function innerError(call: Call) {
  return {
    date: new Date(call.wallMs).toISOString().slice(0, 19),
    "request-id": call.requestId,
    "client-request-id": call.clientRequestId,
  };
}

/** Intune puts JSON text into `message` for faults of its own. */
export function intuneMessage(call: Call, sentence: string): string {
  const text = `${sentence} - Operation ID (for customer support): ${call.requestId} - Activity ID: ${call.clientRequestId}`;
  return JSON.stringify({ _version: 3, Message: text, CustomApiErrorPhrase: "", RetryAfter: null });
}

export function unavailableReply(call: Call, headers: Readonly<Record<string, string>> = {}): Reply {
  return errorReply(call, 503, {
    code: "ServiceUnavailable",
    message: "The service is not available for now.",
    headers,
  });
}

/** `{}` where the behaviour says that Retry-After is absent. Never asks for less than `waitMs`. */
export function retryAfterHeader(
  behaviour: GraphBehaviour,
  call: Call,
  waitMs: number,
): Record<string, string> {
  if (behaviour.retryAfter === "absent") return {};
  if (behaviour.retryAfter === "fractional") return { "Retry-After": (Math.ceil(waitMs) / 1000).toFixed(3) };
  if (behaviour.retryAfter === "seconds")
    return { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1000))) };
  const dueMs = Math.ceil((call.wallMs + waitMs) / 1000) * 1000;
  return { "Retry-After": new Date(dueMs).toUTCString() };
}
