/**
 * The index of a process that serves: in DATA_DIR, read in a thread of its own until it is stopped. A thread that ends by itself is
 * started again.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Settings } from "../config/table.ts";
import type { HoldableIndex } from "../index/enrollment-index.ts";
import { type FromReader, newWaitersCount, type ToReader } from "../index/messages.ts";
import { ViewSide } from "../index/view-side.ts";
import type { Clock } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { sleep } from "../sleep.ts";
import type { IndexThreadData } from "./index-thread.ts";

export interface FollowedIndex {
  /** Null: it can't be opened at present. */
  readonly index: () => HoldableIndex | null;
  stop(): Promise<void>;
}

export interface IndexNotes {
  readonly onNote: (message: string) => void;
  readonly onProblem: (problem: Problem) => void;
}

const restartMs = 1_000;
/** Records pass through: what they leave behind is collected as well from little memory as from much. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 };
/** A silent broker must not delay the stop: nothing is lost when the thread is ended. */
const stopMs = 3_000;

export function followIndex(settings: Settings, clock: Clock, notes: IndexNotes): FollowedIndex {
  const path = join(settings.dataDir, "index.db");
  const waiters = newWaitersCount();
  const stopped = new AbortController();
  let thread: Worker | null = null;
  const tell = (message: ToReader) => thread?.postMessage(message);
  const view = new ViewSide({ path, clock, waiters, tell, ...notes });

  async function run(): Promise<void> {
    const { indexThreadUrl } = await import("./index-thread.ts");
    while (!stopped.signal.aborted) {
      const workerData: IndexThreadData = { role: "index", settings, path, waiters };
      const started = new Worker(new URL(indexThreadUrl), { workerData, resourceLimits });
      thread = started;
      const why = await ended(started, (message) => view.hear(message));
      thread = null;
      if (stopped.signal.aborted) return;
      view.readerEnded(why);
      notes.onProblem({
        code: "index-thread",
        message: `The thread that reads the topics into the index has ended: ${why}.`,
        fix: "It is started again by itself. Please report it, with this line, if it comes again.",
      });
      await sleep(clock, restartMs, stopped.signal);
    }
  }

  const running = run();
  return {
    index: () => (view.hasFailed ? null : view),
    async stop() {
      stopped.abort();
      tell({ kind: "stop" });
      const cancel = clock.after(stopMs, () => void thread?.terminate());
      await running;
      cancel();
      view.close();
    },
  };
}

/** Why it has ended. */
function ended(thread: Worker, onMessage: (message: FromReader) => void): Promise<string> {
  return new Promise((resolve) => {
    let why: string | null = null;
    thread.on("message", onMessage);
    thread.on("error", (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    thread.on("exit", (code) => resolve(why ?? `exit code ${code}`));
  });
}
