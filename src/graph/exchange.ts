/**
 * One request on its way through the middleware chain.
 *
 * Invariants
 * 1. An exchange settles once; the time-out settles it wherever it then is.
 * 2. After it settled no byte of it is sent: every step checks `isOver` before it continues, and `abort` resets the
 *    connection that it is on.
 * 3. `sent` is false only while certainly no byte of the request has been handed to a connection.
 */
import type { Context } from "@microsoft/microsoft-graph-client";
import type { GraphSilence } from "../graph-port.ts";

/** A complete HTTP answer. Header names in lower case. */
export interface RawAnswer {
  readonly kind: "raw";
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type Outcome = RawAnswer | GraphSilence;

export interface Exchange {
  readonly tenantId: string;
  /** Requested instead of the URL that the Graph client built: links must be followed as they are. */
  readonly url: URL | null;
  sent: boolean;
  settled: boolean;
  /** Settled, or past its time-out by either clock although the timer, after a freeze or suspend, has not fired yet. */
  isOver(): boolean;
  /** Resets its connection; null while it has none. */
  abort: (() => void) | null;
}

/** What the chain carries: the Graph client hands its options on untouched. */
interface ExchangeOptions {
  readonly exchange: Exchange;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

export function optionsOf(context: Context): ExchangeOptions {
  return context.options as unknown as ExchangeOptions;
}

/** The chain's outcome takes the place of a fetch Response: with ResponseType.RAW the client does not look inside. */
export function setOutcome(context: Context, outcome: Outcome): void {
  (context as { response?: unknown }).response = outcome;
}

export function outcomeOf(context: Context): Outcome {
  return context.response as unknown as Outcome;
}

export function silence(
  reason: GraphSilence["reason"],
  {
    sent,
    detail,
    code = null,
  }: { readonly sent: boolean; readonly detail: string; readonly code?: GraphSilence["code"] | null },
): GraphSilence {
  return { kind: "silence", sent, reason, detail, ...(code ? { code } : {}) };
}
