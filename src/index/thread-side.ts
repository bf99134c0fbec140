/**
 * The index in a thread of its own, seen from there: it reads the topics and writes the file, and tells the thread that answers
 * (view-side.ts) what there is to know. Reading, building and sorting delay no request there.
 */
import type { Clock, EventLog } from "../ports.ts";
import { sleep } from "../sleep.ts";
import type { ReadingIndex } from "./enrollment-index.ts";
import type { FromReader, ToReader, WaitersCount } from "./messages.ts";
import { type IndexHooks, openEnrollmentIndex } from "./open-index.ts";

export interface ThreadSideParts {
  readonly path: string;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly waiters: WaitersCount;
  readonly tell: (message: FromReader) => void;
}

export interface ThreadSide {
  hear(message: ToReader): void;
  /** Until `stop` was heard. */
  run(): Promise<void>;
}

/** A process that ends may hold the file for a moment; a disk may have room again. */
const retryMs = 1_000;

export function createThreadSide({ path, log, clock, waiters, tell }: ThreadSideParts): ThreadSide {
  const stopped = new AbortController();
  let index: ReadingIndex | null = null;
  let release: (() => void) | null = null;

  const hooks: IndexHooks = {
    onFile: (phase) => tellFile(phase === "ready"),
    onProgress: () => index && tell({ kind: "progress", progress: index.progress() }),
    onOutcomes: (keys) => {
      if (hooks.isWaited()) tell({ kind: "outcomes", keys: [...keys] });
    },
    onLoaded: () => tell({ kind: "loaded" }),
    isWaited: () => Atomics.load(waiters, 0) > 0,
  };

  function tellFile(isLoaded: boolean): void {
    if (index !== null) tell({ kind: "file", isLoaded, progress: index.progress() });
  }

  async function hold(): Promise<void> {
    try {
      if (index === null) throw new Error("The index is not open yet.");
      await index.hold(
        (ranges) =>
          new Promise<void>((resolve) => {
            release = resolve;
            if (stopped.signal.aborted) return resolve();
            tell({ kind: "held", ranges });
          }),
      );
    } catch (error) {
      tell({ kind: "not-held", reason: String(error) });
    }
  }

  return {
    hear(message) {
      if (message.kind === "hold") return void hold();
      if (message.kind === "release") return release?.();
      if (message.kind === "damaged") return index?.damaged(message.why);
      stopped.abort();
      release?.();
    },
    async run() {
      let last = "";
      while (!stopped.signal.aborted) {
        const opened = openEnrollmentIndex({
          ...{ path, log, clock, hooks },
          onNote: ({ message }) => tell({ kind: "note", message }),
        });
        if (opened.ok) {
          index = opened.index;
          tellFile(opened.isLoaded);
          await index.follow(stopped.signal);
          return index.close();
        }
        if (last !== opened.problem.message) tell({ kind: "problem", problem: opened.problem });
        last = opened.problem.message;
        await sleep(clock, retryMs, stopped.signal);
      }
    },
  };
}
