/** The seam between the registrar and Microsoft Graph. The comments are the contract, as in ports.ts. */

/** certificateConnectorDetails as Graph returns it: the properties documented, strings as they came. */
export interface GraphObject {
  readonly id: string;
  readonly connectorName: string;
  readonly machineName: string;
  readonly enrollmentDateTime: string;
  readonly lastCheckinDateTime: string;
  readonly connectorVersion: string;
}

export interface CreateRequest {
  /** Without id. Sent as it is, with `@odata.type`. */
  readonly details: Omit<GraphObject, "id">;
  /** Sent as the object's id; null: no id is sent. */
  readonly id: string | null;
  /** UUID; sent as Idempotency-Key. */
  readonly idempotencyKey: string;
  /** UUID, new for each attempt; sent as client-request-id. */
  readonly clientRequestId: string;
}

/**
 * An HTTP answer of Graph's own, raw enough for policy/classify.ts to judge. What something in between answered in its
 * place (a redirection, a portal's page, a proxy's refusal) is a silence: it may have been carried out. So the status is
 * 2xx with an object (or for `remove`), 4xx with an error body of Graph's or none, 429, or 5xx.
 */
export interface GraphAnswer {
  readonly kind: "answer";
  readonly status: number;
  /** The object, when the body is one (also when wrapped as `{value: {...}}`). */
  readonly object: GraphObject | null;
  /** `error.code` and `error.message` of the body; "" where absent. */
  readonly errorCode: string;
  readonly errorMessage: string;
  /** Retry-After as it came (seconds, perhaps fractional, or an HTTP date). */
  readonly retryAfter: string | null;
  /** The Date header as it came (of the batch, for its items): what a date in Retry-After is read against. */
  readonly date: string | null;
  /** The answer to a whole batch, the same for each item: it says nothing about the item. A 4xx: none was carried out. */
  readonly ofBatch: boolean;
  readonly requestId: string | null;
}

/**
 * No answer. `sent: false`: certainly nothing reached Graph (no token, connection refused, DNS). `sent: true`: the
 * request may have been carried out, now or later (time-out, reset, unreadable or missing answer).
 */
export interface GraphSilence {
  readonly kind: "silence";
  readonly sent: boolean;
  /**
   * "credential": this tenant's token was refused, and will be again; "application": any tenant's would be, the
   * application's own credential is wrong or expired. The detail says what refused it, and why.
   */
  readonly reason: "timeout" | "reset" | "connect" | "credential" | "application" | "malformed";
  /** One line for people; no secret. */
  readonly detail: string;
  /** "untrusted-ca": the certificate of Graph, the authority or a proxy is of a CA that this process does not trust. */
  readonly code?: "untrusted-ca";
}

export type GraphReply = GraphAnswer | GraphSilence;

export type ListReply =
  | {
      readonly kind: "listed";
      readonly objects: readonly GraphObject[];
      /**
       * Null: these are all. Otherwise why more may exist (an unreadable item, a page that could not be followed): what
       * is found counts, what is missing says nothing.
       */
      readonly incomplete: string | null;
    }
  | GraphAnswer
  | GraphSilence;

export interface Graph {
  /**
   * One POST for one item, one `$batch` for 2 to 20. Answers item by item, in order. Each call settles within the
   * request time-out (given to the adapter); nothing of it begins to be sent once that has passed by either clock.
   * Nothing is sent twice but after a 401, which certainly did nothing: once more, with a new token.
   *
   * What was given up, or was in flight when the adapter was closed or the process ended, is reset below TLS: the
   * kernel drops what it had not sent yet or would have to repeat. What had left TCP by then may still arrive and be
   * carried out, within the few seconds for which networks keep packets, or from a proxy that had taken it whole.
   * Only a process that was killed, or a machine that lost its power, resets nothing: then the kernel, if it still
   * runs, continues to send for minutes.
   */
  create(tenantId: string, items: readonly CreateRequest[]): Promise<readonly GraphReply[]>;
  /** A create of this tenant comes soon: what it needs beside its request, a token, may be fetched. Sends nothing to Graph. */
  prepare?(tenantId: string): void;
  /** All objects of the tenant, every page followed (at most 1,000 pages), each page within the request time-out. */
  list(tenantId: string): Promise<ListReply>;
  /** One object by id: 200 with `object`, or 404. Settles within the request time-out. */
  get(tenantId: string, id: string): Promise<GraphReply>;
  /** 204 or 404 as a GraphAnswer. Only `reconcile --fix` calls it. */
  remove(tenantId: string, id: string): Promise<GraphReply>;
}

/** What Graph does to values that it keeps; the first three: date-times lose what is finer. */
export type GraphChange = "microseconds" | "milliseconds" | "seconds" | "utc" | "trimmed-names" | "name-case";
