/** The index on its file: reads the topics on, answers, and makes the file again where it must be. */

import assert from "node:assert/strict";
import { isUuid } from "../domain/uuid.ts";
import type { Clock, EventLog, Topic } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { sleep } from "../sleep.ts";
import type {
  Enrollment,
  HoldableIndex,
  IndexCounts,
  IndexProgress,
  Minute,
  SearchQuery,
  SearchResult,
  TenantCounts,
} from "./enrollment-index.ts";
import { troubleOf } from "./errors.ts";
import { type IndexFile, openFile, removeFile } from "./file.ts";
import { Reading, type Round } from "./reading.ts";
import { states } from "./rows.ts";
import { minutesKept } from "./tallies.ts";
import { tenantCounts } from "./tenant-counts.ts";
import { toEnrollment } from "./to-enrollment.ts";
import { keyBytes } from "./values.ts";
import { Waiters } from "./waiters.ts";

export interface IndexNote {
  /** "rebuilt": it is read from the beginning; "unreadable" and "readable": the topics can't be read, and can again. */
  readonly kind: "rebuilt" | "unreadable" | "readable";
  /** One line. */
  readonly message: string;
}

export interface IndexSettings {
  /** Made if it is not there, with its directory. */
  readonly path: string;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly onNote?: (note: IndexNote) => void;
  /** Who may wait for outcomes at a time. */
  readonly waitersMax?: number;
  /** Reads no further than these next-offsets, by topic and partition. */
  readonly ends?: Readonly<Record<Topic, readonly number[]>>;
  /** Records that are stored together; a crash repeats at most so many. */
  readonly transactionRecords?: number;
}

export type IndexOpening =
  | { readonly ok: true; readonly index: HoldableIndex }
  | { readonly ok: false; readonly problem: Problem };

const defaultWaitersMax = 10_000;
/** From an append to the answer of one who waits; while nobody waits, there is no hurry. */
const waitedPollMs = 50;
const idlePollMs = 250;
const retryMs = 1000;

export function openEnrollmentIndex(settings: IndexSettings): IndexOpening {
  const opening = openFile(settings.path);
  if (!opening.ok) return opening;
  const index = new Index(settings, opening.file);
  if (opening.rebuilt !== null) index.tellRebuilt(opening.rebuilt);
  return { ok: true, index };
}

