/**
 * The tables of `log.db`. One table a partition, so that every append goes to the end of a B-tree.
 *
 * - `state`: one row. `sequence` counts the write transactions (see high-water-mark.ts), `generation` the workers.
 * - `bounds`: one row a partition. Its records are exactly the offsets from `log_start` up to `next_offset`, without
 *   a hole; whatever contradicts that is damage.
 * - `commits`: the committed offsets of the inputs.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Topic } from "../../ports.ts";
import { damaged, type Failure } from "./errors.ts";
import { topics } from "./record-bytes.ts";

/** "cnrg", in SQLite's application_id field. */
const applicationId = 0x636e7267;
const schemaVersion = 1;

export function tableOf(topic: Topic, partition: number): string {
  return `${topic}_${partition}`;
}

/**
 * Creates the tables in a new file, checks them in an old one; null: fine. The file may be shared with others; one
 * that is not ours is left as it is.
 */
export function prepareSchema(db: DatabaseSync, file: string, partitionCount: number): Failure | null {
  if (isForeign(db)) return foreignFile(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON");
  if (isEmpty(db)) createSchema(db, partitionCount);
  const version = numberOf(db, "PRAGMA user_version");
  return version === schemaVersion ? checkBounds(db, file) : otherVersion(file, version);
}

function createSchema(db: DatabaseSync, partitionCount: number): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have created it since.
    if (isEmpty(db)) {
      db.exec(`
        PRAGMA application_id = ${applicationId};
        PRAGMA user_version = ${schemaVersion};
        CREATE TABLE state (
          id INTEGER PRIMARY KEY CHECK (id = 1), partition_count INTEGER NOT NULL,
          sequence INTEGER NOT NULL, generation INTEGER NOT NULL
        ) STRICT;
        INSERT INTO state VALUES (1, ${partitionCount}, 0, 0);
        CREATE TABLE bounds (
          topic TEXT NOT NULL, partition INTEGER NOT NULL, log_start INTEGER NOT NULL,
          next_offset INTEGER NOT NULL CHECK (next_offset >= log_start), PRIMARY KEY (topic, partition)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE commits (
          topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, metadata BLOB NOT NULL,
          checksum INTEGER NOT NULL, PRIMARY KEY (topic, partition)
        ) STRICT, WITHOUT ROWID;
      `);
      for (const topic of topics) {
        for (let partition = 0; partition < partitionCount; partition += 1) {
          db.exec(`
            CREATE TABLE ${tableOf(topic, partition)} (
              offset INTEGER PRIMARY KEY, timestamp_ms INTEGER NOT NULL, key BLOB, value BLOB,
              headers BLOB NOT NULL, checksum INTEGER NOT NULL
            ) STRICT;
            INSERT INTO bounds VALUES ('${topic}', ${partition}, 0, 0);
          `);
        }
      }
    }
    db.exec("COMMIT");
  } finally {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}

/** Each partition begins and ends where `bounds` says. Costs two look-ups a partition, for a log of any length. */
function checkBounds(db: DatabaseSync, file: string): Failure | null {
  db.exec("BEGIN");
  try {
    const partitionCount = numberOf(db, "SELECT partition_count FROM state");
    for (const topic of topics) {
      for (let partition = 0; partition < partitionCount; partition += 1) {
        const place = `topic = '${topic}' AND partition = ${partition}`;
        const row = db
          .prepare(
            `SELECT log_start AS logStart, next_offset AS nextOffset,
               (SELECT min(offset) FROM ${tableOf(topic, partition)}) AS first,
               (SELECT max(offset) FROM ${tableOf(topic, partition)}) AS last
             FROM bounds WHERE ${place}`,
          )
          .get() as
          | { logStart: number; nextOffset: number; first: number | null; last: number | null }
          | undefined;
        if (row === undefined) return damaged(file, `nothing is known of partition ${topic}/${partition}`);
        const { logStart, nextOffset, first, last } = row;
        if ((first ?? nextOffset) !== logStart || (last ?? nextOffset - 1) !== nextOffset - 1) {
          return damaged(
            file,
            `${topic}/${partition} should hold the offsets ${logStart} to ${nextOffset - 1}, but holds ${first ?? "none"} to ${last ?? "none"}`,
          );
        }
      }
    }
    return null;
  } finally {
    // After some errors SQLite has ended the transaction already; COMMIT would then hide the error that counts.
    if (db.isTransaction) db.exec("COMMIT");
  }
}

/** SQLite's own check of the B-trees, about 0.6 ms a megabyte. Skipped (null) where the file is larger than the limit. */
export function quickCheck(db: DatabaseSync, file: string, maxBytes: number): Failure | null {
  const fileBytes = numberOf(db, "PRAGMA page_count") * numberOf(db, "PRAGMA page_size");
  if (fileBytes > maxBytes) return null;
  const row = db.prepare("PRAGMA quick_check(1)").get();
  const answer = String(row === undefined ? "no answer" : Object.values(row)[0]);
  return answer === "ok" ? null : damaged(file, answer.replaceAll(/\s+/g, " "));
}

/** Both looks in one moment: between them another process may make an empty file one of ours. */
function isForeign(db: DatabaseSync): boolean {
  db.exec("BEGIN");
  try {
    return numberOf(db, "PRAGMA application_id") !== applicationId && !isEmpty(db);
  } finally {
    // After some errors SQLite has ended the transaction already; COMMIT would then hide the error that counts.
    if (db.isTransaction) db.exec("COMMIT");
  }
}

function isEmpty(db: DatabaseSync): boolean {
  return numberOf(db, "SELECT count(*) FROM sqlite_schema") === 0;
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? { none: Number.NaN })[0]);
}

function foreignFile(file: string): Failure {
  return {
    problem: {
      code: "log-foreign",
      message: `${file} is a SQLite file, but not an event log of connector-registrar.`,
      fix: "Choose another directory: DATA_DIR=<directory>",
    },
    retryable: false,
  };
}

function otherVersion(file: string, version: number): Failure {
  return {
    problem: {
      code: "log-version",
      message: `The event log ${file} has format ${version}; this connector-registrar reads format ${schemaVersion}.`,
      fix: `Run the version of connector-registrar that wrote it, or choose another directory: DATA_DIR=<directory>`,
    },
    retryable: false,
  };
}
