/**
 * The port between the worker and its traces. The worker reports where a record stands, and asks for one thing: the trace
 * context to pass on with the record. No answer changes what the worker does. The comments are the contract, as in ports.ts.
 */
import type { GraphReply, ListReply } from "./graph-port.ts";
import type { Position } from "./observer.ts";
import type { LogRecord, Topic } from "./ports.ts";

/** No call throws, waits or keeps what it was given. */
export interface RecordTraces {
  /** It was read and decoded. Null: it is not an enrollment. */
  taken(record: LogRecord, enrollment: TracedEnrollment | null): void;
  /** A request to Graph for these records begins. The answer is called with its replies: one for each record, or one for all. */
  asked(request: TracedRequest): (replies: readonly (GraphReply | ListReply)[]) => void;
  /**
   * An outcome of the record is on its way to the log; it may be appended more than once. The answer is the W3C traceparent that
   * the appended record carries on; null: none, so that it carries on what the enrollment event had.
   */
  sending(record: Position, outcome: TracedOutcome): string | null;
  /** That outcome is durable. Not called where the partition was lost meanwhile. */
  sent(record: Position): void;
  /** Nothing is left to be done for it. */
  settled(record: Position): void;
}

export interface TracedEnrollment {
  readonly tenantId: string;
  readonly idempotencyKey: string;
  readonly eventId: string;
  /** As decode() took it: of the event, or of its record. */
  readonly traceparent: string | null;
}

export interface TracedRequest {
  readonly operation: "create" | "get" | "list";
  readonly tenantId: string;
  readonly items: readonly TracedItem[];
}

export interface TracedItem {
  readonly record: Position;
  /** Creates of it begun, this one among them; 0: it is not a create. */
  readonly attempt: number;
  /** What is sent as client-request-id; null: none is known here. */
  readonly clientRequestId: string | null;
}

export interface TracedOutcome {
  readonly to: Topic;
  readonly partition: number;
  /** Code of a dead letter; null: it is none. */
  readonly refusal: string | null;
}

/** What the HTTP service reports about its requests. */
export interface RequestTraces {
  /** Null: it is not sampled. */
  began(request: {
    readonly method: string;
    readonly route: string;
    readonly scheme: "http" | "https";
    /** The request's header, unchecked. */
    readonly traceparent: unknown;
  }): RequestSpan | null;
}

export interface RequestSpan {
  /** So many events are handed to the log. The answer is the traceparent that their records carry. */
  sending(count: number): string;
  sent(ok: boolean): void;
  ended(status: number): void;
}
