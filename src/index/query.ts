/**
 * Searches. One criterion leads, by its index and in the order of the answer; the others are looked at row by row, so a search that
 * few rows lead to is quick, and one of a common name in a large tenant walks through that name's rows.
 *
 * Names are indexed by a hash that others may share: each row is compared with the name itself (1).
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { foldMachineName } from "../domain/identity.ts";
import { isUuid } from "../domain/uuid.ts";
import { cursorText, readCursor } from "./cursor.ts";
import type { SearchQuery, SearchResult } from "./enrollment-index.ts";
import { type Row, rowColumns, states } from "./rows.ts";
import type { Store } from "./store.ts";
import { toEnrollment } from "./to-enrollment.ts";
import { keyBytes, machineHash, nameHash, pack } from "./values.ts";

const limitMax = 1000;
/** So many tenants are asked for one by one and merged; more are looked for among all. */
const mergedTenantsMax = 64;
/** Statements are kept by their text, of which there are few. */
const statementsMax = 200;

interface Where {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** What leads, first come first. A row that it leads to holds for it. */
const leads = [
  "key",
  "graphId",
  "eventId",
  "machineName",
  "code",
  "state",
  "connectorName",
  "tenantIds",
] as const;

export class Search {
  readonly #db: DatabaseSync;
  readonly #store: Store;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, store: Store) {
    this.#db = db;
    this.#store = store;
  }

  run(query: SearchQuery): SearchResult {
    const limit = Math.min(limitMax, Math.max(1, Math.floor(query.limit) || 1));
    const found = this.#sources(query).flatMap((where) => this.#rows(where, query, limit + 1));
    found.sort((a, b) => b.at_ms - a.at_ms || b.number - a.number);
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    const next = found.length > limit && last ? cursorText({ atMs: last.at_ms, row: last.number }) : null;
    return { rows: rows.map((row) => toEnrollment(this.#store, row)), next };
  }

  /** One for each part of the answer; together they have all of it, and no row twice. */
  #sources(query: SearchQuery): Where[] {
    const parts = this.#criteria(query);
    if (parts === null) return [];
    const { tenants, wheres, isLed } = parts;
    if (tenants === null) return [joined(wheres)];
    if (!isLed && tenants.length <= mergedTenantsMax)
      return tenants.map((tenant) => joined([{ sql: "tenant = ?", values: [tenant] }, ...wheres]));
    // With a plus the planner keeps away from the index on tenants.
    const among = { sql: `+tenant IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(tenants)] };
    return [joined([...wheres, among])];
  }

  /** Null: nothing can hold for all. */
  #criteria(query: SearchQuery): { tenants: number[] | null; wheres: Where[]; isLed: boolean } | null {
    const { texts } = this.#store;
    const wheres: Where[] = [];
    const lead = leads.find(
      (name) => query[name] !== undefined && !(name === "state" && query.state === "registered"),
    );
    const add = (name: (typeof leads)[number], column: string, value: SQLInputValue) =>
      wheres.push({ sql: `${lead === name ? "" : "+"}${column} = ?`, values: [value] });
    const { key, graphId, eventId, machineName, connectorName, code, state, sinceMs, untilMs } = query;
    if (key !== undefined) {
      if (!isUuid(key)) return null;
      add("key", "key", keyBytes(key.toLowerCase()));
    }
    if (graphId !== undefined) wheres.push(graphWhere(graphId, lead === "graphId"));
    if (eventId !== undefined) add("eventId", "event_id", pack(eventId));
    if (machineName !== undefined) add("machineName", "machine_hash", machineHash(machineName));
    if (connectorName !== undefined) add("connectorName", "connector_hash", nameHash(connectorName));
    if (code !== undefined) {
      const number = texts.find(code);
      if (number === null) return null;
      add("code", "code", number);
    }
    // The index of a state is a partial one: the planner must see the number.
    if (state !== undefined)
      wheres.push({ sql: `${lead === "state" ? "" : "+"}state = ${states[state]}`, values: [] });
    if (sinceMs !== undefined) wheres.push({ sql: "at_ms >= ?", values: [sinceMs] });
    if (untilMs !== undefined) wheres.push({ sql: "at_ms < ?", values: [untilMs] });
    const after = readCursor(query.after);
    if (after !== null)
      wheres.push({
        sql: "(at_ms < ? OR (at_ms = ? AND number < ?)) AND at_ms <= ?",
        values: [after.atMs, after.atMs, after.row, after.atMs],
      });
    const asked = query.tenantIds === undefined ? null : [...new Set(query.tenantIds)];
    const tenants = asked?.flatMap((tenantId) => texts.find(tenantId) ?? []) ?? null;
    return { tenants, wheres, isLed: lead !== undefined && lead !== "tenantIds" };
  }

  #rows({ sql, values }: Where, query: SearchQuery, limit: number): Row[] {
    const text = `SELECT ${rowColumns.join(", ")} FROM enrollments ${sql === "" ? "" : `WHERE ${sql}`}
      ORDER BY at_ms DESC, number DESC`;
    const rows: Row[] = [];
    for (const row of this.#statement(text).iterate(...values) as unknown as Iterable<Row>) {
      if (!isNamed(row, query)) continue; // 1
      rows.push(row);
      if (rows.length >= limit) break;
    }
    return rows;
  }

  #statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    if (this.#statements.size >= statementsMax) this.#statements.clear();
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

function isNamed({ machine, connector }: Row, { machineName, connectorName }: SearchQuery): boolean {
  if (connectorName !== undefined && connector !== connectorName) return false;
  return machineName === undefined || foldMachineName(machine ?? "") === foldMachineName(machineName);
}

/** Graph's id is not stored where it is the key. */
function graphWhere(graphId: string, isLead: boolean): Where {
  const packed = pack(graphId);
  const other = `graph = ? AND graph IS NOT NULL AND graph <> 0`;
  if (typeof packed === "string") return { sql: isLead ? other : `+${other}`, values: [packed] };
  const numbers = `SELECT number FROM enrollments WHERE ${other} UNION SELECT number FROM enrollments WHERE key = ? AND graph = 0`;
  return { sql: `number IN (${numbers})`, values: [packed, packed] };
}

function joined(wheres: readonly Where[]): Where {
  return {
    sql: wheres.map(({ sql }) => sql).join(" AND "),
    values: wheres.flatMap(({ values }) => values),
  };
}
