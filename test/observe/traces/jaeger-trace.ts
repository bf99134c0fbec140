/** A trace as Jaeger's query API answers it (`GET /api/traces/ID`), as the spans that are drawn. */
import type { DrawnSpan } from "./drawing.ts";

interface Reference {
  readonly refType: string;
  readonly traceID: string;
  readonly spanID: string;
}

interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly Reference[];
  /** Microseconds, as `duration` is. */
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: string | number | boolean }[];
}

export interface JaegerAnswer {
  readonly data: readonly { readonly spans: readonly JaegerSpan[] }[];
}

const kinds = ["", "internal", "server", "client", "producer", "consumer"];

/** Jaeger names the parent CHILD_OF, and what a span is linked to FOLLOWS_FROM. */
export function spansOfJaeger({ data }: JaegerAnswer): DrawnSpan[] {
  return data.flatMap(({ spans }) => spans).map(spanOf);
}

function spanOf({
  traceID,
  spanID,
  operationName,
  references,
  startTime,
  duration,
  tags,
}: JaegerSpan): DrawnSpan {
  const tagged = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
  const { "span.kind": kind, error, ...attributes } = tagged;
  const parent = references.find((each) => each.refType === "CHILD_OF" && each.traceID === traceID);
  const links = references.filter(({ refType }) => refType === "FOLLOWS_FROM");
  return {
    traceId: traceID,
    spanId: spanID,
    parentSpanId: parent?.spanID ?? "",
    name: operationName,
    kind: Math.max(0, kinds.indexOf(String(kind))),
    startNs: BigInt(startTime) * 1_000n,
    endNs: BigInt(startTime + duration) * 1_000n,
    attributes: attributes as Record<string, string | number>,
    links: links.map(({ traceID: traceId, spanID: spanId }) => ({ traceId, spanId })),
    statusCode: error === true ? 2 : 0,
  };
}
