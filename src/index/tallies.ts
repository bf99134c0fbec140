/** Counts that are kept up with the rows: in memory until `flush`, inside the transaction of the rows that they count. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Minute } from "./enrollment-index.ts";

export const minuteMs = 60_000;
/** Kept: three hours before the last minute in which anything happened. */
export const minutesKept = 180;

/** Of one tenant, by state: its number stands for the code. */
export const tenantTotals = { 0: "tenant-waiting", 1: "tenant-registered", 2: "tenant-refused" } as const;
export type Total = "state" | "letters" | "open-letters" | (typeof tenantTotals)[keyof typeof tenantTotals];
type What = "events" | "registered" | "refused";

export class Tallies {
  readonly #add: StatementSync;
  readonly #addMinute: StatementSync;
  readonly #prune: StatementSync;
  readonly #addUnreadable: StatementSync;
  readonly #totals: StatementSync;
  readonly #minutes: StatementSync;
  readonly #deltas = new Map<string, number>();
  readonly #happened = new Map<number, Record<What, number>>();
  #unreadable = 0;

  constructor(db: DatabaseSync) {
    this.#add = db.prepare(
      "INSERT INTO totals VALUES (?, ?, ?) ON CONFLICT (kind, code) DO UPDATE SET n = n + excluded.n",
    );
    this.#addMinute = db.prepare(
      `INSERT INTO minutes VALUES (?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET events = events + excluded.events,
         registered = registered + excluded.registered, refused = refused + excluded.refused`,
    );
    this.#prune = db.prepare("DELETE FROM minutes WHERE minute < (SELECT max(minute) FROM minutes) - ?");
    this.#addUnreadable = db.prepare("UPDATE meta SET unreadable = unreadable + ?");
    this.#totals = db.prepare("SELECT code, n FROM totals WHERE kind = ? AND n > 0");
    this.#minutes = db.prepare("SELECT * FROM minutes WHERE minute > ? AND minute <= ?");
  }

  count(total: Total, code: number, by: 1 | -1): void {
    const name = `${total} ${code}`;
    this.#deltas.set(name, (this.#deltas.get(name) ?? 0) + by);
  }

  /** `atMs` 0: unknown, counted nowhere. */
  happened(what: What, atMs: number): void {
    if (atMs <= 0) return;
    const minute = Math.floor(atMs / minuteMs);
    let counts = this.#happened.get(minute);
    if (counts === undefined) {
      // A cold build reads years of minutes: only the last ones are needed.
      if (this.#happened.size > 2 * minutesKept) this.#dropOldest();
      counts = { events: 0, registered: 0, refused: 0 };
      this.#happened.set(minute, counts);
    }
    counts[what]++;
  }

  unreadable(): void {
    this.#unreadable++;
  }

  flush(): void {
    for (const [name, by] of this.#deltas) {
      const [total, code] = name.split(" ");
      if (by !== 0) this.#add.run(total!, Number(code), by);
    }
    for (const [minute, { events, registered, refused }] of this.#happened)
      this.#addMinute.run(minute, events, registered, refused);
    if (this.#happened.size > 0) this.#prune.run(minutesKept);
    if (this.#unreadable > 0) this.#addUnreadable.run(this.#unreadable);
    this.forget();
  }

  /** After a rollback: what was counted since is not so. */
  forget(): void {
    this.#deltas.clear();
    this.#happened.clear();
    this.#unreadable = 0;
  }

  /** By code; as of the last flush. */
  totals(total: Total): ReadonlyMap<number, number> {
    const rows = this.#totals.all(total) as unknown as { code: number; n: number }[];
    return new Map(rows.map(({ code, n }) => [code, n]));
  }

  minutes(count: number, nowMs: number): Minute[] {
    const last = Math.floor(nowMs / minuteMs);
    const rows = this.#minutes.all(last - count, last) as unknown as ({ minute: number } & Record<
      What,
      number
    >)[];
    const found = new Map(rows.map((row) => [row.minute, row]));
    return Array.from({ length: count }, (_, index) => {
      const minute = last - count + 1 + index;
      const { events, registered, refused } = found.get(minute) ?? { events: 0, registered: 0, refused: 0 };
      return { atMs: minute * minuteMs, events, registered, refused };
    });
  }

  #dropOldest(): void {
    const minutes = [...this.#happened.keys()].sort((a, b) => a - b);
    for (const minute of minutes.slice(0, -minutesKept)) this.#happened.delete(minute);
  }
}
