/**
 * The first reading of the registered topic, which may hold millions: rows are only added, and what insertions one by one would make
 * slow (indexes, duplicates, counts) is done at its end, by sorting. Positions and rows are stored together here too, so a process that
 * was killed goes on with the load; the steps at its end may be repeated.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LogRecord } from "../ports.ts";
import { isEarlier, registeredColumns } from "./columns.ts";
import { readFacts } from "./registered-facts.ts";
import { states } from "./rows.ts";
import type { Store } from "./store.ts";
import { keyIndex, otherIndexes, type Phase } from "./tables.ts";
import { minuteMs, minutesKept } from "./tallies.ts";
import { keyBytes } from "./values.ts";

export function phaseOf(db: DatabaseSync): Phase {
  return (db.prepare("SELECT phase FROM meta").get() as { phase: Phase }).phase;
}

/** Of the registered topic. */
export function createLoad(db: DatabaseSync, { rows, texts, tallies }: Store): (record: LogRecord) => void {
  const removed = db.prepare("INSERT INTO tombstones VALUES (?, ?, ?)");
  return (record) => {
    const read = readFacts(record);
    if (read.kind === "unreadable") tallies.unreadable();
    else if (read.kind === "registered") rows.insert(registeredColumns(texts, read.facts, record));
    else removed.run(keyBytes(read.key), record.partition, record.offset);
  };
}

/** The event loop has a turn between its steps. */
export async function finishLoad(db: DatabaseSync, store: Store): Promise<void> {
  for (const index of [keyIndex, ...otherIndexes]) {
    db.exec(index);
    await nextTurn();
  }
  db.exec("BEGIN");
  db.exec(`DELETE FROM enrollments WHERE number IN (
    SELECT e.number FROM tombstones t CROSS JOIN enrollments e ON e.key = t.key
    WHERE e.registered_partition = t.partition AND e.registered_offset < t.offset)`);
  db.exec("DELETE FROM tombstones");
  removeDuplicates(db, store);
  db.exec(`INSERT INTO totals SELECT 'state', ${states.registered}, count(*) FROM enrollments`);
  db.exec(`INSERT INTO minutes SELECT at_ms / ${minuteMs} AS minute, 0, count(*), 0 FROM enrollments
    WHERE at_ms > (SELECT max(at_ms) FROM enrollments) - ${minutesKept * minuteMs} GROUP BY minute`);
  const ready: Phase = "ready";
  db.prepare("UPDATE meta SET phase = ?").run(ready);
  db.exec("COMMIT");
}

function removeDuplicates(db: DatabaseSync, { rows }: Store): void {
  const numbers = db.prepare("SELECT number FROM enrollments WHERE key = ?");
  const several = db.prepare("SELECT key FROM enrollments GROUP BY key HAVING count(*) > 1");
  for (const { key } of several.all() as unknown as { key: Uint8Array }[]) {
    const found = (numbers.all(key) as unknown as { number: number }[]).map(
      ({ number }) => rows.byNumber(number)!,
    );
    const earliest = found.reduce((a, b) => (isEarlier(b, a) ? b : a));
    for (const row of found) if (row !== earliest) rows.remove(row.number);
  }
}
