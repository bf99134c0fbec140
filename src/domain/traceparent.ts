/** W3C Trace Context: the `traceparent` of an event, a record or a request. An invalid one is ignored; it is not an error. */

export interface TraceContext {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string;
  /** 16, not all zero. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** Name of the header: of an HTTP request, and of a record whose producer is traced. */
export const traceparentHeader = "traceparent";

const shape = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** As long as the shape: what is longer is not even looked at. */
const length = 55;

export function readTraceparent(text: unknown): TraceContext | null {
  if (typeof text !== "string" || text.length !== length) return null;
  const match = shape.exec(text);
  if (match === null) return null;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function isTraceparent(text: unknown): text is string {
  return typeof text === "string" && text.length === length && shape.test(text);
}

/** Of a span that is sampled. */
export function traceparentOf({ traceId, spanId }: Pick<TraceContext, "traceId" | "spanId">): string {
  return `00-${traceId}-${spanId}-01`;
}
