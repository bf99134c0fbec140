/**
 * The first reading of the registered topic, which may hold millions: rows are only added, and what insertions one by one would make
 * slow (indexes, duplicates, counts) is done at its end, by sorting. Positions and rows are stored together here too, so a process that
 * was killed continues the load; the steps at its end may be repeated.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LogRecord } from "../ports.ts";
import { registeredColumns } from "./columns.ts";
import { readFacts } from "./registered-facts.ts";
import { states } from "./rows.ts";
import type { Store } from "./store.ts";
import { configureLoaded, keyIndex, otherIndexes, type Phase } from "./tables.ts";
import { minuteMs, minutesKept, tenantTotals } from "./tallies.ts";
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
export async function finishLoad(db: DatabaseSync): Promise<void> {
  for (const index of [keyIndex, ...otherIndexes]) {
    db.exec(index);
    await nextTurn();
  }
  db.exec("BEGIN");
  db.exec(`DELETE FROM enrollments WHERE number IN (
    SELECT e.number FROM tombstones t CROSS JOIN enrollments e ON e.key = t.key
    WHERE e.registered_partition = t.partition AND e.registered_offset < t.offset)`);
  db.exec("DELETE FROM tombstones");
  // Of several records of one key the earliest stays: columns.isEarlier, as SQL. After a repartition every record may stand twice.
  db.exec(`DELETE FROM enrollments WHERE number IN (
    SELECT number FROM (
      SELECT number, row_number() OVER (PARTITION BY key ORDER BY at_ms, registered_partition, registered_offset) AS place
      FROM enrollments WHERE key IN (SELECT key FROM enrollments GROUP BY key HAVING count(*) > 1)
    ) WHERE place > 1)`);
  db.exec(`INSERT INTO totals SELECT 'state', ${states.registered}, count(*) FROM enrollments`);
  db.exec(`INSERT INTO totals SELECT '${tenantTotals[states.registered]}', tenant, count(*) FROM enrollments
    WHERE tenant IS NOT NULL GROUP BY tenant`);
  db.exec(`INSERT INTO minutes SELECT at_ms / ${minuteMs} AS minute, 0, count(*), 0 FROM enrollments
    WHERE at_ms > (SELECT max(at_ms) FROM enrollments) - ${minutesKept * minuteMs} GROUP BY minute`);
  const ready: Phase = "ready";
  db.prepare("UPDATE meta SET phase = ?").run(ready);
  db.exec("COMMIT");
  configureLoaded(db);
}
