/** The statements of one connection, by what they are about. */
import type { DatabaseSync } from "node:sqlite";
import { Letters } from "./letters.ts";
import { Rows } from "./rows.ts";
import { Tallies } from "./tallies.ts";
import { Texts } from "./texts.ts";

export interface Store {
  readonly rows: Rows;
  readonly letters: Letters;
  readonly texts: Texts;
  readonly tallies: Tallies;
}

export function createStore(db: DatabaseSync): Store {
  return { rows: new Rows(db), letters: new Letters(db), texts: new Texts(db), tallies: new Tallies(db) };
}
