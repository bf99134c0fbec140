/**
 * Spans that have ended, until the collector has taken them.
 *
 * 1. Nothing here waits, throws or grows beyond its bounds: what a collector that is slow, hangs or refuses does not take costs
 *    spans, the newest first, and each is counted.
 * 2. One batch is sent at a time. One that may succeed later is sent again, and the others wait behind it.
 * 3. Of several failures in a row, the first is reported, and the end; not those between.
 */
import type { Clock } from "../../ports.ts";
import type { Span } from "./span.ts";
import { spanBytesMax, writeSpan } from "./span-bytes.ts";

export interface SpanQueueSettings {
  readonly maxSpans: number;
  readonly batchSpans: number;
  /** How long a span waits for others to go with it. */
  readonly delayMs: number;
}

/** `isRetryable`: the same batch may be taken later. */
export type Sent =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly isRetryable: boolean };

export interface SpanQueue {
  add(span: Span): void;
  waiting(): number;
  dropped(): number;
  exported(): number;
  /** Sends what is left, for so long at the most. */
  close(withinMs: number): Promise<void>;
}

export type QueueNote =
  | { readonly kind: "failing"; readonly reason: string }
  | { readonly kind: "works-again"; readonly dropped: number };

interface Batch {
  readonly bytes: Uint8Array;
  readonly spans: number;
}

const chunkBytes = 262_144;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

export interface SpanSink {
  /** Settles within a time limit of its own; never rejects. `signal`: ends it early. */
  readonly send: (batch: Uint8Array, signal: AbortSignal) => Promise<Sent>;
  readonly onNote: (note: QueueNote) => void;
}

export function createSpanQueue(
  { maxSpans, batchSpans, delayMs }: SpanQueueSettings,
  clock: Pick<Clock, "after">,
  { send, onNote }: SpanSink,
): SpanQueue {
  let chunk: Buffer | null = null;
  let used = 0;
  let inChunk = 0;
  const sealed: Batch[] = [];
  let waiting = 0;
  let dropped = 0;
  let exported = 0;
  let retryMs = 0;
  let sending: Promise<boolean> | null = null;
  let isClosing = false;
  let cancelTimer: (() => void) | null = null;
  const ended = new AbortController();

  return {
    add(span) {
      if (waiting >= maxSpans || ended.signal.aborted) {
        dropped++; // 1
        return;
      }
      chunk ??= Buffer.allocUnsafeSlow(chunkBytes);
      used = writeSpan(chunk, used, span);
      waiting++;
      inChunk++;
      if (inChunk >= batchSpans || used + spanBytesMax > chunkBytes) seal();
      plan();
    },
    waiting: () => waiting,
    dropped: () => dropped,
    exported: () => exported,
    async close(withinMs) {
      isClosing = true;
      const cancel = clock.after(withinMs, () => ended.abort());
      cancelTimer?.();
      seal();
      while (waiting > 0 && !ended.signal.aborted) if (!(await (sending ?? flush()))) break;
      cancel();
      ended.abort();
      dropped += waiting;
      waiting = 0;
    },
  };

  function seal(): void {
    if (chunk === null || inChunk === 0) return;
    // A buffer that is nearly full is given away; a copy of one that is not leaves it in use.
    const isFull = used * 2 > chunkBytes;
    const bytes = isFull ? chunk.subarray(0, used) : Buffer.from(chunk.subarray(0, used));
    if (isFull) chunk = null;
    sealed.push({ bytes, spans: inChunk });
    used = 0;
    inChunk = 0;
  }

  function plan(): void {
    if (sending !== null || isClosing) return;
    if (sealed.length > 0 && retryMs === 0) return void flush();
    cancelTimer ??= clock.after(retryMs === 0 ? delayMs : retryMs, () => {
      cancelTimer = null;
      seal();
      void flush();
    });
  }

  function flush(): Promise<boolean> {
    cancelTimer?.();
    cancelTimer = null;
    sending = sendFirst(); // 2
    return sending;
  }

  /** False: the collector did not take it. */
  async function sendFirst(): Promise<boolean> {
    const batch = sealed[0];
    if (batch === undefined) return true;
    const result = await send(batch.bytes, ended.signal);
    sending = null;
    if (result.ok || !result.isRetryable) {
      sealed.shift();
      waiting -= batch.spans;
    }
    if (result.ok) exported += batch.spans;
    else if (!result.isRetryable) dropped += batch.spans;
    note(result);
    if (waiting > 0) plan();
    return result.ok;
  }

  function note(result: Sent): void {
    const hasFailed = retryMs > 0;
    if (!result.ok) retryMs = Math.min(Math.max(retryMs * 2, firstRetryMs), lastRetryMs);
    else retryMs = 0;
    if (!result.ok && !hasFailed) onNote({ kind: "failing", reason: result.reason }); // 3
    if (result.ok && hasFailed) onNote({ kind: "works-again", dropped });
  }
}
