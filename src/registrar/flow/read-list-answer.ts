/** What a list of a tenant's objects says, or why it says nothing. Pure. */
import type { GraphReply, GraphSilence, ListReply } from "../../graph-port.ts";
import { classify, isMissingRoute } from "../../policy/classify.ts";

export interface ListFailure {
  readonly detail: string;
  /** No read of this tenant succeeds until a setting or a permission is changed. */
  readonly isRefusal: boolean;
}

/** Null: it is whole. */
export function failureOf(reply: ListReply, wallMs: number): ListFailure | null {
  if (reply.kind === "listed") {
    if (reply.incomplete === null) return null;
    return { detail: `the list is not whole: ${reply.incomplete}`, isRefusal: false };
  }
  if (isEmptyTenant(reply)) return null;
  const verdict = classify(reply, wallMs);
  return {
    detail: "detail" in verdict ? verdict.detail : "",
    isRefusal: verdict.kind === "tenant-blocked" || verdict.kind === "no-route",
  };
}

export function resultOf(reply: ListReply): number | GraphSilence["reason"] {
  if (reply.kind === "listed") return 200;
  return reply.kind === "answer" ? reply.status : reply.reason;
}

/** A tenant that never had a connector may answer 404. So does a route that is not there, which says nothing. */
function isEmptyTenant(reply: GraphReply): boolean {
  return reply.kind === "answer" && reply.status === 404 && !isMissingRoute(reply);
}
