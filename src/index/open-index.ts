/** The index on its file: reads the topics on, answers, and makes the file again where it must be. */

import assert from "node:assert/strict";
import type { Clock, EventLog, Topic } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { sleep } from "../sleep.ts";
import { type Answers, type Ask, createAnswers } from "./answers.ts";
import type { Enrollment, HoldableIndex, IndexProgress, ReadingIndex } from "./enrollment-index.ts";
import { troubleOf } from "./errors.ts";
import { type IndexFile, openFile, removeFile, type View } from "./file.ts";
import { lockIndex } from "./lock.ts";
import { Reading, type Round } from "./reading.ts";
import type { Phase } from "./tables.ts";
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
  /** Records that are stored together; a crash repeats at most this many. */
  readonly transactionRecords?: number;
  /** For views of the file in other threads (thread-side.ts). */
  readonly hooks?: IndexHooks | undefined;
}

/** Notices to views of the file in other threads, and whether requests wait there. */
export interface IndexHooks {
  /** The file was made, or made again: what was opened before shows nothing new. */
  readonly onFile: (phase: Phase) => void;
  /** `progress()` may say something else. */
  readonly onProgress: () => void;
  /** After their commit: keys for which an outcome was read. */
  readonly onOutcomes: (keys: ReadonlySet<string>) => void;
  /** After its commit: the first load, which reports no outcomes, has ended. */
  readonly onLoaded: () => void;
  /** A request waits there. */
  readonly isWaited: () => boolean;
}

export type IndexOpening =
  /** `isLoaded`: it answers; else once the registered topic was read. */
  | { readonly ok: true; readonly index: ReadingIndex; readonly isLoaded: boolean }
  | { readonly ok: false; readonly problem: Problem };

/** From an append to the answer of a waiting request; without one there is no hurry. */
const waitedPollMs = 50;
const idlePollMs = 250;
const retryMs = 1000;

export function openEnrollmentIndex(settings: IndexSettings): IndexOpening {
  const locking = lockIndex(settings.path);
  if (!locking.ok) return locking;
  const opening = openFile(settings.path);
  if (!opening.ok) {
    locking.release();
    return opening;
  }
  const index = new Index(settings, opening.file, locking.release);
  if (opening.rebuilt !== null) index.tellRebuilt(opening.rebuilt);
  return { ok: true, index, isLoaded: opening.file.phase === "ready" };
}

class Index implements ReadingIndex {
  readonly find: Answers["find"];
  readonly search: Answers["search"];
  readonly counts: Answers["counts"];
  readonly tenantCounts: Answers["tenantCounts"];
  readonly minutes: Answers["minutes"];
  readonly #settings: IndexSettings;
  readonly #unlock: () => void;
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

  constructor(settings: IndexSettings, file: IndexFile, unlock: () => void) {
    this.#settings = settings;
    this.#unlock = unlock;
    const ask: Ask = (nothing, question) => this.#ask(nothing, question);
    const answers = createAnswers(ask, settings.clock);
    this.find = answers.find;
    this.search = answers.search;
    this.counts = answers.counts;
    this.tenantCounts = answers.tenantCounts;
    this.minutes = answers.minutes;
    this.#waiters = new Waiters(settings.waitersMax);
    this.#file = file;
    this.#reading = this.#readingOf(file);
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
      const isWaited = this.#waiters.count > 0 || this.#settings.hooks?.isWaited() === true;
      const pollMs = isWaited ? waitedPollMs : idlePollMs;
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
    // A file that is made again is read from its beginning immediately, but only a limited number of times.
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
    if (this.#file.db.isOpen) this.#file.db.close();
    this.#unlock();
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
    this.#settings.hooks?.onFile(opening.file.phase);
    this.tellRebuilt(why);
    return true;
  }

  #readingOf(file: IndexFile): Reading {
    const { log, ends, transactionRecords, hooks } = this.#settings;
    return new Reading({
      ...{ log, file, ends, transactionRecords },
      onBehind: (records) => {
        this.#behind = records;
        hooks?.onProgress();
      },
      onOutcomes: (keys) => {
        hooks?.onOutcomes(keys);
        this.#waiters.tellOutcomes(keys, this.find);
      },
      onLoaded: () => {
        hooks?.onLoaded();
        this.#waiters.tellLoaded(this.find);
      },
    });
  }

  /** Nothing is found while the first load runs, or while the file waits to be made again. */
  #ask<T>(nothing: T, question: (view: View) => T): T {
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
    this.#settings.hooks?.onProgress();
  }

  #unreadable(reason: string): void {
    if (this.#trouble === null)
      this.#note("unreadable", `The index can't read on, and keeps trying: ${reason}`);
    this.#trouble = reason;
    this.#settings.hooks?.onProgress();
  }

  /** What a view of the file came upon: the file is made again. */
  damaged(why: string): void {
    this.#damage ??= why;
  }

  #note(kind: IndexNote["kind"], message: string): void {
    this.#settings.onNote?.({ kind, message });
  }
}
