/**
 * One reader of the topics for a file of the index. The lock is SQLite's exclusive lock on the empty database beside it: the operating
 * system drops it when the process ends, however that ends.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Problem } from "../problem.ts";
import { inUse, troubleOf, unusable } from "./errors.ts";

export type IndexLocking =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly problem: Problem };

export function lockIndex(path: string): IndexLocking {
  const file = `${path}.lock`;
  let db: DatabaseSync | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec("BEGIN EXCLUSIVE");
    const held = db;
    return { ok: true, release: () => held.close() };
  } catch (error) {
    if (db?.isOpen) db.close();
    const trouble = troubleOf(error, file);
    if (trouble === null) throw error;
    if (trouble.kind === "damaged") return { ok: false, problem: unusable(file, trouble.detail) };
    const { problem } = trouble;
    return { ok: false, problem: problem.code === "index-busy" ? inUse(path) : problem };
  }
}
