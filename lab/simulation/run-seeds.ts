/** Many seeds, spread over worker threads: each takes the next batch when it is done with the last. */
import { Worker } from "node:worker_threads";
import type { FaultClass } from "./fault-classes.ts";
import type { SabotageName } from "./sabotage.ts";

/** What is kept of one run when there are thousands. */
export interface SeedSummary {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly residue: number;
  readonly events: number;
  /** How often each kind of thing happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** The classes of faults that struck. */
  readonly faults: readonly FaultClass[];
}

export interface RunSeedsOptions {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  readonly sabotage: SabotageName | null;
  /** Called as results come in, in no particular order. False: enough, stop. */
  readonly onSeed: (summary: SeedSummary) => boolean;
}

export interface Task {
  readonly from: number;
  readonly seeds: number;
  readonly sabotage: SabotageName | null;
}

const batch = 10;

/** Resolves when all seeds have run, or once `onSeed` had enough. Rejects if a thread dies. */
export async function runSeeds(options: RunSeedsOptions): Promise<void> {
  const end = options.from + options.seeds;
  let next = options.from;
  let isEnough = false;

  const drive = (): Promise<void> => {
    const thread = new Worker(new URL("./seed-thread.ts", import.meta.url));
    const give = (): boolean => {
      if (isEnough || next >= end) return false;
      const task: Task = { from: next, seeds: Math.min(batch, end - next), sabotage: options.sabotage };
      next += task.seeds;
      thread.postMessage(task);
      return true;
    };
    return new Promise<void>((resolve, reject) => {
      thread.on("error", reject);
      thread.on("exit", () => reject(new Error("a simulation thread ended early")));
      thread.on("message", (summaries: SeedSummary[]) => {
        for (const summary of summaries) if (!isEnough && !options.onSeed(summary)) isEnough = true;
        if (!give()) resolve();
      });
      if (!give()) resolve();
    }).finally(() => thread.terminate());
  };
  const threads = Math.min(options.workers, Math.ceil(options.seeds / batch));
  await Promise.all(Array.from({ length: threads }, drive));
}
