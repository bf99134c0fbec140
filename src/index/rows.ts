/** One row of `enrollments`, and the statements that read and write it. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Packed } from "./values.ts";

export const states = { waiting: 0, registered: 1, refused: 2 } as const;

/** As in the table (tables.ts). Topics, tenants, sources and codes are numbers. */
export interface Row {
  number: number;
  key: Uint8Array | null;
  tenant: number | null;
  machine: string | null;
  connector: string | null;
  enrolled: string | null;
  event_id: Packed | null;
  source: number | null;
  machine_hash: number | null;
  connector_hash: number | null;
  state: number;
  at_ms: number;
  graph: Packed | 0 | null;
  request: Packed | null;
  status: number | null;
  recovered: number | null;
  attempts: number | null;
  registered_partition: number | null;
  registered_offset: number | null;
  event_topic: number | null;
  event_partition: number | null;
  event_offset: number | null;
  event_ms: number | null;
  letter: number | null;
  code: number | null;
  place_topic: number | null;
  place_partition: number | null;
  place_offset: number | null;
}

/** Those that rarely change, and the indexes on them with them. */
const nameColumns = [
  ...["tenant", "machine", "connector", "enrolled", "event_id", "source", "machine_hash", "connector_hash"],
] as const satisfies readonly (keyof Row)[];

const stateColumns = [
  ...["state", "at_ms", "request", "status", "recovered", "attempts", "registered_partition"],
  ...["registered_offset", "event_topic", "event_partition", "event_offset", "event_ms", "letter"],
  ...["place_topic", "place_partition", "place_offset"],
] as const satisfies readonly (keyof Row)[];

const columns: readonly (keyof Row)[] = ["key", ...nameColumns, ...stateColumns, "graph", "code"];
export const rowColumns: readonly (keyof Row)[] = ["number", ...columns];

export type NewRow = Omit<Row, "number">;

export const emptyRow: NewRow = {
  key: null,
  tenant: null,
  machine: null,
  connector: null,
  enrolled: null,
  event_id: null,
  source: null,
  machine_hash: null,
  connector_hash: null,
  state: states.waiting,
  at_ms: 0,
  graph: null,
  request: null,
  status: null,
  recovered: null,
  attempts: null,
  registered_partition: null,
  registered_offset: null,
  event_topic: null,
  event_partition: null,
  event_offset: null,
  event_ms: null,
  letter: null,
  code: null,
  place_topic: null,
  place_partition: null,
  place_offset: null,
};

export class Rows {
  readonly #insert: StatementSync;
  readonly #byKey: StatementSync;
  readonly #byNumber: StatementSync;
  readonly #updates: readonly { readonly names: readonly (keyof Row)[]; readonly run: StatementSync }[];
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      `INSERT INTO enrollments (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    );
    this.#byKey = db.prepare(`SELECT ${rowColumns.join(", ")} FROM enrollments WHERE key = ?`);
    this.#byNumber = db.prepare(`SELECT ${rowColumns.join(", ")} FROM enrollments WHERE number = ?`);
    const groups: (readonly (keyof Row)[])[] = [nameColumns, stateColumns, ["graph"], ["code"]];
    this.#updates = groups.map((names) => ({
      names,
      run: db.prepare(
        `UPDATE enrollments SET ${names.map((name) => `${name} = ?`).join(", ")} WHERE number = ?`,
      ),
    }));
    this.#remove = db.prepare("DELETE FROM enrollments WHERE number = ?");
  }

  /** Returns its number. */
  insert(row: NewRow): number {
    return Number(this.#insert.run(...columns.map((name) => row[name as keyof NewRow])).lastInsertRowid);
  }

  byKey(key: Uint8Array): Row | null {
    return (this.#byKey.get(key) as Row | undefined) ?? null;
  }

  byNumber(number: number): Row | null {
    return (this.#byNumber.get(number) as Row | undefined) ?? null;
  }

  /** Writes what differs, so that indexes on the rest are left alone. */
  update(before: Row, after: Row): void {
    for (const { names, run } of this.#updates) {
      if (names.every((name) => isSame(before[name], after[name]))) continue;
      run.run(...names.map((name) => after[name]), after.number);
    }
  }

  remove(number: number): void {
    this.#remove.run(number);
  }
}

function isSame(a: Row[keyof Row], b: Row[keyof Row]): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}
