/** The dead letters, and the statements that read and write them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { DeadLetter } from "../domain/dead-letter.ts";
import type { Packed } from "./values.ts";
import { pack, topicNumber } from "./values.ts";

/** As in the table (tables.ts). */
export interface LetterRow {
  readonly number: number;
  readonly id: string;
  readonly enrollment: number;
  readonly code: number;
  readonly message: string;
  /** JSON; null: none. */
  readonly pointers: string | null;
  readonly attempts: number;
  readonly request: Packed | null;
  readonly at_ms: number;
  readonly replayed: number;
  readonly is_open: number;
  readonly at_topic: number;
  readonly at_partition: number;
  readonly at_offset: number;
  readonly partition: number;
  readonly offset: number;
}

export class Letters {
  readonly #insert: StatementSync;
  readonly #byId: StatementSync;
  readonly #byNumber: StatementSync;
  readonly #unreplayedOf: StatementSync;
  readonly #setOpen: StatementSync;
  readonly #replayed: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      `INSERT INTO letters (id, enrollment, code, message, pointers, attempts, request, at_ms, replayed, is_open,
         at_topic, at_partition, at_offset, partition, offset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`,
    );
    this.#byId = db.prepare("SELECT * FROM letters WHERE id = ?");
    this.#byNumber = db.prepare("SELECT * FROM letters WHERE number = ?");
    this.#unreplayedOf = db.prepare("SELECT number, code FROM letters WHERE enrollment = ? AND replayed = 0");
    this.#setOpen = db.prepare("UPDATE letters SET is_open = ? WHERE number = ?");
    this.#replayed = db.prepare("UPDATE letters SET replayed = 1, is_open = 0 WHERE number = ?");
  }

  /** Returns its number. */
  insert(
    letter: DeadLetter,
    of: { enrollment: number; code: number; isOpen: boolean; partition: number; offset: number },
  ): number {
    const { refusal, at, attempts, requestId, timeMs } = letter;
    const pointers = refusal.pointers.length === 0 ? null : JSON.stringify(refusal.pointers);
    return Number(
      this.#insert.run(
        ...[letter.id, of.enrollment, of.code, refusal.message, pointers, attempts],
        ...[requestId === null ? null : pack(requestId), timeMs, of.isOpen ? 1 : 0],
        ...[topicNumber(at.topic), at.partition, at.offset, of.partition, of.offset],
      ).lastInsertRowid,
    );
  }

  byId(id: string): LetterRow | null {
    return (this.#byId.get(id) as LetterRow | undefined) ?? null;
  }

  byNumber(number: number): LetterRow | null {
    return (this.#byNumber.get(number) as LetterRow | undefined) ?? null;
  }

  unreplayedOf(enrollment: number): readonly { readonly number: number; readonly code: number }[] {
    return this.#unreplayedOf.all(enrollment) as unknown as { number: number; code: number }[];
  }

  setOpen(number: number, isOpen: boolean): void {
    this.#setOpen.run(isOpen ? 1 : 0, number);
  }

  markReplayed(number: number): void {
    this.#replayed.run(number);
  }
}
