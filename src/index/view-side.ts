/**
 * The index in a thread of its own, seen from the thread that answers: a view of its file, and what that thread tells (thread-side.ts).
 *
 * 1. An outcome is announced after its commit, so the view shows it.
 * 2. A view that finds damage answers nothing, and reports it once; the reader makes the file again.
 */
import assert from "node:assert/strict";
import type { Clock } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { type Answers, type Ask, createAnswers } from "./answers.ts";
import type { Enrollment, HoldableIndex, IndexProgress, Ranges } from "./enrollment-index.ts";
import { troubleOf } from "./errors.ts";
import { openView, type View } from "./file.ts";
import type { FromReader, ToReader, WaitersCount } from "./messages.ts";
import { Waiters } from "./waiters.ts";

export interface ViewSideParts {
  readonly path: string;
  readonly clock: Pick<Clock, "wallMs">;
  readonly waiters: WaitersCount;
  readonly tell: (message: ToReader) => void;
  readonly onNote: (message: string) => void;
  readonly onProblem: (problem: Problem) => void;
}

export class ViewSide implements HoldableIndex {
  readonly find: Answers["find"];
  readonly search: Answers["search"];
  readonly counts: Answers["counts"];
  readonly tenantCounts: Answers["tenantCounts"];
  readonly minutes: Answers["minutes"];
  readonly #parts: ViewSideParts;
  readonly #waiters: Waiters;
  #view: View | null = null;
  /** The file can be asked. */
  #isLoaded = false;
  #hasFailed = false;
  #progress: IndexProgress = { caughtUp: false, behindRecords: null, caughtUpAtMs: null, trouble: null };
  #held: PromiseWithResolvers<Ranges> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ViewSideParts) {
    this.#parts = parts;
    this.#waiters = new Waiters(undefined, (count) => Atomics.store(parts.waiters, 0, count));
    const ask: Ask = (nothing, question) => this.#ask(nothing, question);
    const answers = createAnswers(ask, parts.clock);
    this.find = answers.find;
    this.search = answers.search;
    this.counts = answers.counts;
    this.tenantCounts = answers.tenantCounts;
    this.minutes = answers.minutes;
  }

  /** The reader can't open its file, and keeps trying. Requests may wait for outcomes before its first try. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  hear(message: FromReader): void {
    switch (message.kind) {
      case "file":
        this.#closeView();
        this.#hasFailed = false;
        this.#isLoaded = message.isLoaded;
        this.#progress = message.progress;
        return;
      case "loaded":
        this.#isLoaded = true;
        return this.#waiters.tellLoaded(this.find);
      case "progress":
        this.#progress = message.progress;
        return;
      case "outcomes":
        return this.#waiters.tellOutcomes(message.keys, this.find); // 1
      case "note":
        return this.#parts.onNote(message.message);
      case "problem":
        this.#hasFailed = !this.#isLoaded;
        return this.#parts.onProblem(message.problem);
      case "held":
        return this.#held?.resolve(message.ranges);
      case "not-held":
        return this.#held?.reject(new Error(message.reason));
    }
  }

  /** The reader has ended. What was read can still be asked for. */
  readerEnded(why: string): void {
    this.#progress = { ...this.#progress, caughtUp: false, trouble: why };
    this.#held?.reject(new Error(why));
  }

  whenSettled(key: string, listener: (settled: Enrollment) => void): (() => void) | null {
    return this.#waiters.add(key.toLowerCase(), listener);
  }

  progress(): IndexProgress {
    return this.#progress;
  }

  hold: HoldableIndex["hold"] = (run) => {
    const result = this.#last.then(async () => {
      assert.ok(this.#held === null);
      this.#held = Promise.withResolvers<Ranges>();
      this.#parts.tell({ kind: "hold" });
      try {
        return await run(await this.#held.promise);
      } finally {
        this.#held = null;
        this.#parts.tell({ kind: "release" });
      }
    });
    this.#last = result.catch(() => {});
    return result;
  };

  close(): void {
    this.#isLoaded = false;
    this.#closeView();
  }

  #ask<T>(nothing: T, question: (view: View) => T): T {
    if (!this.#isLoaded) return nothing;
    try {
      this.#view ??= openView(this.#parts.path);
      return question(this.#view);
    } catch (error) {
      const trouble = troubleOf(error, this.#parts.path);
      if (trouble === null) throw error;
      if (trouble.kind === "damaged") {
        this.close(); // 2
        this.#parts.tell({ kind: "damaged", why: `it was damaged (${trouble.detail})` });
      }
      return nothing;
    }
  }

  #closeView(): void {
    if (this.#view?.db.isOpen) this.#view.db.close();
    this.#view = null;
  }
}
