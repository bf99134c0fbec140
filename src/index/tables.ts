/**
 * The tables of the index, and what a file must be to be one. Compact: ids as bytes, names that repeat by number, no JSON but pointers.
 *
 * - `meta`: one row; `phase` is "loading" while the first reading of the registered topic has no indexes yet (see first-load.ts).
 * - `positions`: up to where each partition was read, with a check of the last record, to know it again; `topic_id` as in a survey.
 * - `enrollments`: one row an enrollment, and one a dead letter in which no enrollment can be read (its key is NULL).
 *   `graph` is 0 where Graph's id is the key. `place_*`: where a waiting one stands. `registered_*`: of the registered record.
 * - `letters`: the dead letters. `is_open`: neither replayed nor registered since.
 * - `totals`, `minutes`: counts that are kept up rather than counted.
 */
import type { DatabaseSync } from "node:sqlite";

/** "cnri", in SQLite's application_id field. */
export const applicationId = 0x636e7269;
/** Another one is built again from the topics, never converted. */
export const schemaVersion = 2;

export type Phase = "loading" | "ready";

export function configure(db: DatabaseSync): void {
  db.exec(`
    PRAGMA page_size = 4096;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 8192;
  `);
}

/** After the first load, whose sorting needs the large cache: later records touch few pages of each index. */
export function configureLoaded(db: DatabaseSync): void {
  db.exec("PRAGMA cache_size = -16384; PRAGMA shrink_memory;");
}

/** Of a connection that only reads: every commit empties its cache, so a large one is of no use. */
export function configureView(db: DatabaseSync): void {
  db.exec(`
    PRAGMA query_only = ON;
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -8192;
  `);
}

export function createTables(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), phase TEXT NOT NULL, unreadable INTEGER NOT NULL) STRICT;
    INSERT INTO meta VALUES (1, 'loading', 0);
    CREATE TABLE positions (
      topic INTEGER NOT NULL, partition INTEGER NOT NULL, topic_id TEXT, next_offset INTEGER NOT NULL,
      check_offset INTEGER, check_sum BLOB, PRIMARY KEY (topic, partition)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE enrollments (
      number INTEGER PRIMARY KEY, key BLOB, tenant INTEGER, machine TEXT, connector TEXT, enrolled TEXT,
      event_id ANY, source INTEGER, machine_hash INTEGER, connector_hash INTEGER,
      state INTEGER NOT NULL, at_ms INTEGER NOT NULL, graph ANY, request ANY, status INTEGER, recovered INTEGER,
      attempts INTEGER, registered_partition INTEGER, registered_offset INTEGER,
      event_topic INTEGER, event_partition INTEGER, event_offset INTEGER, event_ms INTEGER,
      letter INTEGER, code INTEGER, place_topic INTEGER, place_partition INTEGER, place_offset INTEGER
    ) STRICT;
    CREATE TABLE letters (
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, enrollment INTEGER NOT NULL, code INTEGER NOT NULL,
      message TEXT NOT NULL, pointers TEXT, attempts INTEGER NOT NULL, request ANY, at_ms INTEGER NOT NULL,
      replayed INTEGER NOT NULL, is_open INTEGER NOT NULL, at_topic INTEGER NOT NULL, at_partition INTEGER NOT NULL,
      at_offset INTEGER NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX letters_of ON letters (enrollment);
    CREATE TABLE totals (kind TEXT NOT NULL, code INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, code))
      STRICT, WITHOUT ROWID;
    CREATE TABLE minutes (
      minute INTEGER PRIMARY KEY, events INTEGER NOT NULL, registered INTEGER NOT NULL, refused INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE tombstones (key BLOB NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL) STRICT;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
  `);
}

export const keyIndex = "CREATE INDEX IF NOT EXISTS by_key ON enrollments (key)";

/** Made after the first load, when sorting does it, not a million insertions into each. */
export const otherIndexes: readonly string[] = [
  "by_machine ON enrollments (machine_hash, at_ms)",
  "by_connector ON enrollments (connector_hash, at_ms)",
  "by_tenant ON enrollments (tenant, at_ms)",
  "by_time ON enrollments (at_ms)",
  "by_event ON enrollments (event_id)",
  "by_graph ON enrollments (graph) WHERE graph IS NOT NULL AND graph <> 0",
  "by_code ON enrollments (code, at_ms) WHERE code IS NOT NULL",
  "by_waiting ON enrollments (at_ms) WHERE state = 0",
  "by_refused ON enrollments (at_ms) WHERE state = 2",
].map((index) => `CREATE INDEX IF NOT EXISTS ${index}`);
