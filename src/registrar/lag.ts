/** How far the worker is behind the log, looked up now and then. */
import { type Clock, inputTopics, type Session } from "../ports.ts";
import type { OwnedPartition } from "./partition.ts";
import { settledThrough } from "./window.ts";

export interface LagMeter {
  /** Unsettled records of all owned partitions, as of the last look. */
  records(): number;
  stop(): void;
}

const intervalMs = 10_000;

export function createLagMeter(
  { clock }: { clock: Clock },
  owned: ReadonlyMap<number, OwnedPartition>,
  currentSession: () => Session | null,
): LagMeter {
  const logEnds = new Map<string, number>();
  let stopped = false;
  let cancel = clock.after(intervalMs, look);

  return {
    records() {
      let sum = 0;
      for (const { number, windows } of owned.values()) {
        for (const topic of inputTopics) {
          const end = Math.max(logEnds.get(`${topic}/${number}`) ?? 0, windows[topic].nextOffset);
          sum += end - settledThrough(windows[topic]);
        }
      }
      return sum;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };

  async function look(): Promise<void> {
    const session = currentSession();
    const result = session === null ? null : await session.positions(session.partitions);
    if (result?.ok) {
      for (const { topic, partition, logEnd } of result.positions)
        logEnds.set(`${topic}/${partition}`, logEnd);
    }
    if (!stopped) cancel = clock.after(intervalMs, look);
  }
}
