/** Random ids of traces and spans, as hexadecimal digits. */
import { randomFillSync } from "node:crypto";

const poolBytes = 8_192;

export interface TraceIds {
  traceId(): string;
  spanId(): string;
}

export function createTraceIds(): TraceIds {
  const pool = Buffer.allocUnsafeSlow(poolBytes);
  let used = poolBytes;
  return { traceId: () => take(16), spanId: () => take(8) };

  function take(bytes: number): string {
    if (used + bytes > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.toString("hex", used - bytes, used);
  }
}
