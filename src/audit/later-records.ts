/** Records of `connector.registered` that came after an export, of keys whose exported record is gone: compaction keeps the last one. */
import { readLedgerEntry } from "../domain/registered.ts";
import type { EventLog, LogRecord } from "../ports.ts";

/** By key: `registered/3/1042`. What can't be read is left out: it explains nothing. */
export async function laterRecords(
  { log, ends }: { readonly log: EventLog; readonly ends: readonly number[] },
  keys: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (keys.size === 0) return found;
  const onRecords = (records: readonly LogRecord[]) => {
    for (const record of records) {
      const key = readLedgerEntry(record)?.idempotencyKey;
      if (key !== undefined && keys.has(key))
        found.set(key, `registered/${record.partition}/${record.offset}`);
    }
  };
  for (const [partition, end] of ends.entries())
    await log.scan("registered", partition, end, onRecords, signal);
  return found;
}
