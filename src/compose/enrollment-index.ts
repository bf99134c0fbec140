/** The index of a process that serves: in DATA_DIR, opened when it can be, reading on until it is stopped. */
import { join } from "node:path";
import type { Settings } from "../config/table.ts";
import type { HoldableIndex } from "../index/enrollment-index.ts";
import { openEnrollmentIndex } from "../index/open-index.ts";
import type { Clock, EventLog } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { sleep } from "../sleep.ts";

export interface FollowedIndex {
  /** Null: it could not be opened yet. */
  readonly index: () => HoldableIndex | null;
  /** Before the log is closed. */
  stop(): Promise<void>;
}

export interface IndexNotes {
  readonly onNote: (message: string) => void;
  readonly onProblem: (problem: Problem) => void;
}

/** A process that ends may hold the file for a moment; a disk may have room again. */
const retryMs = 1_000;

export function followIndex(
  settings: Settings,
  log: EventLog,
  clock: Clock,
  { onNote, onProblem }: IndexNotes,
): FollowedIndex {
  const stopped = new AbortController();
  let index: HoldableIndex | null = null;

  async function run(): Promise<void> {
    let last = "";
    while (!stopped.signal.aborted) {
      const path = join(settings.dataDir, "index.db");
      const opened = openEnrollmentIndex({ path, log, clock, onNote: ({ message }) => onNote(message) });
      if (opened.ok) {
        index = opened.index;
        return await index.follow(stopped.signal);
      }
      if (last !== opened.problem.message) onProblem(opened.problem);
      last = opened.problem.message;
      await sleep(clock, retryMs, stopped.signal);
    }
  }

  const running = run();
  return {
    index: () => index,
    async stop() {
      stopped.abort();
      await running;
      index?.close();
    },
  };
}
