/** What one partition has registered: idempotency key -> Graph id, as read from `connector.registered`. */
import { readLedgerEntry } from "../domain/registered.ts";
import type { LogRecord } from "../ports.ts";

export interface Ledger {
  readonly ids: Map<string, string>;
  /** Where the next catch-up reads on. */
  nextOffset: number;
}

export function createLedger(): Ledger {
  return { ids: new Map(), nextOffset: 0 };
}

/** Takes records of the registered topic in; the first id of a key stays. */
export function absorb(ledger: Ledger, records: readonly LogRecord[]): void {
  for (const record of records) {
    const entry = readLedgerEntry(record);
    if (entry !== null && !ledger.ids.has(entry.idempotencyKey))
      remember(ledger, entry.idempotencyKey, entry.graphId);
    ledger.nextOffset = record.offset + 1;
  }
}

export function remember(ledger: Ledger, idempotencyKey: string, graphId: string): void {
  ledger.ids.set(idempotencyKey, graphId);
}
