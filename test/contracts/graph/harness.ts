/** What a case of the Graph contract gets from the adapter under test and the server behind it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CreateRequest, Graph, GraphAnswer, GraphObject, ListReply } from "../../../src/graph-port.ts";

/** What each request meets while it is set. */
export type GraphFault =
  /** 429 with Retry-After; not carried out. In a batch: each item. */
  | "throttled"
  /** 429 without Retry-After; not carried out. */
  | "throttledBare"
  /** 500; carried out. */
  | "errorAfter"
  /** 400 InternalError with JSON text as message; not carried out. */
  | "internalError"
  /** Connection reset; not carried out. */
  | "resetBefore"
  /** Connection reset; carried out. */
  | "resetAfter"
  /** Half of the answer, then a reset; carried out. */
  | "truncated"
  /** Carried out; no answer within the request time-out. */
  | "slowAfter"
  /** The batch as a whole is answered 429, 503 or 400; nothing carried out. */
  | "batchThrottled"
  | "batchUnavailable"
  | "batchRefused"
  /** All carried out; the batch's answer is unreadable, whole or in part, or lacks one item. */
  | "batchMalformed"
  | "batchMissingItem"
  /** 503, 509, 423; carried out. */
  | "unavailableAfter"
  | "bandwidthAfter"
  | "lockedAfter"
  /** Something in between answers: 200 with a page, 302, 400 with a page; not carried out. */
  | "portal"
  | "redirect"
  | "htmlBefore"
  /** Something in between answers 400 with a page; carried out. */
  | "htmlAfter"
  /** The answer in another outer form; carried out. */
  | "bom"
  | "gzip"
  | "deflate"
  | "brotli"
  | "noLength"
  | "wrongType";

export interface GraphBehaviour {
  /** What becomes of an id that the client sends. */
  readonly idMode?: "honour" | "ignore" | "refuse";
  readonly retryAfter?: "seconds" | "fractional" | "http-date" | "absent";
  /** An object appears in lists this long after its creation. */
  readonly listLagMs?: number;
  /** Objects on one page of a list. */
  readonly pageSize?: number;
  /** `get` finds the object inside `value`. */
  readonly wrapEntity?: boolean;
  /** What the server makes of date-times and names. */
  readonly normalise?: readonly ("utc" | "seconds" | "milliseconds" | "trimmed-zeros" | "trimmed-names")[];
  /** How lists fail in part. */
  readonly listForm?: "whole" | "circle" | "elsewhere" | "empty-link" | "endless" | "hole" | "no-object";
}

export interface GraphHarness {
  readonly graph: Graph;
  /** Two tenants without objects; fresh for each harness. */
  readonly tenantId: string;
  readonly otherTenantId: string;
  readonly requestTimeoutMs: number;
  setFault(fault: GraphFault): void;
  /** What is not given stays as it is: ids honoured, no lag, bare entities at first. */
  setBehaviour(behaviour: GraphBehaviour): void;
  /** Objects that exist on the server now, in order of creation. */
  inventory(tenantId: string): readonly GraphObject[];
  /** Moves the time of adapter and server. */
  advance(byMs: number): void;
  /** Lets things happen, without moving time, until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** From now on nothing listens there. */
  refuseConnections(): Promise<void>;
  close(): Promise<void>;
}

/** What an adapter has beside the port. */
export interface GraphFeatures {
  /** Tokens from an authority that can refuse the credential. */
  readonly credentials: boolean;
}

export type OpenGraphHarness = (options: { readonly wrongSecret: boolean }) => Promise<GraphHarness>;

export type Define = (
  what: string,
  use: (harness: GraphHarness) => Promise<void>,
  options?: { readonly wrongSecret: boolean },
) => void;

export function caseDefiner(name: string, open: OpenGraphHarness): Define {
  return (what, use, options = { wrongSecret: false }) => {
    test(`${name}: ${what}`, async () => {
      const harness = await open(options);
      try {
        await use(harness);
      } finally {
        await harness.close();
      }
    });
  };
}

/** The documented example's date-times and texts. */
const details = {
  connectorName: "Connector Name value",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "Connector Version value",
};

/** The `n`th of distinct requests. */
export function request(n: number, id: string | null = clientId(n)): CreateRequest {
  const digits = String(n).padStart(12, "0");
  return {
    details: { ...details, machineName: `machine-${n}` },
    id,
    idempotencyKey: `00000000-0000-5000-8000-${digits}`,
    clientRequestId: `00000000-0000-4000-8000-${digits}`,
  };
}

/** The first to the `count`th request. */
export function requests(count: number): CreateRequest[] {
  return Array.from({ length: count }, (_, index) => request(index + 1));
}

export function clientId(n: number): string {
  return `104d7361-7361-504d-9173-${String(n).padStart(12, "0")}`;
}

export function answerOf(reply: ListReply | undefined): GraphAnswer {
  assert.equal(reply?.kind, "answer", JSON.stringify(reply));
  return reply as GraphAnswer;
}

/** A reply in short: its status, or the silence. */
export function brief(reply: ListReply | undefined): string {
  if (reply?.kind === "silence") return `${reply.reason}, ${reply.sent ? "sent" : "not sent"}`;
  return reply?.kind === "answer" ? String(reply.status) : String(reply?.kind);
}
