/**
 * The file of the index: opened, made, or made again. It holds nothing that the topics don't, so a file of another version or a damaged
 * one is replaced. Only one process has it at a time: SQLite's lock on it ends with the process, however that ends.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Problem } from "../problem.ts";
import { foreign, troubleOf } from "./errors.ts";
import { createLoad, phaseOf } from "./first-load.ts";
import { Positions } from "./positions.ts";
import { Search } from "./query.ts";
import { createStore, type Store } from "./store.ts";
import { applicationId, configure, createTables, type Phase, schemaVersion } from "./tables.ts";

const busyTimeoutMs = 200;

/** An open file with its statements. */
export interface IndexFile {
  readonly db: DatabaseSync;
  readonly store: Store;
  readonly search: Search;
  readonly positions: Positions;
  readonly load: ReturnType<typeof createLoad>;
  phase: Phase;
}

export type FileOpening =
  /** `rebuilt`: why what was there was thrown away; null: it wasn't. */
  | { readonly ok: true; readonly file: IndexFile; readonly rebuilt: string | null }
  | { readonly ok: false; readonly problem: Problem };

export function openFile(path: string): FileOpening {
  let rebuilt: string | null = null;
  // Once as it is, once made again.
  for (let tries = 0; ; tries++) {
    let db: DatabaseSync | null = null;
    try {
      mkdirSync(dirname(path), { recursive: true });
      db = new DatabaseSync(path, { timeout: busyTimeoutMs });
      configure(db);
      const unfit = prepare(db);
      if (unfit === null) return { ok: true, file: withStatements(db), rebuilt };
      db.close();
      if (unfit === "foreign") return { ok: false, problem: foreign(path) };
      rebuilt = unfit;
      removeFile(path);
    } catch (error) {
      if (db?.isOpen) db.close();
      const trouble = troubleOf(error, path);
      if (trouble === null) throw error;
      if (trouble.kind === "problem") return { ok: false, problem: trouble.problem };
      if (tries > 0) throw error;
      rebuilt = `it was damaged (${trouble.detail})`;
      if (trouble.isForeign) renameSync(path, `${path}.damaged`);
      removeFile(path);
    }
  }
}

export function removeFile(path: string): void {
  for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(path + end, { force: true });
}

/** Null: ready; "foreign"; or why it is to be made again. */
function prepare(db: DatabaseSync): string | null {
  const number = (pragma: string) => Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  const isEmpty = db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isEmpty) {
    db.exec("BEGIN IMMEDIATE");
    createTables(db);
    db.exec("COMMIT");
    return null;
  }
  if (number("application_id") !== applicationId) return "foreign";
  const version = number("user_version");
  return version === schemaVersion
    ? null
    : `it had format ${version}, this version keeps format ${schemaVersion}`;
}

function withStatements(db: DatabaseSync): IndexFile {
  const store = createStore(db);
  const parts = { search: new Search(db, store), positions: new Positions(db), load: createLoad(db, store) };
  return { db, store, ...parts, phase: phaseOf(db) };
}
