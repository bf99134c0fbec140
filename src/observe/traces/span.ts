/** A span as it is recorded here: data, in the terms of OTLP. Why it is not a span of the SDK: docs/adr/0014-traces.md. */

/** A name that is written often, as the bytes that OTLP wants for it. */
export interface Key {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type AttributeValue = string | number;

export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: readonly (readonly [Key, AttributeValue])[];
}

export interface SpanRef {
  readonly traceId: string;
  readonly spanId: string;
}

/** As in OTLP's enumeration. */
export const spanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export type SpanKind = (typeof spanKinds)[keyof typeof spanKinds];

export interface Span extends SpanRef {
  /** "": it is the first of its trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since 1970, with a fraction. */
  readonly startMs: number;
  endMs: number;
  /** Written before; the same for many spans. */
  readonly fixed: Uint8Array;
  readonly attributes: [Key, AttributeValue][];
  readonly links: readonly SpanRef[];
  readonly events: SpanEvent[];
  hasFailed: boolean;
}

/** Characters of a value; the rest is cut off. */
export const valueMax = 200;
export const eventsMax = 8;
export const linksMax = 4;
