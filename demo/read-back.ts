/** Reads whole topics back from the log, as they stand. */
import type { EventLog, LogRecord, Topic } from "../src/ports.ts";

export type ReadBack =
  | { readonly ok: true; readonly records: LogRecord[] }
  | { readonly ok: false; readonly reason: string };

export async function readBack(log: EventLog, topic: Topic): Promise<ReadBack> {
  const records: LogRecord[] = [];
  const { signal } = new AbortController();
  for (let partition = 0; partition < log.partitionCount; partition++) {
    const result = await log.scan(topic, partition, 0, (some) => records.push(...some), signal);
    if (!result.ok) return { ok: false, reason: `${topic}/${partition}: ${result.reason}` };
  }
  return { ok: true, records };
}
