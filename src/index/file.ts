/**
 * The file of the index: opened, made, or made again. It holds nothing that the topics don't, so a file of another version or a damaged
 * one is replaced. One reader of the topics writes it (lock.ts); views of it may be open beside that, in other threads of the same process.
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
import {
  applicationId,
  configure,
  configureLoaded,
  configureView,
  createTables,
  type Phase,
  schemaVersion,
} from "./tables.ts";

const busyTimeoutMs = 200;

/** What is asked goes through one of these. */
export interface View {
  readonly db: DatabaseSync;
  readonly store: Store;
  readonly search: Search;
}

/** An open file with its statements. */
export interface IndexFile extends View {
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

/** A second connection, which sees what was committed. Throws what SQLite throws. */
export function openView(path: string): View {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
  try {
    configureView(db);
    const store = createStore(db);
    return { db, store, search: new Search(db, store) };
  } catch (error) {
    db.close();
    throw error;
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
  const phase = phaseOf(db);
  if (phase === "ready") configureLoaded(db);
  return { db, store, ...parts, phase };
}
