/**
 * What an emulator holds, in a file (SQLite): it survives the emulator's end, whatever ends it.
 *
 * 1. A change is written before its request is answered, one row for one object: what a request costs does not grow with what is
 *    held.
 * 2. The file carries the number of its form. One of another form, of another program, or in use, is refused and left as it is.
 * 3. Settings are kept as they were given; what is kept is checked again when it is read.
 */

import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Clock } from "./clock.ts";
import type { Problem } from "./host.ts";
import type { Journal } from "./journal.ts";
import { type Model, newModel, restore } from "./model.ts";
import type { GraphObject } from "./resource.ts";

export const keptSettings = ["faults", "settings", "entra"] as const;
export type KeptSettings = (typeof keptSettings)[number];

export interface Store {
  readonly journal: Journal;
  /** The model from the file. From now on each of its changes is written there. */
  model(): Model;
  /** What was given last; undefined: nothing. */
  settings(name: KeptSettings): unknown;
  keep(name: KeptSettings, given: unknown): void;
  /** Signs the tokens, so that those of before the restart are good. */
  signingKey(): Uint8Array;
  close(): void;
}

export class DataFileProblem extends Error {
  readonly problem: Problem;

  constructor(path: string, what: string, fix: string) {
    super(`--data ${path} ${what}`);
    this.problem = { code: "data-file", message: `--data ${path} ${what}.`, fix };
  }
}

/** "Grph", in SQLite's header. */
const applicationId = 0x47727068;
const form = 1;
const schema = `
  CREATE TABLE object (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL UNIQUE,
    created_wall_ms REAL NOT NULL,
    object TEXT NOT NULL,
    sent TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE setting (name TEXT PRIMARY KEY, given TEXT NOT NULL) STRICT;
  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
`;

/** Throws DataFileProblem. */
export async function openStore(path: string, clock: Clock): Promise<Store> {
  const { DatabaseSync: Database } = await import("node:sqlite");
  const otherFile = "Give --data the path of a file that this command made, or of none that exists yet.";
  const tell = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof DataFileProblem) throw error;
      throw problemOf(path, error as Error, otherFile);
    }
  };
  return tell(() => {
    // Client secrets and the key of the tokens stand in it.
    closeSync(openSync(path, "a", 0o600));
    const database = new Database(path);
    try {
      prepare(database, path, otherFile);
      return storeOf(database, clock, tell);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function prepare(database: DatabaseSync, path: string, fix: string): void {
  // Held from the first reading on, until the process ends: a second emulator on the same file would go its own way.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = NORMAL;");
  database.exec("BEGIN EXCLUSIVE");
  const [tables, id, version] = [
    "SELECT count(*) AS value FROM sqlite_schema",
    "SELECT application_id AS value FROM pragma_application_id",
    "SELECT user_version AS value FROM pragma_user_version",
  ].map((query) => database.prepare(query).get()!.value);
  if (tables === 0) {
    database.exec(`${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${form};`);
  } else if (id !== applicationId) {
    throw new DataFileProblem(path, "belongs to another program", fix);
  } else if (version !== form) {
    const what = `has form ${version}, and this version of the emulator reads form ${form}`;
    throw new DataFileProblem(path, what, "Use the version of the emulator that made it, or another file.");
  }
  database.exec("COMMIT");
  database.exec("PRAGMA journal_mode = WAL");
}

function storeOf(database: DatabaseSync, clock: Clock, tell: <T>(work: () => T) => T): Store {
  const run = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: SQLInputValue[]) => statement.run(...values);
  };
  const insert = run("INSERT INTO object VALUES (?, ?, ?, ?, ?, ?)");
  const update = run("UPDATE object SET object = ? WHERE tenant_id = ? AND id = ?");
  const remove = run("DELETE FROM object WHERE tenant_id = ? AND id = ?");
  const count = run(
    "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  const keep = run(
    "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET given = excluded.given",
  );
  const together = (work: () => void) =>
    tell(() => {
      database.exec("BEGIN");
      try {
        work();
        database.exec("COMMIT");
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });

  const journal: Journal = {
    created: ({ tenantId, wallMs }, { object, sent, sequence }, createdCount) =>
      together(() => {
        insert(tenantId, object.id, sequence, wallMs, JSON.stringify(object), JSON.stringify(sent));
        count("created", createdCount);
        count("sequence", sequence);
      }),
    updated: ({ tenantId }, object) => tell(() => void update(JSON.stringify(object), tenantId, object.id)),
    removed: ({ tenantId }, id) => tell(() => void remove(tenantId, id)),
    cleared: () => together(() => database.exec("DELETE FROM object; DELETE FROM counter;")),
  };

  const settings: Store["settings"] = (name) => {
    const row = database.prepare("SELECT given FROM setting WHERE name = ?").get(name);
    return row === undefined ? undefined : JSON.parse(String(row.given));
  };

  return {
    journal,
    model: () => tell(() => load(database, clock, journal)),
    settings: (name) => tell(() => settings(name)),
    // Faults are given as a whole, the others by what changes.
    keep: (name, given) =>
      tell(() => {
        const before = name === "faults" ? {} : (settings(name) as object | undefined);
        keep(name, JSON.stringify({ ...before, ...(given as object) }));
      }),
    signingKey: () => tell(() => signingKey(database)),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function load(database: DatabaseSync, clock: Clock, journal: Journal): Model {
  const model = newModel(journal);
  for (const row of database.prepare("SELECT * FROM object ORDER BY sequence").iterate()) {
    // The clock that lists go by begins again with each process.
    const ageMs = Math.max(0, clock.wallMs() - Number(row.created_wall_ms));
    restore(model, String(row.tenant_id), {
      object: JSON.parse(String(row.object)) as GraphObject,
      sent: JSON.parse(String(row.sent)) as GraphObject,
      sequence: Number(row.sequence),
      createdAtMs: clock.nowMs() - ageMs,
    });
  }
  const counter = (name: string) =>
    Number(database.prepare("SELECT value FROM counter WHERE name = ?").get(name)?.value ?? 0);
  model.createdCount = counter("created");
  model.nextSequence = counter("sequence") + 1;
  return model;
}

function signingKey(database: DatabaseSync): Uint8Array {
  const known = database.prepare("SELECT value FROM secret WHERE name = 'signing-key'").get();
  if (known !== undefined) return known.value as Uint8Array;
  const key = randomBytes(32);
  database.prepare("INSERT INTO secret VALUES ('signing-key', ?)").run(key);
  return key;
}

/** Of the file system's codes and SQLite's (https://sqlite.org/rescode.html). */
function problemOf(path: string, error: Error, otherFile: string): Error {
  const { code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === 5)
    return new DataFileProblem(path, "is in use by another emulator", "End it, or give another file.");
  if (primary === 26) return new DataFileProblem(path, "was not made by this command", otherFile);
  if (primary === 11 || error instanceof SyntaxError)
    return new DataFileProblem(
      path,
      `is damaged (${error.message})`,
      "Restore it from a copy, or give another file.",
    );
  if (primary === 13)
    return new DataFileProblem(path, "can't be written: the disk is full", "Make room on the disk.");
  if (primary !== undefined || code !== undefined) {
    const fix = "Give --data the path of a file in a directory that exists and can be written to.";
    return new DataFileProblem(
      path,
      `can't be used (${code === "ERR_SQLITE_ERROR" ? error.message : (code ?? error.message)})`,
      fix,
    );
  }
  return error;
}
