/**
 * Where log lines go, whatever happens there: a full disk, a reader that is gone, a blocked pipe.
 *
 * Invariants
 * 1. `write` neither waits nor throws: trouble of the sink costs lines, never work.
 * 2. What waits is bounded. Lines beyond the bound are dropped, the newest first, and counted.
 * 3. Lines keep their order. A line that was begun is written to its end before the next one.
 * 4. Once the sink has taken all that waited, `onRecovered` is called with the number of missing lines, and the reason.
 */
import type { Clock } from "../ports.ts";

export interface LogSinkSettings {
  /** Writes what there is room for, without waiting; returns how many bytes that were. Throws what `writeSync` throws. */
  readonly writeSome: (bytes: Uint8Array) => number;
  readonly maxWaitingBytes: number;
  readonly onDropped: (lines: number) => void;
  readonly onRecovered: (lines: number, reason: string) => void;
}

export interface LogSink {
  /** One line, with its line break. */
  write(line: string): void;
  /** Waits so long for what is not written yet; what is left then is given up. */
  close(withinMs: number): Promise<void>;
}

/** A pipe whose reader is slow has room again soon; a disk has not. */
const fullPipeRetryMs = 20;
const troubleRetryMs = 1_000;

export function openLogSink(settings: LogSinkSettings, clock: Clock): LogSink {
  const { writeSome, maxWaitingBytes, onDropped, onRecovered } = settings;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let reason = "";
  let cancelRetry: (() => void) | null = null;
  let onEmpty: (() => void) | null = null;

  /** True: all is written. False: the rest waits for the next try. */
  function flush(): boolean {
    for (let line = waiting[0]; line !== undefined; line = waiting[0]) {
      let written: number;
      try {
        written = writeSome(line);
      } catch (error) {
        const { code = "unknown" } = error as NodeJS.ErrnoException;
        if (code === "EINTR") continue;
        reason = code;
        retryLater(code === "EAGAIN" ? fullPipeRetryMs : troubleRetryMs);
        return false;
      }
      waitingBytes -= written;
      if (written < line.length) waiting[0] = line.subarray(written);
      else waiting.shift();
    }
    return true;
  }

  function retryLater(delayMs: number): void {
    cancelRetry = clock.after(delayMs, () => {
      cancelRetry = null;
      // In one piece: what was held back may be thousands of lines.
      waiting = [Buffer.concat(waiting)];
      if (flush()) recovered();
    });
  }

  function recovered(): void {
    const lines = dropped;
    dropped = 0;
    if (lines > 0) onRecovered(lines, reason);
    if (cancelRetry === null) onEmpty?.();
  }

  return {
    write(text) {
      const line = Buffer.from(text);
      if (waitingBytes + line.length > maxWaitingBytes) {
        dropped += 1;
        return onDropped(1);
      }
      waiting.push(line);
      waitingBytes += line.length;
      if (cancelRetry === null) flush();
    },
    async close(withinMs) {
      if (cancelRetry !== null && withinMs > 0) {
        const emptied = Promise.withResolvers<void>();
        onEmpty = emptied.resolve;
        const cancel = clock.after(withinMs, emptied.resolve);
        await emptied.promise;
        cancel();
      }
      cancelRetry?.();
      cancelRetry = null;
    },
  };
}
