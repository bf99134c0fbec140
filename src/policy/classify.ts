/**
 * What an answer to a create means. Judged by status and error code; the message is looked at in three cases only, where
 * it can make a record wait or the worker stop, but never dead-letter anything.
 *
 * The line that matters most runs between what certainly created nothing ("throttled", "unavailable", "refused") and
 * "unknown": perhaps it did, so it is read back before the next POST, or the next POST is one that Graph would refuse
 * if it did. In doubt it is unknown: a read costs little, a second object can't be undone.
 *
 * An answer is not always Graph's. 423, 503, 509, anything in 3xx, and 4xx that neither Graph nor HTTP gives to a request for what is in it
 * (424, 499, ...) may come from something in between, after the request went on; only a 429 is taken to mean that nothing ran.
 */
import type { GraphAnswer, GraphObject, GraphReply } from "../graph-port.ts";
import { parseRetryAfterMs, replyWallMs } from "./retry-after.ts";

export type Verdict =
  /** The object exists, as returned. */
  | { readonly kind: "created"; readonly object: GraphObject }
  /** 409: something with this id or identity exists. */
  | { readonly kind: "conflict"; readonly detail: string }
  /** Not carried out. `afterMs`: what Graph asked for, null if it did not say. */
  | { readonly kind: "throttled"; readonly afterMs: number | null; readonly detail: string }
  /** Not carried out: it never left. Also where the application's own credential is refused: an outage for all its tenants. */
  | { readonly kind: "unavailable"; readonly detail: string }
  | Unknown
  /** The record will never be accepted as it is. */
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
  /** The batch was refused, not its items: none was carried out, and each must be asked for by itself. */
  | { readonly kind: "batch-refused"; readonly detail: string }
  /** Nothing of this tenant can succeed until a permission, a licence or a credential is changed. */
  | { readonly kind: "tenant-blocked"; readonly detail: string }
  /** The operation itself isn't there: a fault of the set-up, not of the record. */
  | { readonly kind: "no-route"; readonly detail: string };

/** May have been carried out, now or within the request time-out. */
export interface Unknown {
  readonly kind: "unknown";
  /**
   * "outage": Graph, or a proxy in front of it, can't serve any tenant now. "vague": a refusal that names no reason, which
   * Intune also gives for passing faults of its own. "failure": anything else; the record itself may make Graph fail.
   */
  readonly cause: "outage" | "vague" | "failure";
  readonly afterMs: number | null;
  readonly detail: string;
}

const throttledStatuses: ReadonlySet<number> = new Set([429]);
/** Documented as retryable. Documented as refused before any processing too, but a proxy may send them after it. */
const outageStatuses: ReadonlySet<number> = new Set([423, 503, 509]);
const blockedStatuses: ReadonlySet<number> = new Set([401, 402, 403, 407]);
const routeStatuses: ReadonlySet<number> = new Set([404, 405, 410, 501]);
/** Said of the request itself, before anything is done. */
const refusedStatuses: ReadonlySet<number> = new Set([400, 406, 411, 412, 413, 414, 415, 416, 417, 422, 431]);

export function classify(reply: GraphReply, wallMs: number): Verdict {
  if (reply.kind === "silence") {
    const detail = `${reply.reason}: ${reply.detail}`;
    if (reply.sent) return { kind: "unknown", cause: "failure", afterMs: null, detail };
    if (reply.reason === "credential") return { kind: "tenant-blocked", detail };
    return { kind: "unavailable", detail };
  }
  const verdict = classifyAnswer(reply, wallMs);
  return reply.ofBatch && isRefusal(verdict) ? { kind: "batch-refused", detail: verdict.detail } : verdict;
}

function isRefusal(verdict: Verdict): verdict is Verdict & { readonly detail: string } {
  if (verdict.kind === "unknown") return verdict.cause === "vague";
  return verdict.kind === "refused" || verdict.kind === "conflict" || verdict.kind === "no-route";
}

function classifyAnswer(reply: GraphAnswer, wallMs: number): Verdict {
  const { status, errorCode, errorMessage } = reply;
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && reply.object !== null) return { kind: "created", object: reply.object };
  const detail = describe(status, errorCode, errorMessage);
  const afterMs =
    reply.retryAfter === null ? null : parseRetryAfterMs(reply.retryAfter, replyWallMs(reply.date, wallMs));
  const unknown = (cause: Unknown["cause"]): Unknown => ({ kind: "unknown", cause, afterMs, detail });
  if (isSuccess) return unknown("failure");
  if (status === 409) return { kind: "conflict", detail };
  if (throttledStatuses.has(status)) return { kind: "throttled", afterMs, detail };
  if (outageStatuses.has(status)) return unknown("outage");
  if (blockedStatuses.has(status) || isForeignTenant(status, errorMessage))
    return { kind: "tenant-blocked", detail };
  if (routeStatuses.has(status) || isMissingRoute(reply)) return { kind: "no-route", detail };
  // Intune answers a passing fault of its own with 400 InternalError; whether it acted is not documented.
  if (status === 400 && errorCode.toLowerCase() === "internalerror") return unknown("failure");
  if (status === 400 && isVague(errorCode, errorMessage)) return unknown("vague");
  if (refusedStatuses.has(status)) return { kind: "refused", code: `graph-${status}`, detail };
  if (status >= 400) return unknown("failure");
  // 1xx and 3xx: no documented answer of Graph's, so something in between gave it.
  return unknown("outage");
}

/** Can the server still carry the request out? Not after it answered for itself; a gateway answers for another. */
export function mayStillRun(reply: GraphReply): boolean {
  if (reply.kind === "silence") return reply.sent;
  const { status } = reply;
  if (status >= 400 && status < 500) return !ownStatuses.some((statuses) => statuses.has(status));
  return gatewayStatuses.has(status) || outageStatuses.has(status) || status < 200 || isRedirect(status);
}

const gatewayStatuses: ReadonlySet<number> = new Set([502, 504]);
/** Of 4xx, those after which nothing is processed. */
const ownStatuses: readonly ReadonlySet<number>[] = [
  refusedStatuses,
  blockedStatuses,
  routeStatuses,
  throttledStatuses,
  new Set([409]),
];

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** Does this reply say that Graph as a whole is in trouble (for the breaker), or that it is well? */
export function healthOf(verdict: Verdict, reply: GraphReply): "well" | "ill" | "neither" {
  if (verdict.kind === "unavailable" || verdict.kind === "unknown") return "ill";
  // Whatever it answers to a throttled, blocked or refused request, Graph is there. A refused token says nothing of it.
  return reply.kind === "answer" ? "well" : "neither";
}

/** Does it say that the operation itself is not there? */
export function isMissingRoute({ errorCode, errorMessage }: GraphAnswer): boolean {
  return /^no (method match|odata) route/i.test(errorCode) || errorMessage.includes("No OData route exists");
}

/** Intune's answer for a tenant that it does not serve (no licence): a plain 400, distinguished by its text alone. */
function isForeignTenant(status: number, message: string): boolean {
  return status === 400 && message.includes("not applicable to target tenant");
}

/** No code, or Intune's text for whatever went wrong inside. */
function isVague(code: string, message: string): boolean {
  return code === "" || /\bAn error has occurred - Operation ID\b/i.test(message);
}

function describe(status: number, code: string, message: string): string {
  const text = message.replaceAll(/\s+/g, " ").slice(0, 200);
  return [String(status), code, text].filter((part) => part !== "").join(" ");
}
