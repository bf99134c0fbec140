/** Begins spans and ends them: ids, times, the sampling of a trace. */
import type { TraceContext } from "../../domain/traceparent.ts";
import type { Span, SpanKind, SpanRef } from "./span.ts";
import type { SpanQueue } from "./span-queue.ts";
import { createTraceIds } from "./trace-ids.ts";

/** Whether a trace that begins here is recorded. `parent`: of a request that is traced where it comes from. */
export type IsSampled = (traceId: string, parent: TraceContext | null) => boolean;

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly fixed: Uint8Array;
  readonly attributes: Span["attributes"];
  readonly links?: readonly SpanRef[];
}

export interface Tracer {
  /** The first span of a trace, or of this program's part of `parent`'s. Null: it is not sampled. */
  root(start: SpanStart, parent?: TraceContext | null): Span | null;
  child(parent: SpanRef, start: SpanStart): Span;
  end(span: Span): void;
  nowMs(): number;
}

const noLinks: readonly SpanRef[] = [];

/** `nowMs`: milliseconds since 1970, with a fraction. */
export function createTracer(
  queue: Pick<SpanQueue, "add">,
  isSampled: IsSampled,
  nowMs: () => number,
): Tracer {
  const ids = createTraceIds();
  return {
    root(start, parent = null) {
      const traceId = parent?.traceId ?? ids.traceId();
      return isSampled(traceId, parent) ? begin(traceId, parent?.spanId ?? "", start) : null;
    },
    child: ({ traceId, spanId }, start) => begin(traceId, spanId, start),
    end(span) {
      span.endMs = nowMs();
      queue.add(span);
    },
    nowMs,
  };

  function begin(traceId: string, parentSpanId: string, start: SpanStart): Span {
    const { name, kind, fixed, attributes, links = noLinks } = start;
    const startMs = nowMs();
    const spanId = ids.spanId();
    return {
      traceId,
      spanId,
      parentSpanId,
      name,
      kind,
      startMs,
      fixed,
      attributes,
      links,
      endMs: startMs,
      events: [],
      hasFailed: false,
    };
  }
}
