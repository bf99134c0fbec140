/**
 * What an answer to a create means. Judged by status and error code; the message is looked at in two cases only, where
 * it can make a record wait or the worker stop, but never dead-letter anything.
 *
 * The line that matters most runs between "retry" (certainly nothing was created) and "unknown" (perhaps it was:
 * read back before the next POST). In doubt it is unknown: a read costs little, a second object can't be undone.
 */
import type { GraphObject, GraphReply } from "../ports.ts";
import { parseRetryAfterMs } from "./retry-after.ts";

export type Verdict =
  /** The object exists, as returned. */
  | { readonly kind: "created"; readonly object: GraphObject }
  /** 409: something with this id or identity exists. */
  | { readonly kind: "conflict"; readonly detail: string }
  /** Not carried out. `afterMs`: what Graph asked for, null if it did not say. */
  | { readonly kind: "throttled"; readonly afterMs: number | null; readonly detail: string }
  | { readonly kind: "unavailable"; readonly afterMs: number | null; readonly detail: string }
  /** May have been carried out, now or within the request time-out. */
  | { readonly kind: "unknown"; readonly detail: string }
  /** The record will never be accepted as it is. */
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
  /** Nothing of this tenant can succeed until somebody changes a permission, a licence or a credential. */
  | { readonly kind: "tenant-blocked"; readonly detail: string }
  /** Nothing of any tenant can succeed: the application's secret is wrong. */
  | { readonly kind: "secret-refused"; readonly detail: string }
  /** The operation itself isn't there: a fault of the set-up, not of the record. */
  | { readonly kind: "no-route"; readonly detail: string };

const throttledStatuses: ReadonlySet<number> = new Set([429]);
/** Documented as retryable: refused at the door. */
const unavailableStatuses: ReadonlySet<number> = new Set([423, 503, 509]);
const blockedStatuses: ReadonlySet<number> = new Set([401, 402, 403, 407]);
const routeStatuses: ReadonlySet<number> = new Set([404, 405, 410, 501]);

export function classify(reply: GraphReply, wallMs: number): Verdict {
  if (reply.kind === "silence") {
    const detail = `${reply.reason}: ${reply.detail}`;
    if (reply.sent) return { kind: "unknown", detail };
    if (reply.reason === "secret") return { kind: "secret-refused", detail };
    if (reply.reason === "credential") return { kind: "tenant-blocked", detail };
    return { kind: "unavailable", afterMs: null, detail };
  }
  const { status, errorCode, errorMessage } = reply;
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && reply.object !== null) return { kind: "created", object: reply.object };
  const detail = describe(status, errorCode, errorMessage);
  if (isSuccess) return { kind: "unknown", detail };
  const afterMs = () => (reply.retryAfter === null ? null : parseRetryAfterMs(reply.retryAfter, wallMs));
  if (status === 409) return { kind: "conflict", detail };
  if (throttledStatuses.has(status)) return { kind: "throttled", afterMs: afterMs(), detail };
  if (unavailableStatuses.has(status)) return { kind: "unavailable", afterMs: afterMs(), detail };
  if (blockedStatuses.has(status) || isForeignTenant(status, errorMessage))
    return { kind: "tenant-blocked", detail };
  if (routeStatuses.has(status) || isMissingRoute(errorCode, errorMessage))
    return { kind: "no-route", detail };
  // Intune answers a passing fault of its own with 400 InternalError; whether it acted is not documented.
  if (status === 400 && errorCode.toLowerCase() === "internalerror") return { kind: "unknown", detail };
  if (status === 408 || status >= 500) return { kind: "unknown", detail };
  if (status >= 400) return { kind: "refused", code: `graph-${status}`, detail };
  // 1xx and 3xx: no documented answer of Graph's; a proxy in between is likely.
  return { kind: "no-route", detail };
}

/** Does this reply say that Graph as a whole is in trouble (for the breaker), or that it is well? */
export function healthOf(verdict: Verdict, reply: GraphReply): "well" | "ill" | "neither" {
  if (verdict.kind === "unavailable" || verdict.kind === "unknown") return "ill";
  // Whatever it answers to a throttled, blocked or refused request, Graph is there. A refused token says nothing of it.
  return reply.kind === "answer" ? "well" : "neither";
}

function isMissingRoute(code: string, message: string): boolean {
  return /^no (method match|odata) route/i.test(code) || message.includes("No OData route exists");
}

/** Intune's answer for a tenant that it does not serve (no licence): a plain 400, told apart by its text alone. */
function isForeignTenant(status: number, message: string): boolean {
  return status === 400 && message.includes("not applicable to target tenant");
}

function describe(status: number, code: string, message: string): string {
  const text = message.replaceAll(/\s+/g, " ").slice(0, 200);
  return [String(status), code, text].filter((part) => part !== "").join(" ");
}
