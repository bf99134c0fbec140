/** Texts that repeat (tenants, sources, codes), each stored once under a number. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Producers choose sources: memory must not grow with them. */
const cachedMax = 10_000;

export class Texts {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #get: StatementSync;
  readonly #numbers = new Map<string, number>();
  readonly #texts = new Map<number, string>();

  constructor(db: DatabaseSync) {
    this.#find = db.prepare("SELECT number FROM texts WHERE text = ?");
    this.#insert = db.prepare("INSERT INTO texts (text) VALUES (?)");
    this.#get = db.prepare("SELECT text FROM texts WHERE number = ?");
  }

  /** Null: it occurs nowhere. */
  find(text: string): number | null {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const row = this.#find.get(text) as { number: number } | undefined;
    return row === undefined ? null : this.#keep(text, row.number);
  }

  numberOf(text: string): number {
    return this.find(text) ?? this.#keep(text, Number(this.#insert.run(text).lastInsertRowid));
  }

  textOf(number: number): string {
    const known = this.#texts.get(number);
    if (known !== undefined) return known;
    const row = this.#get.get(number) as { text: string } | undefined;
    if (row === undefined) return "";
    this.#keep(row.text, number);
    return row.text;
  }

  /** After a rollback: numbers that were given in it are none. */
  forget(): void {
    this.#numbers.clear();
    this.#texts.clear();
  }

  #keep(text: string, number: number): number {
    if (this.#numbers.size >= cachedMax) this.forget();
    this.#numbers.set(text, number);
    this.#texts.set(number, text);
    return number;
  }
}