class Index implements HoldableIndex {
  readonly #settings: IndexSettings;
  readonly #waiters: Waiters;
  #file: IndexFile;
  #reading: Reading;
  /** Set by a query: the file is to be made again. */
  #damage: string | null = null;
  #caughtUpAtMs: number | null = null;
  #behind: number | null = null;
  #trouble: string | null = null;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: IndexSettings, file: IndexFile) {
    this.#settings = settings;
    this.#waiters = new Waiters(settings.waitersMax ?? defaultWaitersMax);
    this.#file = file;
    this.#reading = this.#readingOf(file);
  }

  find(id: string): Enrollment | null {
    return this.#ask(null, ({ store }) => {
      const letter = isUuid(id) ? null : store.letters.byId(id);
      if (letter === null && !isUuid(id)) return null;
      const row =
        letter === null
          ? store.rows.byKey(keyBytes(id.toLowerCase()))
          : store.rows.byNumber(letter.enrollment);
      return row === null ? null : toEnrollment(store, row);
    });
  }

  search(query: SearchQuery): SearchResult {
    return this.#ask({ rows: [], next: null }, ({ search }) => search.run(query));
  }

  counts(): IndexCounts {
    return this.#ask({ waiting: 0, registered: 0, refused: 0, deadLetters: [] }, ({ store }) => {
      const { tallies, texts } = store;
      const byState = tallies.totals("state");
      const open = tallies.totals("open-letters");
      const deadLetters = [...tallies.totals("letters")]
        .map(([code, total]) => ({ code: texts.textOf(code), total, open: open.get(code) ?? 0 }))
        .sort((a, b) => b.total - a.total || (a.code < b.code ? -1 : 1));
      const of = (state: number) => byState.get(state) ?? 0;
      return {
        waiting: of(states.waiting),
        registered: of(states.registered),
        refused: of(states.refused),
        deadLetters,
      };
    });
  }

  tenantCounts(): readonly TenantCounts[] {
    return this.#ask([], ({ store }) => tenantCounts(store));
  }

  minutes(count: number): readonly Minute[] {
    const wanted = Math.min(minutesKept, Math.max(1, Math.floor(count)));
    return this.#ask([], ({ store }) => store.tallies.minutes(wanted, this.#settings.clock.wallMs()));
  }

  whenSettled(key: string, listener: (settled: Enrollment) => void): (() => void) | null {
    return this.#waiters.add(key.toLowerCase(), listener);
  }

  progress(): IndexProgress {
    return {
      caughtUp: this.#caughtUpAtMs !== null,
      behindRecords: this.#behind,
      caughtUpAtMs: this.#caughtUpAtMs,
      trouble: this.#trouble,
    };
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings;
    while (!signal.aborted) {
      const isRead = await this.catchUp(signal);
      const pollMs = this.#waiters.count > 0 ? waitedPollMs : idlePollMs;
      await sleep(clock, isRead ? pollMs : retryMs, signal);
    }
  }

  hold: HoldableIndex["hold"] = (run) =>
    this.#alone(() => {
      const ranges = this.#reading.ranges();
      assert.ok(ranges !== null, "the index has read nothing yet");
      return run(ranges);
    });

  catchUp(signal: AbortSignal): Promise<boolean> {
    return this.#alone(() => this.#catchUp(signal));
  }

  /** One after the other. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  async #catchUp(signal: AbortSignal): Promise<boolean> {
    // A file that is made again is read from its beginning at once, but not for ever.
    for (let tries = 0; tries < 3 && !signal.aborted; tries++) {
      const round: Round =
        this.#damage === null
          ? await this.#reading.round(signal)
          : { kind: "another-log", reason: this.#damage };
      if (round.kind === "aborted") return false;
      if (round.kind === "read") {
        this.#readable();
        return true;
      }
      if (round.kind === "unreadable") {
        this.#unreadable(round.reason);
        return false;
      }
      if (!this.#rebuild(round)) return false;
    }
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.db.close();
  }

  tellRebuilt(why: string): void {
    this.#note("rebuilt", `The index ${this.#settings.path} is built again from the topics: ${why}.`);
  }

  /** False: it can't be, or not now. */
  #rebuild(round: Extract<Round, { kind: "another-log" | "failed" }>): boolean {
    const { path } = this.#settings;
    let why: string;
    if (round.kind === "another-log") why = round.reason;
    else {
      const trouble = troubleOf(round.error, path);
      if (trouble === null) {
        // A bug: it must not end a process that has other work.
        this.#unreadable(`an error of the program, please report it: ${String(round.error)}`);
        return false;
      }
      if (trouble.kind === "problem") {
        this.#unreadable(`${trouble.problem.message} ${trouble.problem.fix}`);
        return false;
      }
      why = `it was damaged (${trouble.detail})`;
    }
    this.#damage = null;
    this.#caughtUpAtMs = null;
    if (this.#file.db.isOpen) this.#file.db.close();
    removeFile(path);
    const opening = openFile(path);
    if (!opening.ok) {
      this.#damage = why;
      this.#unreadable(`${opening.problem.message} ${opening.problem.fix}`);
      return false;
    }
    this.#file = opening.file;
    this.#reading = this.#readingOf(opening.file);
    this.tellRebuilt(why);
    return true;
  }

  #readingOf(file: IndexFile): Reading {
    const { log, ends, transactionRecords } = this.#settings;
    return new Reading({
      ...{ log, file, ends, transactionRecords },
      onBehind: (records) => {
        this.#behind = records;
      },
      onOutcomes: (keys) =>
        this.#tell(
          [...keys].filter((key) => this.#waiters.has(key)),
          () => true,
        ),
      onLoaded: () => this.#tell(this.#waiters.keys(), ({ state }) => state === "registered"),
    });
  }

  #tell(keys: readonly string[], isTold: (enrollment: Enrollment) => boolean): void {
    for (const key of keys) {
      const found = this.find(key);
      if (found !== null && isTold(found)) this.#waiters.tell(key, found);
    }
  }

  /** Nothing is found while the first load runs, or while the file waits to be made again. */
  #ask<T>(nothing: T, question: (file: IndexFile) => T): T {
    if (this.#isClosed || this.#damage !== null || this.#file.phase === "loading") return nothing;
    try {
      return question(this.#file);
    } catch (error) {
      const trouble = troubleOf(error, this.#settings.path);
      if (trouble === null) throw error;
      if (trouble.kind === "damaged") this.#damage = `it was damaged (${trouble.detail})`;
      return nothing;
    }
  }

  #readable(): void {
    this.#caughtUpAtMs = this.#settings.clock.wallMs();
    if (this.#trouble !== null) this.#note("readable", "The index reads the topics again.");
    this.#trouble = null;
  }

  #unreadable(reason: string): void {
    if (this.#trouble === null)
      this.#note("unreadable", `The index can't read on, and goes on trying: ${reason}`);
    this.#trouble = reason;
  }

  #note(kind: IndexNote["kind"], message: string): void {
    this.#settings.onNote?.({ kind, message });
  }
}
